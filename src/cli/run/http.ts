/** `--http`: metrics, health and the page, for the duration of a run. */
import { randomBytes } from 'node:crypto'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import { exits, LadingError, toLadingError } from '../../core/errors.ts'
import { ignoreEvents, type LadingEvent, type Listener, tellAll } from '../../core/events.ts'
import { shownUrl } from '../../core/url.ts'
import { placeOfSink } from '../../sink/registry.ts'
import type { Metrics } from '../../observe/metrics.ts'
import type { Observer } from '../../observe/observer.ts'
import type { About, Ended } from '../../observe/snapshot.ts'
import type { Queue } from '../../queue/queue.ts'
import { hint } from '../settings/hint.ts'
import { type AccessFlags, givenToken, type HttpFlags } from '../settings/http.ts'
import { type InsideFlags, insideSettings, type TableFlags } from '../settings/options.ts'
import { printError, say } from '../terminal/log.ts'
import { keptModels } from './ledger.ts'
import { isTied, stoppedBy, untilSignal } from './signals.ts'
import { openTraces } from './traces.ts'
import { version } from './version.ts'

/** How often the ledger is asked about loads that others may write to, in milliseconds. */
const ledgerEveryMs = 2_000

/** What a run works with. */
interface Places extends InsideFlags, TableFlags {
  readonly queue?: string
  readonly to?: string
  readonly pipeline?: string
  readonly model?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey?: DedupKey
  readonly root?: string
}

/** Observes a run, and serves what it sees. */
export interface Watch {
  readonly listener: Listener
  /** Passes the queue, once it is open. */
  see(queue: Pick<Queue, 'depth' | 'oldest'>): void
}

/** What only the end of a run needs. */
interface Shown extends Watch, AsyncDisposable {
  /** Undefined if the page ends with the run. */
  readonly lingerMs?: number | undefined
  readonly page?: string
  end(by: Ended['by'], why?: string): void
}

type Flags = Partial<HttpFlags> & AccessFlags & Places

const nothingShown: Shown = {
  listener: ignoreEvents,
  see: () => undefined,
  end: () => undefined,
  [Symbol.asyncDispose]: async () => undefined,
}

/**
 * The work of a command that can be observed: it opens the watch, when its options are known to be right. The
 * watch hears how it ended, and its page may stay after it.
 */
export const observed =
  <Given extends readonly unknown[]>(
    command: string,
    work: (open: (flags: Flags) => Promise<Watch>, ...given: Given) => Promise<void>,
  ) =>
  async (...given: Given): Promise<void> => {
    let shown = nothingShown
    let traces: AsyncDisposable | undefined
    const open = async (flags: Flags): Promise<Watch> => {
      const { listener } = (traces = await openTraces(process.env))
      shown = await openHttp(command, flags)
      return { ...shown, listener: tellAll(listener, shown.listener) }
    }
    try {
      await work(open, ...given)
      const isWrong = process.exitCode === exits.unbalanced
      if (isWrong) shown.end('error', 'a receipt does not add up, or records have no verdict')
      else shown.end(stoppedBy() === undefined ? 'itself' : 'signal', stoppedBy())
      await linger(shown)
    } catch (error) {
      const { code } = toLadingError(error)
      if (code === 'ABORTED' && stoppedBy() !== undefined) shown.end('signal', stoppedBy())
      else shown.end('error', code)
      if (shown.lingerMs === undefined || stoppedBy() !== undefined) throw error
      process.exitCode = printError(error)
      await linger(shown)
    } finally {
      await shown[Symbol.asyncDispose]()
      await traces?.[Symbol.asyncDispose]()
    }
  }

/** The work is over; from now on a signal ends the page. */
async function linger({ lingerMs, page }: Shown): Promise<void> {
  if (lingerMs === undefined || stoppedBy() !== undefined) return
  const isForEver = lingerMs === Number.POSITIVE_INFINITY
  const until = isForEver ? 'until Ctrl-C' : `for ${lingerMs / 1000} s, or until Ctrl-C`
  say('info', 'lingering', { ms: isForEver ? null : lingerMs }, `the page stays ${until}: ${page}`)
  await untilSignal(lingerMs)
}

async function openHttp(command: string, flags: Flags): Promise<Shown> {
  const { http, to, pipeline, stallAfter = 20 } = flags
  if (http === undefined || isTied()) return nothingShown
  const [
    { Observer },
    { DepthWatch },
    { startWeb, isLoopback },
    { seldom },
    { SnapshotStream },
    { WebLedger },
    { routesOf },
  ] = await Promise.all([
    import('../../observe/observer.ts'),
    import('../../observe/depth.ts'),
    import('../../web/server.ts'),
    import('../../observe/seldom.ts'),
    import('../../web/stream.ts'),
    import('../../web/ledger.ts'),
    import('../../web/routes.ts'),
  ])
  const given = givenToken(flags)
  if (given === undefined && !isLoopback(http.host))
    throw new LadingError(
      'USAGE',
      '--http on another address than localhost needs --http-token FILE or LADING_HTTP_TOKEN, with at least 16 characters',
    )
  const target = to === undefined ? undefined : shownUrl(to)
  const queue = flags.queue === undefined ? '' : shownUrl(flags.queue)
  const about = {
    version: version(),
    pid: process.pid,
    command,
    pipeline,
    queue,
    target,
    afterwards: to === undefined || command === 'ui' ? undefined : hint('ui'),
    startedAt: Date.now(),
  }
  const observer = new Observer(about, {
    consumes: command !== 'produce' && command !== 'ui',
    stallAfterMs: stallAfter * 1000,
  })
  const metrics = lateMetrics(about, observer)
  const depth = new DepthWatch(observer)
  const ledger =
    to === undefined || placeOfSink(to).writers === 'self'
      ? undefined
      : new WebLedger({ ...accessOf(to, flags), ofAll: command === 'ui' })
  const refresh = (ms: number) => depth.refresh(ms)
  const askLedger = seldom(ledgerEveryMs, async () => {
    const loads = observer.uncertain
    if (ledger === undefined || loads.length === 0) return
    observer.sawLoads(await ledger.ask((known, { signal }) => known.receipts({ loads }, { signal })))
  })
  const stream = new SnapshotStream(observer, async (ms) => {
    await Promise.all([refresh(ms), askLedger(ms)])
  })
  const routes = routesOf({ observer, metrics: metrics.made, refresh, stream, ledger })
  const token = given ?? randomBytes(24).toString('base64url')
  const web = await startWeb({ ...http, names: flags.httpName ?? [], token, routes })
  // A generated token works only on this machine and only during this run, so it may be printed.
  const page = given === undefined ? `${web.url}/#token=${token}` : web.url
  say('info', 'http', { url: web.url }, `page, metrics and health at ${page}`)
  return {
    listener: tellAll(observer.listener, metrics.listener),
    see: (opened) =>
      depth.watch(async () => ({ ...(await opened.depth()), oldestMs: await opened.oldest?.() })),
    lingerMs: flags.httpLinger === undefined ? undefined : flags.httpLinger * 1000,
    page,
    end: (by, why) => {
      // The queue is closed.
      depth[Symbol.dispose]()
      observer.end(by, why)
    },
    [Symbol.asyncDispose]: async () => {
      depth[Symbol.dispose]()
      await stream.end()
      await web[Symbol.asyncDispose]()
      await ledger?.[Symbol.asyncDispose]()
    },
  }
}

/**
 * Created on the first event or request, because loading the metrics library takes 20 ms, and the run waits
 * for its database then anyway. Earlier events are replayed to it.
 */
function lateMetrics(
  about: About,
  observer: Observer,
): { readonly listener: Listener; readonly made: () => Promise<Metrics> } {
  const early: LadingEvent[] = []
  let listener: Listener | undefined
  let making: Promise<Metrics> | undefined
  const made = () =>
    (making ??= import('../../observe/metrics.ts').then(({ makeMetrics }) => {
      const metrics = makeMetrics(about, observer)
      for (const event of early.splice(0)) metrics.listener(event)
      listener = metrics.listener
      return metrics
    }))
  const hear: Listener = (event) => {
    if (listener !== undefined) return listener(event)
    early.push(event)
    // v8 ignore next -- the metrics package is missing, which is reported where it is needed
    made().catch(() => undefined)
  }
  return { listener: hear, made }
}

const accessOf = (to: string, { pipeline, ignoreExtra, dedupKey, root, ...flags }: Places) => ({
  openSink: async () => (await import('../../sink/registry.ts')).openSink(to),
  loadModels: () => keptModels({ pipeline, ...flags }),
  replay: { pipeline, ignoreExtra, dedupKey, root, ...insideSettings(flags) },
})
