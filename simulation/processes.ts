/** Consumers as processes: they start, are told to stop, end, or are gone in the middle of anything. */
import { getEventListeners } from 'node:events'
import {
  type ConsumerOptions,
  createConsumer,
  type RunOptions,
  type Tally,
} from '../src/consumer/consumer.ts'
import { defaults } from '../src/consumer/options.ts'
import type { LadingEvent } from '../src/core/events.ts'
import { toLadingError } from '../src/core/errors.ts'
import type { Kind } from './choices.ts'
import type { Database } from './database.ts'
import { model } from './messages.ts'
import { QueueClient } from './queue.ts'
import type { QueueServer } from './queue-server.ts'
import { SinkClient } from './sink.ts'
import type { Event, World } from './world.ts'

/** Consumers at work at once. */
const most = 3
/** Of a stop: the batch in hand gets `graceMs`, and the queue three seconds to take back the rest. */
const stopsWithinMs = defaults.graceMs + 3_000
/** What is in hand may wait for the settlement of what came before, and for a batch to be full. */
const givesBackWithinMs = defaults.giveBackAfterMs + 45_000

export interface ConsumerSettings {
  readonly prefetch: number
  readonly batch: { readonly messages: number }
  readonly maxAttempts: number
}

interface Process {
  readonly id: number
  readonly stop: AbortController
  readonly sink: SinkClient
  readonly run: RunOptions
  /** The queue has held nothing of its pipeline since it started. */
  sawEmpty: boolean
  stoppedAt: number | undefined
  end: { readonly tally: Tally } | { readonly error: unknown } | undefined
}

export class Processes {
  readonly #world: World
  readonly #queue: QueueServer
  readonly #database: Database
  readonly #settings: ConsumerSettings
  readonly #running = new Set<Process>()
  readonly #load: string | undefined
  #started = 0

  constructor(
    world: World,
    queue: QueueServer,
    database: Database,
    settings: ConsumerSettings,
    load: string | undefined,
  ) {
    this.#load = load
    this.#world = world
    this.#queue = queue
    this.#database = database
    this.#settings = settings
  }

  get count(): number {
    return this.#running.size
  }

  get canStop(): boolean {
    return [...this.#running].some(({ stop }) => !stop.signal.aborted)
  }

  start(run: RunOptions = {}, more: Partial<ConsumerOptions> = {}): void {
    const { clock } = this.#world
    const id = (clock.owner = ++this.#started)
    const sink = new SinkClient(this.#world, this.#database)
    const stop = new AbortController()
    const process: Process = { id, stop, sink, run, sawEmpty: false, stoppedAt: undefined, end: undefined }
    this.#running.add(process)
    const queue = new QueueClient(this.#world, this.#queue, id)
    const onEvent = (event: LadingEvent) => this.#hear(event)
    const consumer = createConsumer({ ...this.#settings, ...more, queue, sink: sink.asSink, model, onEvent })
    consumer.run({ ...run, signal: process.stop.signal }).then(
      (tally) => (process.end = { tally }),
      (error: unknown) => (process.end = { error }),
    )
  }

  #hear(event: LadingEvent): void {
    if (event.type === 'waiting' || event.type === 'resumed')
      this.#world.count(`${event.type}: ${event.code}`)
    // What is given back before its batch ends makes room for others at once.
    if (event.type === 'held' && event.messages > 2 * this.#settings.prefetch)
      this.#world.violated(
        'at most twice prefetch in hand',
        `${event.messages} of ${this.#settings.prefetch}`,
      )
  }

  /** It takes the chunks of the load alone, until none has come for a moment. */
  #startBeside(load: string): void {
    this.start({ finish: AbortSignal.abort() }, { besideLoad: true, loads: new Set([load]) })
  }

  /** What may happen to them besides. */
  events(): Event[] {
    const events: Event[] = []
    const add = (name: string, kind: Kind, act: () => void) => events.push({ name, kind, act })
    for (const process of this.#running) {
      if (!process.stop.signal.aborted) add('a consumer is told to stop', 'stop', () => this.#stop(process))
      else add('a consumer is told to stop twice', 'stop', () => this.#kill(process))
      add('a consumer is killed', 'crash', () => this.#kill(process))
      add('a consumer loses its connection to the queue', 'away', () => this.#disconnect(process))
    }
    if (this.#running.size < most) {
      add('a consumer starts', 'start', () => this.start())
      add('a consumer starts, until the queue is empty', 'start', () => this.start({ untilEmpty: true }))
      add('a consumer starts, for one batch', 'start', () => this.start({ batches: 1 }))
      add('a consumer starts, for some seconds', 'start', () => this.start({ idleTimeoutMs: 7_000 }))
      const load = this.#load
      if (load !== undefined) add('a consumer of a load starts', 'start', () => this.#startBeside(load))
    }
    return events
  }

  /** Tells all of them to stop, one after the other. */
  stopping(): Event[] {
    return [...this.#running].flatMap((process) =>
      process.stop.signal.aborted
        ? []
        : [{ name: 'a consumer is told to stop at the end', kind: 'done', act: () => this.#stop(process) }],
    )
  }

  #stop(process: Process): void {
    this.#world.clock.owner = process.id
    process.stoppedAt = this.#world.clock.now
    process.stop.abort()
  }

  #kill(process: Process): void {
    this.#running.delete(process)
    this.#gone(process)
  }

  #gone({ id }: Process): void {
    this.#world.leave(id)
    this.#queue.gone(id)
  }

  #disconnect({ id }: Process): void {
    this.#world.clock.owner = id
    this.#queue.disconnect(id)
    this.#world.disconnect(id, 'QUEUE_UNAVAILABLE')
  }

  /** After each event: what has ended, and what should have. */
  check(): void {
    const { clock } = this.#world
    const { awaySince = clock.now } = this.#database
    const isLongAway = clock.now - awaySince > givesBackWithinMs
    for (const process of this.#running) {
      process.sawEmpty ||= this.#queue.mayLookEmpty
      if (isLongAway) this.#requireGivenBack(process)
      if (process.end !== undefined) this.#ended(process, process.end)
      else if (process.stoppedAt !== undefined && clock.now > process.stoppedAt + stopsWithinMs)
        this.#world.violated('a stop ends', `it takes ${clock.now - process.stoppedAt} ms`)
    }
  }

  #requireGivenBack({ id }: Process): void {
    const inHand = this.#queue.inHand(id, this.#world.clock.now - givesBackWithinMs)
    if (inHand > 0 && !this.#world.isCalling(id, 'SINK_UNAVAILABLE'))
      this.#world.violated('what is in hand is given back while the database is away', `${inHand} messages`)
  }

  #ended(process: Process, end: NonNullable<Process['end']>): void {
    const { id, stop, sink } = process
    this.#running.delete(process)
    if ('error' in end) {
      const { code, action, message } = toLadingError(end.error)
      this.#world.count(`a consumer ends: ${code}`)
      const isReason = sink.isPrepared
        ? action === 'halt' || code === 'SINK_FAILED'
        : code.startsWith('SINK_')
      if (!isReason) this.#world.violated('a consumer ends only for a reason', `${code}: ${message}`)
    } else {
      this.#world.count('a consumer ends')
      if (process.run.untilEmpty === true && !stop.signal.aborted && !process.sawEmpty)
        this.#world.violated(
          'a run until the queue is empty ends when it is',
          'messages were there all the time',
        )
      // A batch that is given up behind its commit is not counted: the ledger knows it.
      if (end.tally.loaded > sink.loaded)
        this.#world.violated(
          'a tally is right',
          `${end.tally.loaded} loaded, and the database said ${sink.loaded}`,
        )
    }
    const inHand = this.#queue.inHand(id)
    if (inHand > 0) this.#world.violated('what is in hand is given back at the end', `${inHand} messages`)
    const timers = this.#world.clock.countOf(id)
    if (timers > 0) this.#world.violated('no timer is left', `${timers} timers`)
    const listeners = getEventListeners(stop.signal, 'abort').length
    if (listeners > 0) this.#world.violated('no listener is left', `${listeners} listeners`)
    this.#gone(process)
  }
}
