/** Files → queue → database, with a producer and workers side by side. */
import { createConsumer } from '../consumer/consumer.ts'
import { LadingError } from '../core/errors.ts'
import { plansOf } from '../producer/loads.ts'
import { produceAll, type ProducedLoad, type Producing } from '../producer/produce.ts'
import type { Sink } from '../sink/sink.ts'
import { type Ask, askingUntil, type Running, type Workers } from './options.ts'
import { Produced } from './produced.ts'
import { roomIn } from './room.ts'
import { settled } from './settled.ts'

export interface Moved {
  readonly produced: Produced
  /** Whether the queue was empty in the end. */
  readonly isEmpty: boolean
}

/** Files → queue → database, with workers of its own. */
export async function move(
  options: Running,
  given: Pick<Producing, 'sources' | 'plans'>,
  { ask, indexesDeferred }: { readonly ask: Ask; readonly indexesDeferred: boolean },
): Promise<Moved> {
  const { signal, course, onEvent } = options
  const stop = new AbortController()
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const patiently = askingUntil(stopped, onEvent)
  const workers =
    options.start?.({ signal: stopped, indexesDeferred, loads: course.loads, onEvent }) ??
    inProcess(options, indexesDeferred, stopped)
  // Consumers that end before they are told to have failed, or were stopped; either way the producer must not
  // go on alone.
  const early = workers.ended.finally(() => stop.abort())
  early.catch(() => undefined)
  const work = async () => {
    const room =
      options.room ?? roomIn(options.queue, stopped, { patiently, outstanding: () => course.outstanding })
    const known: Ask = (...asked) => patiently(() => ask(...asked))
    const producing = { ...options, room, signal: stopped, known }
    const produced = new Produced(course.loads.ids, options.keepsLoads !== false)
    const onProduced = (load: ProducedLoad) => produced.add(load)
    await produceAll(producing, { ...given, meet: produced.meet, onProduced }).catch(
      async (error: unknown) => {
        if (stopped.aborted || !isOfFile(error)) throw error
        // What was published of the other files is loaded first.
        await settled(course.published(), options, stopped, patiently)
        const told = course.toldOf(options.names(), (loads) => plansOf(options, loads))
        if (told !== undefined) onEvent({ type: 'warning', message: told })
        throw error
      },
    )
    return { produced, isEmpty: await settled(produced.published(), options, stopped, patiently) }
  }
  try {
    const moved = await Promise.race([work(), early.then(() => new Promise<never>(() => undefined))])
    // What an earlier run published of the same loads may stand behind messages of others.
    if (moved.isEmpty) workers.stop()
    else workers.finish()
    await workers.ended
    return moved
  } finally {
    workers.stop()
    await workers.ended.catch(() => undefined)
  }
}

const fileCodes = /^(SOURCE|HEADER)_|^(UNCLOSED_QUOTE|RECORD_TOO_LARGE|MESSAGE_TOO_LARGE|PLAN_CHANGED)$/

/** Whether one file is at fault, and neither the queue nor the database. */
export const isOfFile = (error: unknown): boolean =>
  error instanceof LadingError && fileCodes.test(error.code)

/** A consumer for each sink. When one of them fails, the others stop. */
function inProcess({ course, ...options }: Running, isDeferred: boolean, signal: AbortSignal): Workers {
  const [stop, finish] = [new AbortController(), new AbortController()]
  const run = { signal: AbortSignal.any([signal, stop.signal]), finish: finish.signal }
  const consume = async (sink: Sink) => {
    const consumer = createConsumer({ ...options, sink, loads: course.loads, besideLoad: true })
    await consumer.run(run).catch((error: unknown) => {
      stop.abort()
      throw error
    })
  }
  const sinks = [options.sink, ...(isDeferred ? [] : (options.moreSinks?.() ?? []))]
  return { ended: all(sinks.map(consume)), stop: () => stop.abort(), finish: () => finish.abort() }
}

/** When every one has ended; rejects as the first of them that has. */
async function all(runs: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(runs)
  await Promise.all(runs)
}
