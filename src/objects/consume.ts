/**
 * Notifications of S3 → loads of the objects that they name. A message is settled when each of its objects is loaded
 * as a whole, was loaded before, or is a dead letter. One that is never settled comes again, and the ledger knows what
 * was loaded: so each object is loaded once, however often and in whatever order its events come.
 */
import { batches, Leases } from '../consumer/intake.ts'
import { defaults, type RunOptions } from '../consumer/options.ts'
import { giveBack, settleDone } from '../consumer/settle.ts'
import { addTally, emptyTally, type Tally } from '../consumer/tally.ts'
import { LadingError, toLadingError } from '../core/errors.ts'
import { ignoreEvents, type LadingEvent, type Listener, tellAll } from '../core/events.ts'
import { Attempts, patientRetry, retrying } from '../core/retry.ts'
import { shortened } from '../core/text.ts'
import { type Stopping, stopping, unlessAborted } from '../core/wait.ts'
import { requireFields, sourceFields } from '../model/fields.ts'
import { tableName } from '../model/model.ts'
import { shownTable } from '../model/table.ts'
import type { Delivery, Queue } from '../queue/queue.ts'
import type { DeadLetter } from '../sink/ledger.ts'
import { requireChanges } from '../sink/table.ts'
import type { SourceFile } from '../source/registry.ts'
import { letterOfObject, type Patience, pauseAfter } from './letter.ts'
import { isUnavailable, loadObjects, type LoadObjectsOptions, type Outcome } from './load.ts'
import { type Message, type ReadOptions, readMessage, type Wanted } from './message.ts'

export interface ObjectsOptions extends LoadObjectsOptions, Pick<ReadOptions, 'fileOf'> {
  /** Holds the notifications; `queue` takes the chunks of the objects, and may be one in memory. */
  readonly notifications: Queue
}

/** Moves what notifications name until told to stop; throws only what `halt`s. */
export const consumeObjects = (options: ObjectsOptions, run: RunOptions = {}): Promise<Tally> =>
  new Run(options, run).run()

/** Objects that are loaded together: their messages are held until all of them are loaded. */
const mostTogether = 100
/** Objects that are remembered as loaded, so that another event of theirs costs no reading. */
const mostRemembered = 20_000
/** A store that answered for no object yet is waited for so often before each object is asked for alone. */
const lateAfter = 3
/** Events that are named, at most: whoever sends messages chooses the names. */
const mostTold = 20

class Run {
  readonly #options: ObjectsOptions
  readonly #run: RunOptions
  readonly #onEvent: Listener
  readonly #stopping: Stopping
  readonly #leases: Leases
  readonly #patience: Patience
  readonly #queueAttempts: Attempts
  /** Objects that were loaded in this run, each in the state that its event names. */
  readonly #loaded = new Set<string>()
  readonly #reading: ReadOptions
  readonly #toldOthers = new Set<string>()
  /** Where a store answers for it and not for another one, that one is at fault. */
  #answered: SourceFile | undefined
  #tally: Tally = emptyTally
  #batches = 0

  constructor(options: ObjectsOptions, run: RunOptions) {
    const pipeline = pipelineOf(options)
    if (options.model !== undefined) requireFields(options, sourceFields(options.model))
    this.#options = options
    this.#run = run
    this.#onEvent = options.onEvent ?? ignoreEvents
    this.#stopping = stopping(run.signal, options.graceMs ?? defaults.graceMs)
    this.#leases = new Leases(options.notifications.traits.leaseMs)
    this.#patience = {
      maxAttempts: options.maxAttempts ?? defaults.maxAttempts,
      messageRetry: { ...defaults.messageRetry, ...options.messageRetry },
      isUnmodelled: options.model === undefined,
    }
    const { fileOf } = options
    const { maxAttempts } = this.#patience
    this.#reading = { fileOf, pipeline, maxAttempts, onOther: this.#tellOther }
    this.#queueAttempts = new Attempts({
      policy: { ...patientRetry, firstMs: 400, mostMs: 10_000 },
      signal: this.#stopping.stop,
      onEvent: this.#onEvent,
    })
  }

  async run(): Promise<Tally> {
    try {
      await this.#prepare()
      await this.#consume()
      return this.#tally
    } finally {
      this.#stopping[Symbol.dispose]()
      await giveBack(this.#leases)
      this.#leases[Symbol.dispose]()
    }
  }

  /** Dead letters need the ledger before any object is loaded. */
  async #prepare(): Promise<void> {
    const { sink, model, startTimeoutMs: deadlineMs = defaults.startTimeoutMs } = this.#options
    const { stop: signal, abandon } = this.#stopping
    if (model !== undefined) requireChanges(sink, model)
    const prepare = (connectMs: number) => sink.prepare(model, { signal: abandon, connectMs })
    await retrying(prepare, { signal, onEvent: this.#onEvent, deadlineMs }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }

  /** Takes messages until the run ends, and begins again when the queue fails for a while. */
  async #consume(): Promise<void> {
    const { stop } = this.#stopping
    while (!stop.aborted) {
      try {
        return await this.#take()
      } catch (thrown) {
        const error = toLadingError(thrown)
        if (stop.aborted && error.action !== 'halt') return
        if (!error.code.startsWith('QUEUE_') || error.action === 'halt') throw error
        if (this.#batches === this.#run.batches) return
        await giveBack(this.#leases)
        await this.#queueAttempts.pauseAfter(error)
      }
    }
  }

  async #take(): Promise<void> {
    const { notifications, batch } = this.#options
    const prefetch = Math.min(batch?.messages ?? mostTogether, mostTogether)
    const { stop, abandon } = this.#stopping
    const held = this.#leases.hold(notifications.deliveries({ prefetch, signal: stop }))
    let arrivedAt = performance.now()
    for await (const deliveries of batches(held, { bytes: defaults.batch.bytes, messages: prefetch })) {
      if (stop.aborted) return
      if (deliveries.length === 0) {
        this.#queueAttempts.progressed()
        if (await this.#isOver(performance.now() - arrivedAt)) return
        continue
      }
      await this.#load(deliveries)
      arrivedAt = performance.now()
      if (abandon.aborted || ++this.#batches === this.#run.batches) return
    }
  }

  async #isOver(quietMs: number): Promise<boolean> {
    const { untilEmpty, idleTimeoutMs = Number.POSITIVE_INFINITY } = this.#run
    if (quietMs > idleTimeoutMs) return true
    if (untilEmpty !== true) return false
    const depth = await unlessAborted(this.#options.notifications.depth(), this.#stopping.stop)
    return depth !== undefined && depth.ready + (depth.inFlight ?? 0) === 0
  }

  async #load(deliveries: readonly Delivery[]): Promise<void> {
    const { stop, abandon } = this.#stopping
    const messages = deliveries.map((delivery) => readMessage(delivery, this.#reading))
    const files = new Map<string, SourceFile>()
    const known = new Set<Wanted>()
    for (const wanted of messages.flatMap((message) => message.wanted))
      if (this.#loaded.has(bytesOf(wanted.file) ?? '')) known.add(wanted)
      else files.set(wanted.file.path, wanted.file)
    const options = { ...this.#options, signal: abandon, onEvent: tellAll(this.#count, this.#onEvent) }
    // A store that cannot be reached is waited for, as a database is.
    let tries = 0
    const load = () =>
      loadObjects([...files.values()], options, { answered: this.#answered, isLate: ++tries > lateAfter })
    const outcomes = await retrying(load, { signal: stop, onEvent: this.#onEvent })
    for (const [path, { fate }] of outcomes) if (!isUnavailable(fate)) this.#answered = files.get(path)
    if (abandon.aborted) return
    const outcomeOf = (wanted: Wanted): Outcome | undefined =>
      known.has(wanted) ? { fate: 'known', seen: wanted.file.seen } : outcomes.get(wanted.file.path)
    const done: Delivery[] = []
    for (const message of messages) if (await this.#conclude(message, outcomeOf)) done.push(message.delivery)
    const failure = await settleDone(done, this.#leases, abandon)
    if (failure !== undefined) throw failure
    this.#queueAttempts.progressed()
  }

  readonly #tellOther = (event: string): void => {
    if (this.#toldOthers.size >= mostTold || this.#toldOthers.has(event)) return
    this.#toldOthers.add(event)
    this.#onEvent({ type: 'ignored', event: shortened(event) })
  }

  readonly #count = (event: LadingEvent): void => {
    if (event.type !== 'batch') return
    const { records, loaded, rejected, skipped, deadMessages } = event
    this.#tally = addTally(this.#tally, { records, loaded, rejected, skipped, deadMessages })
  }

  /** Whether the message is done; one that is not is given back. */
  async #conclude(message: Message, outcomeOf: (wanted: Wanted) => Outcome | undefined): Promise<boolean> {
    const { delivery, wanted } = message
    const { attempt } = delivery
    const letters = [...message.letters]
    let retry: { readonly error: LadingError; readonly afterMs: number } | undefined
    let known = 0
    for (const each of wanted) {
      const { file, object } = each
      const outcome = outcomeOf(each)
      // v8 ignore next -- an object without one has been given up, and then nothing is concluded
      if (outcome === undefined) throw new LadingError('INTERNAL', `${file.path} has no verdict`)
      const { fate, seen } = outcome
      if (!(fate instanceof LadingError)) {
        const bytes = bytesOf(file)
        if (fate === 'known' || this.#loaded.has(bytes ?? '')) known++
        // Otherwise the bytes of this event were not loaded, and may come back.
        if (seen === file.seen) this.#remember(bytes)
        continue
      }
      const afterMs = pauseAfter(fate, attempt, this.#patience)
      if (afterMs !== undefined) retry = { error: fate, afterMs: Math.max(afterMs, retry?.afterMs ?? 0) }
      else
        letters.push(
          letterOfObject(this.#reading.pipeline, delivery, { path: file.path, object }, reasonOf(fate)),
        )
    }
    for (const letter of letters) await this.#bury(letter)
    this.#tally = addTally(this.#tally, {
      messages: 1,
      redelivered: attempt > 1 ? 1 : 0,
      duplicates: wanted.length > 0 && known === wanted.length ? 1 : 0,
      retried: retry === undefined ? 0 : 1,
      deadMessages: letters.length > 0 ? 1 : 0,
    })
    if (retry === undefined) return true
    const { error, afterMs } = retry
    this.#onEvent({ type: 'waiting', ...told(error), attempt, delayMs: afterMs })
    await delivery.settle({ kind: 'retry', afterMs, code: error.code })
    this.#leases.release(delivery)
    return false
  }

  async #bury(letter: DeadLetter): Promise<void> {
    const { stop: signal, abandon } = this.#stopping
    const onEvent = this.#onEvent
    await retrying(() => this.#options.sink.ledger.bury(letter, { signal: abandon }), { signal, onEvent })
    const { key, code, detail } = letter
    onEvent({ type: 'dead', key: shortened(key), code, detail: shortened(detail) })
  }

  #remember(bytes: string | undefined): void {
    if (bytes === undefined) return
    this.#loaded.add(bytes)
    if (this.#loaded.size <= mostRemembered) return
    // v8 ignore next -- so many objects take minutes to load
    for (const oldest of this.#loaded) return void this.#loaded.delete(oldest)
  }
}

/** Of the dead letters, as of the loads; throws `USAGE` where nothing names it. */
function pipelineOf({ pipeline, model, table }: ObjectsOptions): string {
  if (pipeline !== undefined && (model ?? table) !== undefined) return pipeline
  if (model !== undefined) return tableName(model)
  if (table !== undefined) return shownTable(table)
  throw new LadingError('USAGE', '--s3-events needs --table or --model: the objects name no table together')
}

const told = ({ code, message }: LadingError) => ({ code, message })
const reasonOf = ({ code, message }: LadingError) => ({ code, detail: message })

/** Identifies the bytes of an object under its name; undefined where the notification does not say which they are. */
const bytesOf = ({ path, seen }: SourceFile): string | undefined =>
  seen === undefined ? undefined : JSON.stringify([path, seen])
