import { exampleSinkUrl } from '../../sink/registry.ts'
import { Command, Option } from 'commander'
import type { RunOptions, Tally } from '../../consumer/consumer.ts'
import type { DedupKey } from '../../consumer/decode/identity.ts'
import { exits, LadingError } from '../../core/errors.ts'
import { type Listener, tellAll } from '../../core/events.ts'
import type { Model } from '../../model/model.ts'
import type { Queue } from '../../queue/queue.ts'
import { noteArrivals } from '../run/arrivals.ts'
import { consumers } from '../run/default-consumers.ts'
import { withExamples } from '../settings/examples.ts'
import { isForOneProcess, requireTwoFiles } from '../settings/files.ts'
import { observed } from '../run/http.ts'
import { type HttpFlags, httpOptions } from '../settings/http.ts'
import { derivationFrom, derivePatiently } from '../run/derived.ts'
import { remember, remembering } from '../settings/last.ts'
import { loadModel } from '../settings/model.ts'
import {
  allowRejectsOption,
  dedupKeyOption,
  ignoreExtraOption,
  type InsideFlags,
  insideOptions,
  insideSettings,
  jsonOption,
  modelOption,
  pipelineOption,
  positive,
  queueOption,
  rootOption,
  stateOption,
  toOption,
  whole,
} from '../settings/options.ts'
import { counted, paceOf, print, printJson, table } from '../terminal/output.ts'
import { createOption, openWorkingQueue, startLeftMs, startTimeoutOption } from '../run/queue.ts'
import { reporting } from '../terminal/progress.ts'
import { isTied, type Orders, parentOrders, stopSignal, tellParent } from '../run/signals.ts'

/** Flags of all commands that consume. */
export interface ConsumeFlags extends HttpFlags, InsideFlags {
  readonly queue: string
  readonly to: string
  readonly pipeline?: string
  readonly ignoreExtra?: boolean
  readonly dedupKey: DedupKey
  readonly root: string
  readonly create: boolean
  readonly batchMessages: number
  readonly maxAttempts: number
  readonly setAside: readonly string[]
  readonly messageAttempts: number
  readonly batchAttempts?: number
  readonly retryPause: number
  readonly startTimeout: number
  readonly allowRejects?: boolean
  readonly json?: boolean
}

interface RunFlags extends ConsumeFlags {
  readonly model: string
  readonly concurrency: number
  readonly idleTimeout?: number
  readonly untilEmpty?: boolean
  readonly batches?: number
  readonly state: string
}

export const consumeOptions = () => [
  toOption(),
  ignoreExtraOption(),
  dedupKeyOption(),
  ...insideOptions(),
  rootOption(),
  new Option('--max-attempts <n>', 'deliveries without a result before a message becomes a dead letter')
    .default(20)
    .argParser(whole(1)),
  new Option(
    '--set-aside <key>',
    'turn the message with this key, at which a consumer stops, into a dead letter; repeatable',
  )
    .default([], 'none')
    .argParser((key: string, earlier: readonly string[]) => [...earlier, key]),
  new Option(
    '--message-attempts <n>',
    'attempts for a message that fails on its own before it becomes a dead letter',
  )
    .default(3)
    .argParser(whole(1)),
  new Option(
    '--batch-attempts <n>',
    'attempts for a batch that the database asks to retry before the consumer stops (default: no limit)',
  ).argParser(whole(1)),
  new Option(
    '--retry-pause <seconds>',
    'longest pause after the first attempt for a message; doubles with each attempt',
  )
    .default(1)
    .argParser(positive),
  new Option('--batch-messages <n>', 'most messages in one transaction').default(2000).argParser(whole(1)),
  createOption(),
  startTimeoutOption(),
  allowRejectsOption(),
]

/** Converts flags into options of the library's consumer. */
export const consumeSettings = (flags: ConsumeFlags) => ({
  ...(flags.pipeline === undefined ? {} : { pipeline: flags.pipeline }),
  ignoreExtra: flags.ignoreExtra === true,
  dedupKey: flags.dedupKey,
  ...insideSettings(flags),
  root: flags.root,
  batch: { messages: flags.batchMessages },
  maxAttempts: flags.maxAttempts,
  setAside: flags.setAside,
  messageRetry: { attempts: flags.messageAttempts, firstMs: flags.retryPause * 1000 },
  ...(flags.batchAttempts === undefined ? {} : { batchRetry: { attempts: flags.batchAttempts } }),
})

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
  for (const option of [
    modelOption(),
    queueOption(),
    pipelineOption(),
    ...consumeOptions(),
    stateOption(),
    ...httpOptions(),
    jsonOption(),
  ])
    command.addOption(option)
  withExamples(command, [
    [`consume --to ${exampleSinkUrl}`, 'until stopped'],
    ['consume --until-empty --model ./my-model.ts'],
  ])
  const action = observed('consume', async (open, flags: RunFlags) => {
    requireTwoFiles(flags.queue, flags.to)
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
    const model = await modelOf(flags, signal)
    const startsAt = performance.now()
    await using queue = await openWorkingQueue(flags, onEvent, signal)
    watch.see(queue)
    const tally = await consumeAll(flags, {
      queue,
      model,
      onEvent,
      signal,
      orders,
      startTimeoutMs: startLeftMs(flags, startsAt),
    })
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
  if (derivation === undefined) return loadModel(flags.model)
  const { openSink } = await import('../../sink/registry.ts')
  await using sink = await openSink(flags.to)
  return await derivePatiently(sink, derivation, { signal, deadlineMs: flags.startTimeout * 1000 })
}

interface Shared {
  readonly queue: Queue
  readonly model: Model
  readonly onEvent: Listener
  readonly signal: AbortSignal
  readonly startTimeoutMs: number
  readonly orders: Orders
}

/** Runs the consumers in parallel. If one fails, stops the others and throws its error. */
async function consumeAll(
  flags: RunFlags,
  { queue, model, onEvent, signal, orders: { finish, loads }, startTimeoutMs }: Shared,
): Promise<Tally> {
  const [{ createConsumer, addTally }, { openSink }] = await Promise.all([
    import('../../consumer/consumer.ts'),
    import('../../sink/registry.ts'),
  ])
  const failed = new AbortController()
  const run: RunOptions = {
    signal: AbortSignal.any([signal, failed.signal]),
    finish,
    untilEmpty: flags.untilEmpty === true,
    ...(flags.batches === undefined ? {} : { batches: flags.batches }),
    ...(flags.idleTimeout === undefined ? {} : { idleTimeoutMs: flags.idleTimeout * 1000 }),
  }
  const consumeOne = async (): Promise<Tally> => {
    try {
      await using sink = await openSink(flags.to)
      if (loads !== undefined) {
        const besideLoad = { besideLoad: true, loads }
        return await createConsumer({
          queue,
          model,
          sink,
          ...consumeSettings(flags),
          startTimeoutMs,
          ...besideLoad,
          onEvent,
        }).run(run)
      }
      using arrivals = await noteArrivals(flags.state, sink.place, onEvent)
      const listener = tellAll(onEvent, arrivals.listener)
      return await createConsumer({
        queue,
        model,
        sink,
        ...consumeSettings(flags),
        startTimeoutMs,
        onEvent: listener,
      }).run(run)
    } catch (error) {
      failed.abort()
      throw error
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: flags.concurrency }, consumeOne))
  const failure = ended.find(({ status }) => status === 'rejected')
  if (failure !== undefined) throw (failure as PromiseRejectedResult).reason
  return ended.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])).reduce(addTally)
}
