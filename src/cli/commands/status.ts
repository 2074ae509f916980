import { exampleSinkUrl } from '../../sink/registry.ts'
import { Command, Option } from 'commander'
import { exits, LadingError } from '../../core/errors.ts'
import type { Depth } from '../../queue/queue.ts'
import { Account } from '../../sink/account.ts'
import type { MessageCounts, Receipt } from '../../sink/ledger.ts'
import { asTaken } from '../../sink/receipt.ts'
import { receiptPages } from '../../sink/receipt-pages.ts'
import type { MissingIndexes } from '../../sink/sink.ts'
import { withExamples } from '../settings/examples.ts'
import { absentFile, requireSharedQueue } from '../settings/files.ts'
import { jsonOption, pipelineOption, positive, queueOption, toOption } from '../settings/options.ts'
import {
  messageLines,
  missingLines,
  noMessages,
  print,
  printJson,
  printReceipts,
  receiptJson,
  table,
} from '../terminal/output.ts'
import { watch } from './watch.ts'

interface Flags {
  readonly queue: string
  readonly to: string
  readonly pipeline?: string
  readonly json?: boolean
  readonly watch?: number
}

export function statusCommand(command: Command): Command {
  const watchOption = new Option(
    '--watch [seconds]',
    'refresh every 2 seconds, or as often as given, until stopped',
  )
    .preset(2)
    .argParser(positive)
  for (const option of [queueOption(), toOption(), pipelineOption(), watchOption, jsonOption()])
    command.addOption(option)
  withExamples(command, [
    ['status'],
    ['status --watch', 'with the progress of running loads'],
    [`status --to ${exampleSinkUrl} --json`],
  ])
  return command.action(async (flags: Flags) => {
    requireSharedQueue(flags.queue)
    const isWhole = flags.json === true || flags.watch !== undefined
    const look = async () => ({ depth: await depthOf(flags.queue), ...(await targetOf(flags, isWhole)) })
    if (flags.watch !== undefined) return watch(look, flags.watch, flags.json === true)
    const { depth, receipts, account, messages, missingIndexes } = await look()
    if (missingIndexes.length > 0) process.exitCode = exits.unbalanced
    if (flags.json)
      return printJson({ queue: depth, loads: receipts.map(receiptJson), messages, missingIndexes })
    for (const line of table(
      ['queue:', 'ready', 'in flight', 'dead'],
      [['', depth.ready, depth.inFlight ?? 'unknown', depth.dead]],
    ))
      print(line)
    print('')
    if (account.totals.loads === 0) print('no load yet')
    else printReceipts(account)
    messageLines(messages).forEach(print)
    missingLines(missingIndexes).forEach(print)
  })
}

async function depthOf(url: string): Promise<Depth> {
  const { openQueue } = await import('../../queue/registry.ts')
  try {
    // Looking creates nothing. If there is no queue yet, nothing waits.
    await using queue = await openQueue(url, { create: false })
    return await queue.depth()
  } catch (error) {
    if (error instanceof LadingError && error.code === 'QUEUE_MISSING')
      return { ready: 0, inFlight: 0, dead: 0 }
    throw error
  }
}

interface Target {
  readonly account: Account
  /** Of every load, where they are all shown. */
  readonly receipts: readonly Receipt[]
  readonly messages: MessageCounts
  readonly missingIndexes: readonly MissingIndexes[]
}

async function targetOf({ to, pipeline }: Flags, isWhole: boolean): Promise<Target> {
  const account = new Account()
  if (absentFile(to) !== undefined) return { account, receipts: [], messages: noMessages, missingIndexes: [] }
  const { openSink } = await import('../../sink/registry.ts')
  await using sink = await openSink(to)
  await sink.prepare()
  const { ledger } = sink
  const missingIndexes = (await sink.missingIndexes?.()) ?? []
  const all: Receipt[] = []
  for await (const page of receiptPages(ledger, { pipeline })) {
    const receipts = page.map(asTaken)
    for (const receipt of receipts) account.add(receipt)
    if (isWhole) all.push(...receipts)
  }
  return { account, receipts: all, messages: await ledger.messages({ pipeline }), missingIndexes }
}
