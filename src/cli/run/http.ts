/** `--http`: metrics, health and the page, for the duration of a run. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { InvalidArgumentError, Option } from 'commander'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import { LadingError } from '../../core/errors.ts'
import { ignoreEvents, type LadingEvent, type Listener, tellAll } from '../../core/events.ts'
import { shownUrl } from '../../core/url.ts'
import { placeOfSink } from '../../sink/registry.ts'
import type { Metrics } from '../../observe/metrics.ts'
import type { Observer } from '../../observe/observer.ts'
import type { About } from '../../observe/snapshot.ts'
import type { Queue } from '../../queue/queue.ts'
import { say } from '../terminal/log.ts'
import { keptModels } from './ledger.ts'
import { type InsideFlags, insideSettings, positive, type TableFlags } from '../settings/options.ts'
import { isTied } from './signals.ts'
import { openTraces } from './traces.ts'
import { version } from './version.ts'

interface Address {
  readonly host: string
  readonly port: number
}

/** Flags of all commands that can be observed while they run. */
export interface HttpFlags {
  readonly http?: Address
  readonly httpToken?: string
  readonly httpName?: readonly string[]
  readonly stallAfter: number
}

/** What a run works with. */
interface Places extends InsideFlags, TableFlags {
  readonly queue: string
  readonly to?: string
  readonly pipeline?: string
  readonly model?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey?: DedupKey
  readonly root?: string
}

export const httpOptions = () => [
  new Option(
    '--http <address>',
    'serve a page and metrics at [HOST:]PORT during the run; also /healthz and /readyz; the default host is 127.0.0.1',
  )
    .env('LADING_HTTP')
    .argParser(address),
  new Option(
    '--http-token <file>',
    'file with the token for clients on other machines (or LADING_HTTP_TOKEN)',
  ),
  new Option(
    '--http-name <name>',
    'another host name that browsers and Prometheus may use for this machine; repeatable',
  ).argParser((name: string, names: readonly string[] | undefined) => [...(names ?? []), name]),
  new Option('--stall-after <seconds>', '/readyz fails after this long without progress while there is work')
    .default(20)
    .argParser(positive),
]

/** Observes a run, and serves what it sees. */
export interface Watch extends AsyncDisposable {
  readonly listener: Listener
  /** Passes the queue, once it is open. */
  see(queue: Queue): void
}

/** Costs nothing without `--http` and OpenTelemetry. In a load, only the parent process serves. */
export async function openWatch(command: string, flags: HttpFlags & Places): Promise<Watch> {
  const traces = await openTraces(process.env)
  const shown = await openHttp(command, flags).catch(async (error: unknown) => {
    await traces[Symbol.asyncDispose]()
    throw error
  })
  return {
    listener: tellAll(traces.listener, shown.listener),
    see: (queue) => shown.see(queue),
    [Symbol.asyncDispose]: async () => {
      await shown[Symbol.asyncDispose]()
      await traces[Symbol.asyncDispose]()
    },
  }
}

async function openHttp(command: string, flags: HttpFlags & Places): Promise<Watch> {
  const { http, to, pipeline } = flags
  if (http === undefined || isTied())
    return { listener: ignoreEvents, see: () => undefined, [Symbol.asyncDispose]: async () => undefined }
  const [
    { Observer },
    { DepthWatch },
    { startWeb, isLoopback },
    { SnapshotStream },
    { WebLedger },
    { routesOf },
  ] = await Promise.all([
    import('../../observe/observer.ts'),
    import('../../observe/depth.ts'),
    import('../../web/server.ts'),
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
  const queue = shownUrl(flags.queue)
  const about = {
    version: version(),
    pid: process.pid,
    command,
    pipeline,
    queue,
    target,
    startedAt: Date.now(),
  }
  const observer = new Observer(about, {
    consumes: command !== 'produce',
    stallAfterMs: flags.stallAfter * 1000,
  })
  const metrics = lateMetrics(about, observer)
  const depth = new DepthWatch(observer)
  const ledger =
    to === undefined || placeOfSink(to).writers === 'self' ? undefined : new WebLedger(accessOf(to, flags))
  const refresh = (ms: number) => depth.refresh(ms)
  const stream = new SnapshotStream(observer, refresh)
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
    made().catch(() => undefined)
  }
  return { listener: hear, made }
}

const accessOf = (to: string, { pipeline, ignoreExtra, dedupKey, root, ...flags }: Places) => ({
  openSink: async () => (await import('../../sink/registry.ts')).openSink(to),
  loadModels: () => keptModels(flags),
  replay: { pipeline, ignoreExtra, dedupKey, root, ...insideSettings(flags) },
})

function address(text: string): Address {
  const [, bracketed, name, digits] = /^(?:(?:\[([^\]]+)\]|([\w.-]+)):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed)))
    throw new InvalidArgumentError('Not PORT, HOST:PORT or [IPv6]:PORT.')
  return { host: bracketed ?? name ?? '127.0.0.1', port }
}

function givenToken({ httpToken: path }: HttpFlags): string | undefined {
  const token = path === undefined ? process.env['LADING_HTTP_TOKEN'] : readToken(path)
  if (token !== undefined && !/^[\x21-\x7e]{16,1024}$/.test(token))
    throw new LadingError(
      'CONFIG_INVALID',
      'the token for --http must have 16 to 1024 visible ASCII characters',
    )
  return token
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new LadingError(
      'CONFIG_INVALID',
      `the token for --http cannot be read: ${(cause as Error).message}`,
      { cause },
    )
  }
}
