/** Processes: they start, are told to stop, end, or are gone in the middle of anything. */
import { getEventListeners } from 'node:events'
import { defaults } from '../src/consumer/options.ts'
import type { LadingEvent } from '../src/core/events.ts'
import { type Code, type LadingError, toLadingError } from '../src/core/errors.ts'
import type { Event, Kind } from './choices.ts'
import type { Database } from './database.ts'
import { QueueClient } from './queue.ts'
import type { QueueServer } from './queue-server.ts'
import { SinkClient } from './sink.ts'
import type { World } from './world.ts'

/** At work at once. */
const most = 3
/** Of a consumer: the batch in hand gets `graceMs`, and the queue three seconds to take back the rest. */
export const stopsWithinMs = defaults.graceMs + 3_000
/** What is in hand may wait for the settlement of what came before, and for a batch to be full. */
const givesBackWithinMs = defaults.giveBackAfterMs + 45_000

/** What every process is given that consumes. */
export interface ConsumerSettings {
  readonly prefetch: number
  readonly batch: { readonly messages: number }
  readonly maxAttempts: number
}

/** What a process runs. */
export interface Program<Result = unknown> {
  /** As people call it: `a consumer`. */
  readonly name: string
  readonly stopsWithinMs: number
  /** It may wait for messages for ever. */
  readonly isEndless: boolean
  run(process: Process): Promise<Result>
  /** The rules for what it says at its end. */
  ended(result: Result, process: Process): void
  /** Whether it has a reason to fail. */
  mayFail(error: LadingError, process: Process): boolean
}

export interface Start {
  readonly name: string
  readonly program: Program
}

export interface Process {
  readonly id: number
  readonly program: Program
  readonly stop: AbortController
  readonly queue: QueueClient
  /** Opens a further sink. */
  readonly sink: () => SinkClient
  readonly sinks: readonly SinkClient[]
  readonly onEvent: (event: LadingEvent) => void
  /** The queue has held nothing of its pipeline since it started. */
  sawEmpty: boolean
  /** Up to when it waited for an answer that the database had given before it was away. */
  waitedAt: number
  stoppedAt: number | undefined
  end: { readonly result: unknown } | { readonly error: unknown } | undefined
}

/** Of errors that no trying again helps. */
const halts: readonly Code[] = ['QUEUE_REFUSED', 'SINK_REFUSED', 'SINK_FAILED', 'SCHEMA_MISMATCH']
export const isHalt = ({ code }: LadingError): boolean => halts.includes(code)

export class Processes {
  readonly #world: World
  readonly #queue: QueueServer
  readonly #database: Database
  readonly #prefetch: number
  readonly #running = new Set<Process>()
  #started = 0

  constructor(world: World, queue: QueueServer, database: Database, { prefetch }: ConsumerSettings) {
    this.#world = world
    this.#queue = queue
    this.#database = database
    this.#prefetch = prefetch
  }

  get count(): number {
    return this.#running.size
  }

  isRunning(program: Program): boolean {
    return [...this.#running].some((process) => process.program === program)
  }

  start(program: Program): void {
    const { clock } = this.#world
    const id = (clock.owner = ++this.#started)
    const sinks: SinkClient[] = []
    const sink = () => {
      const opened = new SinkClient(this.#world, this.#database)
      sinks.push(opened)
      return opened
    }
    const process: Process = {
      id,
      program,
      stop: new AbortController(),
      queue: new QueueClient(this.#world, this.#queue, id),
      sink,
      sinks,
      onEvent: (event) => this.#hear(event),
      sawEmpty: false,
      waitedAt: 0,
      stoppedAt: undefined,
      end: undefined,
    }
    for (const { program: other } of this.#running)
      this.#world.count(`${program.name} is begun beside ${other.name}`)
    this.#running.add(process)
    program.run(process).then(
      (result) => (process.end = { result }),
      (error: unknown) => (process.end = { error }),
    )
  }

  #hear(event: LadingEvent): void {
    if (event.type === 'waiting' || event.type === 'resumed')
      this.#world.count(`${event.type}: ${event.code}`)
    // What is given back before its batch ends makes room for others at once.
    if (event.type === 'held' && event.messages > 2 * this.#prefetch)
      this.#world.violated('at most twice prefetch in hand', `${event.messages} of ${this.#prefetch}`)
  }

  /** What may happen to them besides, and which may start. */
  events(starts: readonly Start[]): Event[] {
    const events: Event[] = []
    const add = (name: string, kind: Kind, act: () => void) => events.push({ name, kind, act })
    for (const process of this.#running) {
      const { name } = process.program
      if (!process.stop.signal.aborted) add(`${name} is told to stop`, 'stop', () => this.#stop(process))
      else add(`${name} is told to stop twice`, 'stop', () => this.#kill(process))
      add(`${name} is killed`, 'crash', () => this.#kill(process))
      add(`${name} loses its connection to the queue`, 'away', () => this.#disconnect(process))
    }
    if (this.#running.size < most)
      for (const { name, program } of starts) add(name, 'start', () => this.start(program))
    return events
  }

  /** Tells all that would go on for ever to stop, one after the other. */
  stopping(): Event[] {
    return [...this.#running].flatMap((process) => {
      const { stop, program } = process
      if (stop.signal.aborted || !program.isEndless) return []
      const act = () => this.#stop(process)
      return [{ name: `${program.name} is told to stop at the end`, kind: 'done', act }]
    })
  }

  #stop(process: Process): void {
    this.#world.clock.owner = process.id
    process.stoppedAt = this.#world.clock.now
    process.stop.abort()
  }

  #kill(process: Process): void {
    if (process.queue.isUnheard)
      this.#world.count(`${process.program.name} dies before it hears that the queue holds its messages`)
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
    for (const process of this.#running) {
      process.sawEmpty ||= this.#queue.mayLookEmpty
      if (this.#world.awaitsAnswer(process.id, 'SINK_UNAVAILABLE')) process.waitedAt = clock.now
      else if (clock.now - Math.max(awaySince, process.waitedAt) > givesBackWithinMs)
        this.#requireGivenBack(process)
      const { end, stoppedAt, program } = process
      if (stoppedAt !== undefined && clock.now > stoppedAt + program.stopsWithinMs)
        this.#world.violated('a stop ends', `${program.name} takes ${clock.now - stoppedAt} ms`)
      if (end !== undefined) this.#ended(process, end)
    }
  }

  #requireGivenBack({ id }: Process): void {
    const inHand = this.#queue.inHand(id, this.#world.clock.now - givesBackWithinMs)
    if (inHand > 0 && !this.#world.isCalling(id, 'SINK_UNAVAILABLE'))
      this.#world.violated('what is in hand is given back while the database is away', `${inHand} messages`)
  }

  #ended(process: Process, end: NonNullable<Process['end']>): void {
    const { id, stop, program } = process
    this.#running.delete(process)
    if ('error' in end) {
      const error = toLadingError(end.error)
      this.#world.count(`${program.name} ends: ${error.code}`)
      if (!program.mayFail(error, process))
        this.#world.violated(`${program.name} ends only for a reason`, `${error.code}: ${error.message}`)
    } else {
      this.#world.count(`${program.name} ends`)
      program.ended(end.result, process)
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
