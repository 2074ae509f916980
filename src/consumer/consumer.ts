/**
 * Queue → batches → sink → settle. A delivery is settled only after the transaction that holds its verdict
 * has committed; one that is never settled comes again, and the ledger knows it.
 */
import { LadingError, toLadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener, type LoadCounts } from '../core/events.ts'
import { traceLinks } from '../core/trace.ts'
import { backoff, sleep, unlessAborted, within } from '../core/wait.ts'
import { warningsOf, hasZones, tableName } from '../model/model.ts'
import { zoneRelease } from '../model/zones.ts'
import { targetOf } from '../queue/envelope.ts'
import type { Delivery } from '../queue/queue.ts'
import { preparedWarnings } from '../sink/table.ts'
import { defaultDedupKey } from './decode/identity.ts'
import { ForeignMessages, lastPauseMs } from './foreign.ts'
import { batches, type BatchLimits, Leases } from './intake.ts'
import type { Consumer, ConsumerOptions, RunOptions } from './options.ts'
import { type ReferenceOptions, withBodies } from './bodies.ts'
import { patientRetry, type RetryPolicy, retrying } from '../core/retry.ts'
import { openReferences } from '../source/registry.ts'
import type { References } from '../source/source.ts'
import { addTally, emptyTally, type Tally } from './tally.ts'
import { BatchWriter, type DecodedBatch, type WrittenBatch } from './write.ts'
import { zoneWarning } from './zones.ts'

export type { Consumer, ConsumerOptions, RunOptions } from './options.ts'
export { addTally, type Tally } from './tally.ts'

/**
 * Large enough that a commit's cost does not count, small enough that a batch is written within a second or
 * so.
 */
const defaultBatch: BatchLimits = { bytes: 4 * 1024 * 1024, messages: 2000 }
/**
 * As many small messages as four batches: one is settled, one written, one decoded, and one arrives. The
 * queue bounds the bytes.
 */
const defaultPrefetch = 8000
const defaultMaxAttempts = 20
const defaultMessageRetry: RetryPolicy = { attempts: 3, firstMs: 1_000, mostMs: 30_000 }
const defaultStartTimeoutMs = 30_000
const defaultGraceMs = 20_000
const defaultGiveBackAfterMs = 30_000
/** Between two attempts to reach a queue: one that is there again is missed for a few seconds at most. */
const firstQueuePauseMs = 400
const lastQueuePauseMs = 10_000
/**
 * The same for a database that answers questions and breaks off every batch: a broker counts each delivery of
 * a message that is given back.
 */
const firstSinkPauseMs = 400
const lastSinkPauseMs = 600_000
/** How long a queue may take to have back what is in hand. */
const giveBackWithinMs = 3_000
/** Fewer rows of one value cost little. */
const firstLookAt = 50_000
/**
 * How long nothing of ours comes before what waits is taken for others', who may have just met something of
 * ours and left it for a moment.
 */
const quietMs = lastPauseMs + 500
/** Loads whose last chunk may have come are folded when the queue is idle, or when so many have gathered. */
const foldAt = 500
/** Loads that are remembered. One that is forgotten is compared again. */
const mostCompared = 100_000

export function createConsumer(options: ConsumerOptions): Consumer {
  return { run: (runOptions = {}) => new Run(options, runOptions).run() }
}

/** Runs that this process has begun. */
let runs = 0

/** One run from its start to its end. */
class Run {
  readonly #name = `${process.pid}/${++runs}`
  readonly #options: ConsumerOptions
  readonly #run: RunOptions
  readonly #onEvent: Listener
  /** Ends the intake. */
  readonly #stop = new AbortController()
  /** Gives up what is in hand, some time after. */
  readonly #abandon = new AbortController()
  readonly #leases: Leases
  readonly #writer: BatchWriter
  readonly #intake: Omit<ReferenceOptions, 'files'>
  readonly #touched = new Set<string>()
  /** Loads whose release of the time-zone data was compared with ours. */
  readonly #compared = new Set<string>()
  readonly #foreign: ForeignMessages
  #tally: Tally = emptyTally
  #batches = 0
  /** The batch that was written last; an error of it is thrown by whoever waits for it next. */
  #settling: Promise<void> = Promise.resolve()
  /**
   * Records loaded by this run at which the table is looked at again: after the first batch, then now and
   * then.
   */
  #nextLook = 1
  #looking: Promise<void> = Promise.resolve()
  /** Failures of the queue since it last worked. */
  #failures = 0
  /** How often everything was given back for the database since it last took a batch. */
  #givenBack = 0

  constructor(options: ConsumerOptions, run: RunOptions) {
    this.#options = options
    this.#run = run
    this.#onEvent = options.onEvent ?? ignoreEvents
    this.#leases = new Leases(options.queue.traits.leaseMs)
    const common = {
      pipeline: options.pipeline ?? tableName(options.model),
      maxAttempts: options.maxAttempts ?? defaultMaxAttempts,
      batchRetry: { ...patientRetry, ...options.batchRetry },
      messageRetry: { ...defaultMessageRetry, ...options.messageRetry },
      // A limit on tries means that the consumer stops after them.
      unreachableMs:
        options.batchRetry?.attempts === undefined
          ? (options.giveBackAfterMs ?? defaultGiveBackAfterMs)
          : Number.POSITIVE_INFINITY,
      onEvent: this.#onEvent,
      stop: this.#stop.signal,
    }
    this.#intake = { ...common, leases: this.#leases }
    const own = { pipeline: common.pipeline, target: targetOf(options.sink.place), loads: options.loads }
    this.#foreign = new ForeignMessages({ own, leases: this.#leases, onEvent: this.#onEvent })
    this.#writer = new BatchWriter({
      ...common,
      model: options.model,
      sink: options.sink,
      ignoreExtra: options.ignoreExtra ?? false,
      dedupKey: options.dedupKey ?? defaultDedupKey,
      setAside: new Set(options.setAside),
      abandon: this.#abandon.signal,
    })
  }

  async run(): Promise<Tally> {
    const { signal } = this.#run
    let grace: NodeJS.Timeout | undefined
    const stop = () => {
      this.#stop.abort()
      grace ??= setTimeout(() => this.#abandon.abort(), this.#options.graceMs ?? defaultGraceMs)
    }
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    try {
      for (const message of warningsOf(this.#options.model)) this.#onEvent({ type: 'warning', message })
      if (hasZones(this.#options.model)) this.#onEvent({ type: 'zones', release: zoneRelease })
      const files = await openReferences(this.#options.root ?? '.')
      await this.#prepare()
      await this.#consume(files)
      await unlessAborted(this.#looking, this.#abandon.signal)
      return this.#tally
    } finally {
      signal?.removeEventListener('abort', stop)
      clearTimeout(grace)
      await this.#release()
      this.#leases[Symbol.dispose]()
    }
  }

  async #prepare(): Promise<void> {
    const { queue, sink, model, startTimeoutMs = defaultStartTimeoutMs, besideLoad } = this.#options
    const { leaseMs } = queue.traits
    const deferIndexes = besideLoad === true ? 'resume' : undefined
    const options = { signal: this.#stop.signal, onEvent: this.#onEvent, deadlineMs: startTimeoutMs }
    const prepare = (connectMs: number) =>
      sink.prepare(model, { signal: this.#abandon.signal, deferIndexes, leaseMs, connectMs })
    const prepared = await retrying(prepare, options).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
    if (prepared === undefined) return
    // The load says it once for all its consumers.
    if (besideLoad !== true) for (const warning of preparedWarnings(model, prepared)) this.#onEvent(warning)
    this.#writer.refuseNull(prepared.notNull ?? [])
  }

  /** A queue that fails is opened again, as its errors say; what it delivered before comes again. */
  async #consume(files: References): Promise<void> {
    for (let done = false; !done;) {
      if (this.#stop.signal.aborted) return
      try {
        await this.#consumeOnce(files)
        done = true
      } catch (thrown) {
        const error = toLadingError(thrown)
        // Stopped while something was waited for: what is in hand goes back to the queue.
        if (this.#stop.signal.aborted && error.action !== 'halt') return
        if (error.code === 'SINK_UNAVAILABLE' && this.#options.batchRetry?.attempts === undefined) {
          await this.#awaitSink(error)
          continue
        }
        if (!error.code.startsWith('QUEUE_') || error.action === 'halt') throw error
        done = this.#batches === this.#run.batches
        if (!done) await this.#awaitQueue(error)
      }
    }
    await this.#fold()
  }

  async #awaitQueue({ code, message }: LadingError): Promise<void> {
    // Else the heartbeats would keep what nobody works on any more.
    await this.#release()
    const delayMs = Math.round(backoff(this.#failures++, firstQueuePauseMs, lastQueuePauseMs))
    this.#onEvent({ type: 'waiting', code, message, attempt: this.#failures, delayMs })
    await sleep(delayMs, this.#stop.signal)
  }

  /**
   * A database that cannot be reached from here may be reached by others: they get what is in hand, and
   * nothing is taken until it answers.
   */
  async #awaitSink({ code, message }: LadingError): Promise<void> {
    await this.#release()
    // The one that was not written.
    this.#batches--
    const delayMs = Math.round(backoff(this.#givenBack++, firstSinkPauseMs, lastSinkPauseMs))
    const told = `${message}; what was in hand is given back, and nothing is taken until the database answers`
    this.#onEvent({ type: 'waiting', code, message: told, attempt: this.#givenBack, delayMs })
    await sleep(delayMs, this.#stop.signal)
    const ask = () => this.#options.sink.prepare(this.#options.model, { signal: this.#abandon.signal })
    await retrying(ask, { signal: this.#stop.signal, onEvent: this.#onEvent }).catch((failure: unknown) => {
      if (!this.#stop.signal.aborted) throw failure
    })
    if (!this.#stop.signal.aborted) this.#onEvent({ type: 'resumed', code })
  }

  /** While a batch is written, the next one is gathered and decoded. */
  async #consumeOnce(files: References): Promise<void> {
    const { queue, prefetch = defaultPrefetch, batch } = this.#options
    const held = this.#leases.hold(queue.deliveries({ prefetch, signal: this.#stop.signal }))
    const intake = withBodies(this.#foreign.leave(held), { ...this.#intake, files })
    let writing: Promise<void> = Promise.resolve()
    let arrivedAt = performance.now()
    try {
      for await (const deliveries of batches(intake, { ...defaultBatch, ...batch })) {
        if (deliveries.length > 0) {
          arrivedAt = performance.now()
          const decoded = await this.#writer.decode(deliveries)
          await writing
          // What is not being written yet is another's work now.
          if (this.#stop.signal.aborted) break
          this.#tellHeld()
          writing = this.#write(decoded)
          // Without this an error would count as unhandled while the next batch is gathered; it is thrown by
          // the next await.
          writing.catch(() => undefined)
          if (++this.#batches === this.#run.batches) break
          continue
        }
        await writing
        await this.#settled()
        this.#reached()
        if (this.#touched.size > 0) await this.#fold()
        const quiet = performance.now() - arrivedAt
        const isFinishing = this.#run.finish?.aborted === true
        if ((isFinishing || this.#run.untilEmpty === true) && (await this.#isEmpty())) break
        if (isFinishing && quiet > quietMs) break
        if (quiet > (this.#run.idleTimeoutMs ?? Number.POSITIVE_INFINITY)) break
      }
    } finally {
      await writing.finally(() => this.#settled())
    }
  }

  /** Whatever became of the batch that was written last, the next one has nothing to do with it. */
  #settled(): Promise<void> {
    const settling = this.#settling
    this.#settling = Promise.resolve()
    return settling
  }

  /** A batch is settled while the next one is written. */
  async #write(decoded: DecodedBatch): Promise<void> {
    const since = performance.now()
    const written = await this.#writer.write(decoded)
    const writeMs = performance.now() - since
    this.#givenBack = 0
    const before = this.#settled()
    this.#settling = before.finally(() => this.#finish(decoded, written, writeMs))
    this.#settling.catch(() => undefined)
    await before
  }

  async #finish(decoded: DecodedBatch, { tally, loads }: WrittenBatch, writeMs: number): Promise<void> {
    const since = performance.now()
    const settling = Promise.allSettled(decoded.entries.map(({ delivery }) => this.#settle(delivery)))
    // What is not settled when a stop has waited long enough comes again, and the ledger knows it.
    const settled = (await unlessAborted(settling, this.#abandon.signal)) ?? []
    this.#tally = addTally(this.#tally, tally)
    const bytes = decoded.entries.reduce((sum, { delivery }) => sum + delivery.body.length, 0)
    const links = traceLinks(decoded.entries.map(({ delivery }) => delivery.headers))
    const { counts } = loads
    const told = { ...tally, bytes, writeMs, settleMs: performance.now() - since, loads: counts }
    this.#onEvent({ type: 'batch', consumer: this.#name, ...told, ...(links.length === 0 ? {} : { links }) })
    this.#tellHeld()
    if (this.#tally.loaded >= this.#nextLook) this.#look()
    if (hasZones(this.#options.model)) await this.#compareZones(counts)
    for (const { loadId } of counts) this.#touched.add(loadId)
    if (this.#touched.size >= foldAt) await this.#fold()
    // The queue takes what was not settled for unfinished, and its prefetch would fill up with it: so it is
    // opened again.
    for (const each of settled) if (each.status === 'rejected') throw asQueueError(each.reason)
    this.#reached()
  }

  /** Looks now and then, beside the work, what the table costs as it is filled now; says it once. */
  #look(): void {
    const { sink, model } = this.#options
    this.#nextLook = Math.max(firstLookAt, this.#tally.loaded * 4)
    const look = async () => {
      const warnings = (await sink.warnings?.(model, { signal: this.#abandon.signal })) ?? []
      for (const message of warnings) this.#onEvent({ type: 'warning', message })
      if (warnings.length > 0) this.#nextLook = Number.POSITIVE_INFINITY
    }
    // Whatever keeps the database from answering keeps the next batch from it too, and that is waited for and
    // told.
    this.#looking = this.#looking.then(look).catch(() => undefined)
  }

  #reached(): void {
    if (this.#failures > 0) this.#onEvent({ type: 'resumed', code: 'QUEUE_UNAVAILABLE' })
    this.#failures = 0
  }

  #tellHeld(): void {
    this.#onEvent({ type: 'held', consumer: this.#name, messages: this.#leases.count })
  }

  /** A settlement that is lost means one more delivery, which the ledger absorbs. */
  async #settle(delivery: Delivery): Promise<void> {
    await delivery.settle({ kind: 'done' })
    this.#leases.release(delivery)
  }

  /** What belongs to others does not count. */
  async #isEmpty(): Promise<boolean> {
    const depth = await unlessAborted(this.#options.queue.depth(), this.#stop.signal)
    if (depth === undefined) return false
    const { ready, inFlight } = depth
    // What others hold is theirs to finish where nobody can tell of it.
    return ready + (inFlight ?? 0) <= this.#foreign.count()
  }

  /**
   * Housekeeping, which can wait until the database is there, and be left to the next consumer of the load.
   */
  async #fold(): Promise<void> {
    const ids = [...this.#touched]
    this.#touched.clear()
    if (ids.length === 0) return
    await this.#keepHouse('folding', () =>
      this.#options.sink.ledger.fold(ids, { signal: this.#abandon.signal }),
    )
  }

  /** Once for each load. */
  async #compareZones(counts: readonly LoadCounts[]): Promise<void> {
    const { sink, model } = this.#options
    const ids = counts.map(({ loadId }) => loadId).filter((id) => !this.#compared.has(id))
    if (ids.length === 0) return
    if (this.#compared.size > mostCompared) this.#compared.clear()
    for (const id of ids) this.#compared.add(id)
    await this.#keepHouse('comparing time-zone data', async () => {
      const message = await zoneWarning(sink.ledger, model, ids, { signal: this.#abandon.signal })
      if (message !== undefined) this.#onEvent({ type: 'warning', message })
    })
  }

  async #keepHouse(what: string, work: () => Promise<void>): Promise<void> {
    await retrying(work, { signal: this.#stop.signal, onEvent: this.#onEvent }).catch((error: unknown) => {
      const { code, message } = toLadingError(error)
      this.#onEvent({
        type: 'waiting',
        code,
        message: `${what} is left to a later run: ${message}`,
        attempt: 1,
        delayMs: 0,
      })
    })
  }

  /** Gives back at once what is still in hand, instead of letting its lease run out. */
  async #release(): Promise<void> {
    const { held } = this.#leases
    for (const delivery of held) this.#leases.release(delivery)
    this.#tellHeld()
    // A queue that does not answer has them back when it misses us.
    await within(
      giveBackWithinMs,
      Promise.allSettled(held.map((delivery) => delivery.settle({ kind: 'release' }))),
    )
  }
}

function asQueueError(thrown: unknown): LadingError {
  const error = toLadingError(thrown)
  return error.code.startsWith('QUEUE_')
    ? error
    : new LadingError('QUEUE_UNAVAILABLE', `a message cannot be settled: ${error.message}`, { cause: thrown })
}
