/** Consumers as processes, and the rules for what they say at their end. */
import {
  type ConsumerOptions,
  createConsumer,
  type RunOptions,
  type Tally,
} from '../src/consumer/consumer.ts'
import { model } from './messages.ts'
import { type ConsumerSettings, isHalt, type Program, type Start, stopsWithinMs } from './processes.ts'
import type { World } from './world.ts'

export class Consumers {
  /** Until it is stopped. */
  readonly endless: Program
  readonly starts: readonly Start[]
  readonly #world: World
  readonly #settings: ConsumerSettings

  /** `load`: the id of the load that lies in the queue. */
  constructor(world: World, settings: ConsumerSettings, load: string | undefined) {
    this.#world = world
    this.#settings = settings
    this.endless = this.#program()
    const beside = { besideLoad: true, loads: new Set(load === undefined ? [] : [load]) }
    // It takes the chunks of the load alone, until none has come for a moment.
    const ofLoad = this.#program({ finish: AbortSignal.abort() }, beside)
    this.starts = [
      { name: 'a consumer starts', program: this.endless },
      { name: 'a consumer starts, until the queue is empty', program: this.#program({ untilEmpty: true }) },
      { name: 'a consumer starts, for one batch', program: this.#program({ batches: 1 }) },
      { name: 'a consumer starts, for some seconds', program: this.#program({ idleTimeoutMs: 7_000 }) },
      ...(load === undefined ? [] : [{ name: 'a consumer of a load starts', program: ofLoad }]),
    ]
  }

  #program(run: RunOptions = {}, more: Partial<ConsumerOptions> = {}): Program<Tally> {
    return {
      name: 'a consumer',
      stopsWithinMs,
      isEndless: true,
      run: ({ queue, sink, stop, onEvent }) => {
        const options = { ...this.#settings, ...more, queue, sink: sink().asSink, model, onEvent }
        return createConsumer(options).run({ ...run, signal: stop.signal })
      },
      ended: ({ loaded }, { stop, sawEmpty, sinks }) => {
        if (run.untilEmpty === true && !stop.signal.aborted && !sawEmpty)
          this.#world.violated(
            'a run until the queue is empty ends when it is',
            'messages were there all the time',
          )
        // A batch that is given up behind its commit is not counted: the ledger knows it.
        const said = sinks.reduce((sum, sink) => sum + sink.loaded, 0)
        if (loaded > said)
          this.#world.violated('a tally is right', `${loaded} loaded, and the database said ${said}`)
      },
      mayFail: (error, { sinks }) =>
        isHalt(error) || (sinks.some(({ prepared }) => prepared === 0) && error.code.startsWith('SINK_')),
    }
  }
}
