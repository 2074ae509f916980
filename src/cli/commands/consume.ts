import { exampleSinkUrl } from '../../sink/registry.ts'
import { Command, Option } from 'commander'
import type { RunOptions, Tally } from '../../consumer/consumer.ts'
import { exits, LadingError } from '../../core/errors.ts'
import { type Listener, tellAll } from '../../core/events.ts'
import type { Model } from '../../model/model.ts'
import type { Queue } from '../../queue/queue.ts'
import { noteArrivals } from '../run/arrivals.ts'
import { consumers } from '../run/default-consumers.ts'
import { type ConsumeFlags, consumeOptions, consumeSettings } from '../settings/consume.ts'
import { withExamples } from '../settings/examples.ts'
import { isForOneProcess, requireTwoFiles } from '../settings/files.ts'
import { observed } from '../run/http.ts'
import { httpOptions } from '../settings/http.ts'
import { derivationFrom, derivePatiently } from '../run/derived.ts'
import { remember, remembering } from '../settings/last.ts'
import { loadModel, usualModel } from '../settings/model.ts'
import { type ObjectsFlags, objectsOptions, requireObjects } from '../settings/objects.ts'
import {
  jsonOption,
  addOnce,
  consumeModelOption,
  pipelineOption,
  positive,
  queueOption,
  stateOption,
  whole,
} from '../settings/options.ts'
import { counted, paceOf, print, printJson, table } from '../terminal/output.ts'
import { notifiedConsumer } from '../run/objects.ts'
import { openWorkingQueue, startLeftMs } from '../run/queue.ts'
import { reporting } from '../terminal/progress.ts'
import { isTied, type Orders, parentOrders, stopSignal, tellParent } from '../run/signals.ts'

interface RunFlags extends ConsumeFlags, ObjectsFlags {
  readonly model?: string
  readonly concurrency: number
  readonly idleTimeout?: number
  readonly untilEmpty?: boolean
  readonly batches?: number
  readonly state: string
}

export function consumeCommand(command: Command): Command {
  command
    .addOption(new Option('--until-empty', 'end when the queue is empty').conflicts('batches'))
    .addOption(new Option('--batches <n>', 'end after this many batches').argParser(whole(1)))
    .addOption(
      new Option('--idle-timeout <seconds>', 'end when no message has arrived for this long').argParser(
        positive,
      ),
    )
    .addOption(
      new Option('--concurrency <n>', 'consumers in this process, each with its own database sessions')
        .default(1)
        .argParser(consumers),
    )
  addOnce(command, [
    consumeModelOption(),
    queueOption(),
    pipelineOption(),
    ...consumeOptions(),
    ...objectsOptions(),
    stateOption(),
    ...httpOptions(),
    jsonOption(),
  ])
  withExamples(command, [
    [`consume --to ${exampleSinkUrl}`, 'until stopped'],
    ['consume --until-empty --model ./my-model.ts'],
    ['consume --s3-events s3://BUCKET/incoming/ --table orders --queue QUEUE', 'objects as they arrive'],
  ])
  const action = observed('consume', async (open, flags: RunFlags) => {
    requireTwoFiles(flags.queue, flags.to)
    requireObjects(command, flags)
    if (flags.concurrency > 1 && (flags.batches !== undefined || isForOneProcess(flags.to)))
      throw new LadingError(
        'USAGE',
        '--concurrency cannot be used with --batches, or with a database that one process alone has open',
      )
    const since = performance.now()
    const watch = await open(flags)
    using report = isTied() ? undefined : reporting('consume')
    const told = report === undefined ? [tellParent] : [report.onEvent, remembering(command)]
    const onEvent = tellAll(...told, watch.listener)
    const orders = parentOrders()
    const signal = AbortSignal.any([stopSignal(), orders.stop])
    const model = flags.s3Events === undefined ? await modelOf(flags, signal) : undefined
    const startsAt = performance.now()
    await using queue = await openWorkingQueue(flags, onEvent, signal)
    watch.see(queue)
    const shared = { queue, onEvent, startTimeoutMs: startLeftMs(flags, startsAt) }
    const consume =
      model === undefined
        ? await notifiedConsumer(flags, shared)
        : await recordConsumer(flags, { ...shared, model, orders })
    const tally = await sideBySide(flags, signal, consume)
    if (!isTied()) remember(command)
    const ms = Math.round(performance.now() - since)
    report?.[Symbol.dispose]()
    if (flags.json) printJson({ ...tally, ms })
    else {
      const titles = Object.keys(tally).map(inWords)
      for (const line of table(titles, [Object.values(tally)])) print(line)
      print(`this run loaded ${counted(tally.loaded, 'record')}${paceOf(tally.loaded, ms)}`)
    }
    if ((tally.rejected > 0 || tally.deadMessages > 0) && flags.allowRejects !== true)
      process.exitCode = exits.rejects
  })
  return command.action(action)
}

const inWords = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** A load without a model has told its consumers how to derive it. */
async function modelOf(flags: RunFlags, signal: AbortSignal): Promise<Model> {
  const derivation = isTied() ? derivationFrom(process.env) : undefined
  if (derivation === undefined) return loadModel(flags.model ?? usualModel)
  const { openSink } = await import('../../sink/registry.ts')
  await using sink = await openSink(flags.to)
  return await derivePatiently(sink, derivation, { signal, deadlineMs: flags.startTimeout * 1000 })
}

type Consume = (run: RunOptions) => Promise<Tally>

/** Runs the consumers in parallel. If one fails, stops the others and throws its error. */
async function sideBySide(flags: RunFlags, signal: AbortSignal, consume: Consume): Promise<Tally> {
  const { addTally } = await import('../../consumer/tally.ts')
  const failed = new AbortController()
  const run: RunOptions = {
    signal: AbortSignal.any([signal, failed.signal]),
    untilEmpty: flags.untilEmpty === true,
    ...(flags.batches === undefined ? {} : { batches: flags.batches }),
    ...(flags.idleTimeout === undefined ? {} : { idleTimeoutMs: flags.idleTimeout * 1000 }),
  }
  const consumeOne = () =>
    consume(run).catch((error: unknown) => {
      failed.abort()
      throw error
    })
  const ended = await Promise.allSettled(Array.from({ length: flags.concurrency }, consumeOne))
  const failure = ended.find(({ status }) => status === 'rejected')
  if (failure !== undefined) throw (failure as PromiseRejectedResult).reason
  return ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])).reduce(addTally)
}

interface Shared {
  readonly queue: Queue
  readonly model: Model
  readonly onEvent: Listener
  readonly startTimeoutMs: number
  readonly orders: Orders
}

/** What one of several consumers in this process does. */
async function recordConsumer(
  flags: RunFlags,
  { queue, model, onEvent, orders: { finish, loads }, startTimeoutMs }: Shared,
): Promise<Consume> {
  const [{ createConsumer }, { openSink }] = await Promise.all([
    import('../../consumer/consumer.ts'),
    import('../../sink/registry.ts'),
  ])
  return async (run) => {
    await using sink = await openSink(flags.to)
    const options = { queue, model, sink, ...consumeSettings(flags), startTimeoutMs }
    if (loads !== undefined)
      return await createConsumer({ ...options, besideLoad: true, loads, onEvent }).run({ ...run, finish })
    using arrivals = await noteArrivals(flags.state, sink.place, onEvent)
    const listener = tellAll(onEvent, arrivals.listener)
    return await createConsumer({ ...options, onEvent: listener }).run({ ...run, finish })
  }
}
