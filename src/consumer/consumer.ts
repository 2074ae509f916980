/**
 * Queue → batches → sink → settle.
 *
 * Up to four batches are in hand, each one step behind the one before it:
 *
 *     arriving → decoding → writing → settling → done
 *
 * At most one batch is in each step. The next batch is decoded while one is written, and written while the
 * one before is settled. What holds at any moment:
 *
 * 1. A delivery is settled only after the transaction that holds its verdict has committed, or by that transaction
 *    itself, where the queue lies in the same database. One that is never settled comes again, and the ledger
 *    recognizes it.
 * 2. Batches are written one at a time, in the order in which they were gathered: `#take` awaits the promise
 *    `writing` before it starts the next one. Rows have two buffers, so the batch that is decoded meanwhile
 *    never touches the rows of the one that is written.
 * 3. Batches are settled one at a time, in the same order: `#settling` is the settlement of the batch written
 *    last, and each begins when the one before it has ended, whether or not that one failed. `#write` ends
 *    when the batch before is settled, so settlements cannot pile up.
 * 4. An error of either promise is thrown where it is awaited next. The empty handlers in between only keep
 *    Node from reporting it as unhandled. `#take` never ends before both promises have.
 *
 * How it ends, by what happens first:
 *
 * - `stop` aborts: nothing more is taken. A batch that is not being written yet is dropped; one that is, is
 *   written and settled. `abandon` aborts some time after, and gives up that transaction and settlement too.
 * - the limits of the run (`batches`, `untilEmpty`, `idleTimeoutMs`, `finish`): as above, without `abandon`.
 * - the queue fails, or the database cannot be reached for `giveBackAfterMs`: everything in hand is given
 *   back, and the consumer begins again after a pause.
 * - any other error stops the consumer.
 *
 * Whatever is still in hand at the end is given back.
 */
import { type LadingError, toLadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import { Attempts, patientRetry, type RetryPolicy, retrying } from '../core/retry.ts'
import { type Stopping, stopping, unlessAborted } from '../core/wait.ts'
import { modelOfChanges } from '../model/change.ts'
import { hasZones, warningsOf } from '../model/model.ts'
import { zoneRelease } from '../model/zones.ts'
import { targetOf } from '../queue/envelope.ts'
import { preparedWarnings, requireChanges } from '../sink/table.ts'
import { openReferences } from '../source/registry.ts'
import type { References } from '../source/source.ts'
import { type ReferenceOptions, withBodies } from './bodies.ts'
import type { WrittenBatch } from './conclude.ts'
import { ForeignMessages, lastPauseMs } from './foreign.ts'
import { batches, Leases } from './intake.ts'
import { type DecodedBatch, Lanes } from './lanes.ts'
import {
  type Consumer,
  type ConsumerOptions,
  defaults,
  givesBack,
  type RunOptions,
  writerSettings,
} from './options.ts'
import { giveBack, settleDone } from './settle.ts'
import { addTally, batchEvent, emptyTally, type Tally } from './tally.ts'
import { Upkeep } from './upkeep.ts'
import { BatchWriter } from './write.ts'

export type { Consumer, ConsumerOptions, RunOptions } from './options.ts'
export type { Tally } from './tally.ts'

/** Between two attempts to reach a queue: one that is there again is missed for a few seconds at most. */
const queuePauses: RetryPolicy = { ...patientRetry, firstMs: 400, mostMs: 10_000 }
/**
 * The same for a database that answers questions and breaks off every batch: a broker counts each delivery of
 * a message that is given back.
 */
const sinkPauses: RetryPolicy = { ...patientRetry, firstMs: 400, mostMs: 600_000 }
/**
 * For this long nothing of this consumer must have come before what waits is taken for messages of others:
 * their consumers may have met some of ours and left them for a moment.
 */
const quietMs = lastPauseMs + 500

/**
 * A consumer of a queue. Nothing happens before `run`. Messages of other pipelines are left in the queue.
 *
 * @throws LadingError Of `run`, what `halt`s: a database or a queue that refuses access, a table that does not fit, the
 *   model's own `HOOK_FAILED`. What passes (a server that restarts, a lock) it waits for; bad records are rejects, and
 *   messages that cannot be processed are dead letters.
 * @example
 * const consumer = createConsumer({ queue, model: orders, sink })
 * const tally = await consumer.run({ signal }) // until the signal; { untilEmpty: true } for a job
 * console.log(tally.loaded, tally.rejected, tally.deadMessages)
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const model = modelOfChanges(options.model, options.unwrap)
  return { run: (runOptions = {}) => new Run({ ...options, model }, runOptions).run() }
}

/** Runs that this process has started. */
let runs = 0

/** One run from its start to its end. */
class Run {
  readonly #name = `${process.pid}/${++runs}`
  readonly #options: ConsumerOptions
  readonly #run: RunOptions
  readonly #onEvent: Listener
  readonly #stopping: Stopping
  readonly #leases: Leases
  readonly #lanes: Lanes
  readonly #writer: BatchWriter
  readonly #intake: Omit<ReferenceOptions, 'files'>
  readonly #foreign: ForeignMessages
  readonly #upkeep: Upkeep
  readonly #queueAttempts: Attempts
  readonly #sinkAttempts: Attempts
  #tally: Tally = emptyTally
  #batches = 0
  #settling: Promise<void> = Promise.resolve()

  constructor(options: ConsumerOptions, run: RunOptions) {
    this.#options = options
    this.#run = run
    this.#onEvent = options.onEvent ?? ignoreEvents
    this.#stopping = stopping(run.signal, options.graceMs ?? defaults.graceMs)
    this.#leases = new Leases(options.queue.traits.leaseMs)
    const [{ model, sink }, onEvent, { stop, abandon }] = [options, this.#onEvent, this.#stopping]
    const writing = { ...writerSettings(options), onEvent, stop, abandon }
    const { pipeline } = writing
    this.#lanes = new Lanes(writing)
    this.#writer = new BatchWriter(writing, this.#lanes)
    this.#intake = { ...writing, leases: this.#leases }
    const own = { pipeline, target: targetOf(sink.place), loads: options.loads }
    this.#foreign = new ForeignMessages({ own, leases: this.#leases, onEvent, abandon })
    this.#upkeep = new Upkeep({
      sink,
      model,
      stopping: this.#stopping,
      onEvent,
      unreachableMs: writing.unreachableMs,
    })
    this.#queueAttempts = new Attempts({ policy: queuePauses, signal: stop, onEvent })
    this.#sinkAttempts = new Attempts({ policy: sinkPauses, signal: stop, onEvent })
  }

  async run(): Promise<Tally> {
    const { model, root = '.', besideLoad } = this.#options
    try {
      for (const message of warningsOf(model)) this.#onEvent({ type: 'warning', message })
      if (hasZones(model)) this.#onEvent({ type: 'zones', release: zoneRelease })
      const files = await openReferences(root, besideLoad)
      await this.#prepare()
      await this.#consume(files)
      await this.#upkeep.idle()
      return this.#tally
    } finally {
      this.#stopping[Symbol.dispose]()
      await this.#giveBack()
      this.#leases[Symbol.dispose]()
    }
  }

  async #prepare(): Promise<void> {
    const { queue, sink, model, startTimeoutMs = defaults.startTimeoutMs, besideLoad } = this.#options
    requireChanges(sink, model)
    const { leaseMs } = queue.traits
    const deferIndexes = besideLoad === true ? 'resume' : undefined
    const options = { signal: this.#stopping.abandon, deferIndexes, leaseMs } as const
    const prepared = await this.#unlessStopped(
      (connectMs) => sink.prepare(model, { ...options, connectMs }),
      startTimeoutMs,
    )
    if (prepared === undefined) return
    // A load reports it once for all its consumers.
    if (besideLoad !== true) for (const warning of preparedWarnings(model, prepared)) this.#onEvent(warning)
    this.#lanes.refuseNull(prepared.notNull ?? [])
  }

  /** Tries until it succeeds; undefined if a stop comes first. */
  #unlessStopped<T>(work: (leftMs: number) => Promise<T>, deadlineMs?: number): Promise<T | undefined> {
    const options = { signal: this.#stopping.stop, onEvent: this.#onEvent, deadlineMs }
    return retrying(work, options).catch((error: unknown) => {
      if (!this.#stopping.stop.aborted) throw error
      return undefined
    })
  }

  /** Takes batches until the run ends, and begins again when the queue or the database fails for a while. */
  async #consume(files: References): Promise<void> {
    const { stop } = this.#stopping
    for (let isOver = false; !isOver;) {
      if (stop.aborted) return
      try {
        await this.#take(files)
        isOver = true
      } catch (thrown) {
        const error = toLadingError(thrown)
        // A stop during a wait; what is in hand goes back to the queue.
        if (stop.aborted && error.action !== 'halt') return
        if (error.code === 'SINK_UNAVAILABLE' && givesBack(this.#options)) await this.#awaitSink(error)
        else if (!error.code.startsWith('QUEUE_') || error.action === 'halt') throw error
        else if (this.#batches === this.#run.batches) isOver = true
        else {
          // Otherwise heartbeats would keep messages that nothing works on any more.
          await this.#giveBack()
          await this.#queueAttempts.pauseAfter(error)
        }
      }
    }
    // What came beyond the last batch is not kept from others meanwhile.
    await this.#giveBack()
    await this.#upkeep.fold(Number.POSITIVE_INFINITY)
  }

  /**
   * A database that cannot be reached from here may be reached by others: they get what is in hand, and
   * nothing is taken until it answers.
   */
  async #awaitSink({ code, message }: LadingError): Promise<void> {
    const { sink, model } = this.#options
    await this.#giveBack()
    const told = `${message}; what was in hand is given back, and nothing is taken until the database answers`
    await this.#sinkAttempts.pauseAfter({ code, message: told })
    await this.#unlessStopped(() => sink.prepare(model, { signal: this.#stopping.abandon }))
    if (!this.#stopping.stop.aborted) this.#sinkAttempts.resumed()
  }

  /** Opens the intake, and writes what comes until the run ends or something fails. */
  async #take(files: References): Promise<void> {
    const { queue, prefetch = defaults.prefetch, batch } = this.#options
    const { stop } = this.#stopping
    const held = this.#leases.hold(queue.deliveries({ prefetch, signal: stop }))
    const intake = withBodies(this.#foreign.leave(held), { ...this.#intake, files })
    let writing: Promise<void> = Promise.resolve()
    let arrivedAt = performance.now()
    const failures: unknown[] = []
    try {
      for await (const deliveries of batches(intake, { ...defaults.batch, ...batch })) {
        if (deliveries.length === 0) {
          await writing
          await this.#settled()
          this.#queueAttempts.progressed()
          await this.#upkeep.fold()
          if (await this.#isOver(performance.now() - arrivedAt)) break
          continue
        }
        arrivedAt = performance.now()
        const decoded = await this.#lanes.decode(deliveries)
        await writing
        if (stop.aborted) break
        this.#reportHeld()
        writing = this.#write(decoded)
        writing.catch(() => undefined)
        if (++this.#batches === this.#run.batches) break
      }
    } catch (error) {
      failures.push(error)
    }
    await writing.catch((error: unknown) => failures.push(error))
    await this.#settled().catch((error: unknown) => failures.push(error))
    // What ends the run is not to be taken for what else failed at the same time, and passes.
    if (failures.length > 0) throw failures.find(halts) ?? failures.at(-1)
  }

  /** Whether the run ends now that nothing of it has come for `quiet` milliseconds. */
  async #isOver(quiet: number): Promise<boolean> {
    const { finish, untilEmpty, idleTimeoutMs = Number.POSITIVE_INFINITY } = this.#run
    const isFinishing = finish?.aborted === true
    if ((isFinishing || untilEmpty === true) && (await this.#isEmpty())) return true
    return (isFinishing && quiet > quietMs) || quiet > idleTimeoutMs
  }

  /** Messages of others do not count, nor do those in hand elsewhere if the queue cannot count them. */
  async #isEmpty(): Promise<boolean> {
    const depth = await unlessAborted(this.#options.queue.depth(), this.#stopping.stop)
    return depth !== undefined && depth.ready + (depth.inFlight ?? 0) <= this.#foreign.count()
  }

  /** The settlement under way. Its error is thrown once, here: it is not the next batch's. */
  #settled(): Promise<void> {
    const settling = this.#settling
    this.#settling = Promise.resolve()
    return settling
  }

  async #write(decoded: DecodedBatch): Promise<void> {
    const since = performance.now()
    const written = await this.#writer.write(decoded).catch((error: unknown) => {
      this.#batches--
      throw error
    })
    const writeMs = performance.now() - since
    this.#sinkAttempts.progressed()
    const before = this.#settled()
    this.#settling = before.finally(() => this.#settle(decoded, written, writeMs))
    this.#settling.catch(() => undefined)
    await before
  }

  async #settle({ entries }: DecodedBatch, written: WrittenBatch, writeMs: number): Promise<void> {
    const since = performance.now()
    const deliveries = entries.map(({ delivery }) => delivery)
    // Of what is settled, the body may be gone.
    const bytes = deliveries.reduce((sum, { body }) => sum + body.length, 0)
    const failure = await settleDone(deliveries, this.#leases, this.#stopping.abandon)
    this.#tally = addTally(this.#tally, written.tally)
    const measured = { bytes, writeMs, settleMs: performance.now() - since }
    this.#onEvent(batchEvent(this.#name, deliveries, written, measured))
    this.#reportHeld()
    await this.#upkeep.after(written.loads.ids, this.#tally.loaded)
    if (failure !== undefined) throw failure
    this.#queueAttempts.progressed()
  }

  async #giveBack(): Promise<void> {
    const given = giveBack(this.#leases)
    this.#reportHeld()
    await given
  }

  #reportHeld(): void {
    this.#onEvent({ type: 'held', consumer: this.#name, messages: this.#leases.count })
  }
}

const halts = (error: unknown): boolean => toLadingError(error).action === 'halt'
