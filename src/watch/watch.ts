/** Loads what arrives in folders, for as long as it runs. The ledger decides what was loaded; nothing else is kept. */
import { watch as watchFolder } from 'node:fs'
import { counted } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents } from '../core/events.ts'
import { sleep, stopping } from '../core/wait.ts'
import { type ApartOptions, loadApart } from '../load/apart.ts'
import type { LoadResult } from '../load/options.ts'
import type { ProducedLoad } from '../producer/produce.ts'
import type { Receipt } from '../sink/ledger.ts'
import { balance } from '../sink/receipt.ts'
import { requireFields, sourceFields } from '../model/fields.ts'
import { type Arrival, Arrivals } from './arrivals.ts'
import { type Aside, baseOf, isAsSeen, isGone, putAside, requireAside } from './aside.ts'

/** What became of one file. */
export interface Watched {
  readonly source: string
  readonly path: string
  readonly outcome: 'loaded' | 'known' | 'rejects' | 'refused'
  readonly receipt?: Receipt
  /** Why nothing of it could be loaded, or what is left to decide on. */
  readonly reason?: string
  /** Where the file is now, if it was moved; empty if it was deleted. */
  readonly movedTo?: string
  /** Nothing is at its path any more, and it was not put aside. */
  readonly isGone?: true
}

export interface WatchOptions extends ApartOptions {
  /** How long a file must stand still, in milliseconds. */
  readonly settleMs: number
  /** Of files that are loaded, and of those with rejects or that cannot be loaded. */
  readonly done: Aside
  readonly failed: Aside
  /** Files with rejects are done. */
  readonly allowRejects?: boolean
  readonly onWatched: (file: Watched) => void
}

/** Files of one run; a receipt of each is in memory. */
const mostTogether = 500
/** Between two looks, in milliseconds; and the share of a core that looks take at most. */
const lookEveryMs = 1_000
const mostShare = 0.1
const leastPauseMs = 50
/** A run waits for a database that has gone away meanwhile. */
const patienceMs = 86_400_000

export async function watch(options: WatchOptions): Promise<void> {
  const { paths, done, failed, settleMs, signal, graceMs = 20_000 } = options
  for (const aside of [done, failed]) requireAside(aside, paths)
  // Not when the first file arrives.
  if (options.model !== undefined) requireFields(options, sourceFields(options.model))
  const arrivals = new Arrivals(paths, {
    format: options.format,
    settleMs,
    onLeft: (message) => options.onEvent?.({ type: 'warning', message }),
  })
  // A stop lets the load under way end, for a while.
  using stop = stopping(signal, graceMs)
  using woken = new Waking(paths)
  const folder = new Folder({ ...options, signal: stop.abandon }, arrivals)
  while (!stop.stop.aborted) {
    const cost = new Cost()
    const files = await arrivals.look()
    const restMs = cost.restMs
    folder.tell(files.length)
    for (let at = 0; at < files.length && !stop.stop.aborted; at += mostTogether)
      await folder.load(files.slice(at, at + mostTogether))
    folder.tell(0)
    const { settling } = arrivals.counts
    const pauseMs = settling > 0 ? Math.max(leastPauseMs, Math.min(settleMs, lookEveryMs)) : lookEveryMs
    await woken.wait(pauseMs, restMs, stop.stop)
  }
}

/** Of a look at very many files: its share of a core, and of the time of a file server, is bounded. */
class Cost {
  readonly #cpu = process.cpuUsage()
  readonly #since = performance.now()

  /** How long no other look follows, in milliseconds. */
  get restMs(): number {
    const { user, system } = process.cpuUsage(this.#cpu)
    return Math.max((user + system) / 1_000 / mostShare, performance.now() - this.#since)
  }
}

class Folder {
  readonly #options: WatchOptions
  readonly #arrivals: Arrivals
  #runs = 0
  #told = ''

  constructor(options: WatchOptions, arrivals: Arrivals) {
    this.#options = options
    this.#arrivals = arrivals
  }

  async load(files: readonly Arrival[]): Promise<void> {
    const { startTimeoutMs = 30_000 } = this.#options
    const options = { ...this.#options, startTimeoutMs: this.#runs++ === 0 ? startTimeoutMs : patienceMs }
    await loadApart(files, options, {
      concluded: (loaded, result) => this.#conclude(loaded, result),
      refused: (file, error) => this.#refuse(file, error),
    })
  }

  #refuse(file: Arrival, { code, message }: LadingError): void {
    const wasAnother = code === 'SOURCE_CHANGED' || code === 'SOURCE_MISSING'
    if (wasAnother && !isGone(file)) this.#arrivals.restart(file)
    else this.#fail(file, { outcome: 'refused', reason: `${code}: ${message}` })
  }

  #conclude(files: readonly Arrival[], { produced, receipts }: LoadResult): void {
    const receiptOf = new Map(receipts.map((receipt) => [receipt.loadId, receipt]))
    for (const [index, file] of files.entries()) {
      const made = produced[index]
      const receipt = made && receiptOf.get(made.loadId)
      // v8 ignore next -- missing only if the ledger is pruned at this point
      if (made === undefined || receipt === undefined) continue
      const { open, problems } = balance(receipt)
      // A stop came before all of it had a verdict: the next start goes on.
      if (open > 0 && this.#options.signal?.aborted) continue
      const reason = problems[0] ?? this.#leftOf(receipt, open)
      if (reason !== undefined) this.#fail(file, { outcome: 'rejects', reason, receipt })
      else this.#end(file, made, receipt)
    }
  }

  #leftOf({ openRejects, openDeadLetters }: Receipt, open: number): string | undefined {
    if (open > 0) return `${counted(open, 'record')} without a verdict`
    if (this.#options.allowRejects === true || openRejects + openDeadLetters === 0) return undefined
    return openRejects > 0
      ? `${counted(openRejects, 'record')} rejected`
      : counted(openDeadLetters, 'dead letter')
  }

  #end(file: Arrival, { published }: ProducedLoad, receipt: Receipt): void {
    const outcome = published > 0 ? 'loaded' : 'known'
    this.#put(file, this.#options.done, 'over', { outcome, receipt })
  }

  #fail(file: Arrival, about: Pick<Watched, 'outcome' | 'reason' | 'receipt'>): void {
    const { failed } = this.#options
    // Nothing comes after it that could be told instead.
    if (isGone(file)) this.#put(file, failed, 'failed', { ...about, isGone: true })
    else if (isAsSeen(file)) this.#put(file, failed, 'failed', about)
    // What was wrong may have been that it was not whole yet.
    else this.#arrivals.restart(file)
  }

  #put(
    file: Arrival,
    aside: Aside,
    state: 'over' | 'failed',
    about: Omit<Watched, 'source' | 'path' | 'movedTo'>,
  ): void {
    const movedTo = putAside(file, aside)
    this.#arrivals.end(file, state)
    const { name: source, path } = file
    this.#options.onWatched({ source, path, ...about, ...(movedTo !== undefined && { movedTo }) })
  }

  /** Of files: those that must stand still, those that are loaded now or next, and those that were left with their fault. */
  tell(ready: number): void {
    const { settling, failed } = this.#arrivals.counts
    const counts = { settling: Math.max(0, settling - ready), ready, failed }
    if (JSON.stringify(counts) === this.#told) return
    this.#told = JSON.stringify(counts)
    const { onEvent = ignoreEvents } = this.#options
    onEvent({ type: 'watching', ...counts })
  }
}

/** Network file systems tell nothing of what others write, so this only shortens a wait. */
class Waking implements Disposable {
  readonly #watchers: { close(): void }[] = []
  #wake: (() => void) | undefined
  #isDue = false

  constructor(paths: readonly string[]) {
    for (const path of paths) {
      try {
        const watcher = watchFolder(baseOf(path).base, { persistent: false }, () => this.#arrived())
        // v8 ignore next -- Linux reports no error of a folder once it is watched; others do when it is removed
        this.#watchers.push(watcher.on('error', () => watcher.close()))
      } catch {
        // Looking finds everything.
      }
    }
  }

  #arrived(): void {
    this.#isDue = true
    this.#wake?.()
  }

  /** For `ms`, or until something arrives, but `leastMs` in any case. */
  async wait(ms: number, leastMs: number, signal: AbortSignal): Promise<void> {
    await sleep(leastMs, signal)
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    if (!this.#isDue) await sleep(Math.max(0, ms - leastMs), AbortSignal.any([signal, woken.signal]))
    this.#isDue = false
    this.#wake = undefined
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}
