/**
 * Loads as processes, with the producer and the consumers that they run, and producers alone; and the rules for what they
 * publish and say at their end.
 */
import { load } from '../src/load/load.ts'
import type { LoadResult } from '../src/load/options.ts'
import { mayPass } from '../src/core/retry.ts'
import { produce } from '../src/producer/produce.ts'
import { given, type LoadFile, statePaths } from './files.ts'
import { model, type Published } from './messages.ts'
import {
  type ConsumerSettings,
  isHalt,
  type Process,
  type Program,
  type Start,
  stopsWithinMs,
} from './processes.ts'
import { answerMs } from './sink.ts'
import type { Verdicts } from './verdicts.ts'
import type { World } from './world.ts'

/** Beside its consumers, a load that is stopped waits for answers: those under way, and those that its receipts take. */
const loadStopsWithinMs = stopsWithinMs + 4 * answerMs

export interface LoadSettings extends ConsumerSettings {
  readonly files: readonly LoadFile[]
  readonly consumers: number
  /** Something else publishes the files first, for any database. */
  readonly isProduced: boolean
}

export class Loads {
  readonly starts: readonly Start[]
  /** Those that have to say that they are complete, in this order: then all is loaded. */
  readonly wanted: Start[]
  readonly #world: World
  readonly #verdicts: Verdicts
  readonly #settings: LoadSettings

  constructor(world: World, verdicts: Verdicts, settings: LoadSettings) {
    this.#world = world
    this.#verdicts = verdicts
    this.#settings = settings
    const { files, isProduced } = settings
    const [here = '', elsewhere = ''] = statePaths
    const whole = { name: 'a load starts', program: this.#load(files, here) }
    const produced = { name: 'a producer starts', program: this.#producer(files, here) }
    const others = [
      { name: 'a load starts on another machine', program: this.#load(files, elsewhere) },
      { name: 'a load of one file starts', program: this.#load(files.slice(0, 1), here) },
    ]
    this.starts = files.length === 0 ? [] : [whole, produced, ...others]
    this.wanted = files.length === 0 ? [] : isProduced ? [produced, whole] : [whole]
  }

  /** It is complete. */
  #done({ program }: Process): void {
    const place = this.wanted.findIndex((start) => start.program === program)
    if (place >= 0) this.wanted.splice(place, 1)
  }

  #load(files: readonly LoadFile[], statePath: string): Program<LoadResult> {
    const { files: _, isProduced: __, consumers, ...settings } = this.#settings
    return {
      name: 'a load',
      stopsWithinMs: loadStopsWithinMs,
      isEndless: false,
      run: (process) => {
        const { queue, sink, stop, onEvent } = process
        queue.publishing = { called: this.#requireOpen(files) }
        return load({
          ...settings,
          ...given(files),
          statePath,
          model,
          queue,
          sink: sink().asSink,
          moreSinks: () => Array.from({ length: consumers - 1 }, () => sink().asSink),
          deferIndexes: 'never',
          signal: stop.signal,
          onEvent,
        })
      },
      ended: (result, process) => this.#ended(result, files, process),
      mayFail: (error, { stoppedAt, sinks }) => {
        if (isHalt(error)) return true
        if (stoppedAt !== undefined && (error.code === 'ABORTED' || mayPass(error))) return true
        // The load itself prepares the table, and then each of its consumers.
        const prepared = sinks.reduce((sum, sink) => sum + sink.prepared, 0)
        return prepared < 1 + consumers && error.code.startsWith('SINK_')
      },
    }
  }

  /** What has its verdict when a load of the files begins is not published by it. */
  #requireOpen(files: readonly LoadFile[]): (sent: readonly Published[]) => void {
    const chunks = files.flatMap((file) => file.chunks)
    const known = new Set(chunks.flatMap(({ sha256 }) => (this.#verdicts.has(sha256) ? [sha256] : [])))
    if (known.size === chunks.length) this.#world.count('a load begins, and all is loaded')
    else if (known.size > 0) this.#world.count('a load goes on with one that was begun')
    return (sent) => {
      for (const { sha256, key } of sent)
        if (known.has(sha256)) this.#world.violated('a load publishes nothing that has its verdict', key)
    }
  }

  #ended({ account, loadedNow }: LoadResult, files: readonly LoadFile[], process: Process): void {
    const { totals } = account
    const isComplete = account.isComplete && totals.loads === files.length
    if (!isComplete) {
      this.#world.count('a load is stopped before its end')
      if (process.stoppedAt === undefined)
        this.#world.violated(
          'a load ends when all is loaded',
          `${totals.open} records of ${totals.loads} loads are open`,
        )
      return
    }
    this.#world.count('a load is complete')
    this.#done(process)
    const unconfirmed = process.queue.unconfirmed.size
    if (unconfirmed > 0)
      this.#world.violated('a load is complete when the queue has taken it', `${unconfirmed} chunks`)
    this.#compare(account.totals, files)
    if (account.totals.wrong > 0 || loadedNow < 0 || loadedNow > totals.loaded)
      this.#world.violated('a load adds up', JSON.stringify({ ...totals, loadedNow }))
  }

  /** What it says is what is there. */
  #compare(said: LoadResult['account']['totals'], files: readonly LoadFile[]): void {
    const sum = this.#verdicts.sumOf(files.flatMap(({ chunks }) => chunks))
    for (const name of ['records', 'loaded', 'rejected', 'dead'] as const)
      if (said[name] !== sum[name])
        this.#world.violated(
          'a load that says it is complete is complete',
          `it says ${said[name]} ${name}, and there are ${sum[name]}`,
        )
  }

  #producer(files: readonly LoadFile[], statePath: string): Program {
    const chunks = files.flatMap((file) => file.chunks)
    const taken = new Set<string>()
    // What producers of this machine have heard of.
    const held = new Set<string>()
    return {
      name: 'a producer',
      stopsWithinMs: answerMs,
      isEndless: false,
      run: ({ queue, stop, onEvent }) => {
        queue.publishing = {
          called: this.#requireNew(held),
          taken: (sent) => sent.forEach(({ sha256 }) => taken.add(sha256)),
          confirmed: (sent) => sent.forEach(({ sha256 }) => held.add(sha256)),
        }
        return produce({ ...given(files), statePath, model, queue, signal: stop.signal, onEvent })
      },
      ended: (_, process) => {
        this.#done(process)
        for (const { sha256, key } of chunks)
          if (!taken.has(sha256)) this.#world.violated('a producer ends when the queue has taken all', key)
      },
      mayFail: (error, { stoppedAt }) =>
        isHalt(error) || (stoppedAt !== undefined && (error.code === 'ABORTED' || mayPass(error))),
    }
  }

  /** What one of them had seen the queue take when this one begins is not published by it. */
  #requireNew(held: ReadonlySet<string>): (sent: readonly Published[]) => void {
    const known = new Set(held)
    return (sent) => {
      for (const { sha256, key } of sent)
        if (known.has(sha256))
          this.#world.violated('a producer publishes nothing that it has seen the queue take', key)
    }
  }
}
