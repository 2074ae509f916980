import { Command, Option } from 'commander'
import { exits, LadingError } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import type { Ledger, Receipt, ReceiptFilter, Sink } from '../sink/sink.ts'
import { withExamples } from './examples.ts'
import { requireDatabase } from './files.ts'
import { printError, say } from './log.ts'
import {
  allowRejectsOption,
  type CarryFlags,
  carryOptions,
  jsonOption,
  loadId,
  pipelineOption,
  queueOption,
  stateOption,
  toOption,
} from './options.ts'
import { counted, print, printFirstRejects, printJson, printReceipts, printVerdict, receiptJson, receiptsExit } from './output.ts'
import { plannedReceipts } from './planned.ts'
import { createOption, openWorkingQueue, startTimeoutOption } from './queue.ts'
import { reporting } from './progress.ts'
import { stopSignal } from './signals.ts'

interface Flags extends CarryFlags {
  readonly to: string
  readonly queue: string
  readonly pipeline?: string
  readonly state: string
  readonly republishMissing?: boolean
  readonly allowRejects?: boolean
  readonly json?: boolean
  readonly create: boolean
  readonly startTimeout: number
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('print receipts and check them: records = loaded + rejected + skipped + dead + open')
    .argument('[load]', 'one load instead of all', loadId)
    .addOption(new Option('--republish-missing', 'publish again what has no verdict, from the files and the plans of this producer'))
  const options = [
    toOption(),
    queueOption(),
    pipelineOption(),
    stateOption(),
    ...carryOptions(),
    createOption(),
    startTimeoutOption(),
    allowRejectsOption(),
    jsonOption(),
  ]
  for (const option of options) command.addOption(option)
  withExamples(command, [
    ['verify', 'every load'],
    ['verify 4fc3ab34-a4c7-805f-b730-5206ba687f98 --to postgresql://me@localhost/mydb'],
    ['verify --republish-missing ; lading consume --until-empty', 'after a queue was lost'],
  ])
  return command.action(async (id: string | undefined, flags: Flags) => {
    // A queue may be lost before anything of it was loaded.
    if (flags.republishMissing !== true) requireDatabase(flags.to)
    const { openSink } = await import('../sink/registry.ts')
    await using sink = await openSink(flags.to)
    await sink.prepare()
    using report = reporting('verify')
    report.note('comparing plans, ledger, rejects and dead letters')
    const receipts = await receiptsOf(sink.ledger, id, flags)
    const missing = (await sink.missingIndexes?.()) ?? []
    report[Symbol.dispose]()
    if (flags.json) printJson(receipts.map(receiptJson))
    else if (receipts.length === 0 && missing.length === 0) print('no load yet')
    else {
      printReceipts(receipts)
      printVerdict(receipts, missing)
      await printFirstRejects(receipts, sink.ledger)
    }
    process.exitCode = missing.length > 0 ? exits.unbalanced : receiptsExit(receipts, flags.allowRejects === true)
    if (flags.republishMissing === true) await republish(id, receipts, sink, flags)
  })
}

async function receiptsOf(ledger: Ledger, id: string | undefined, flags: Flags): Promise<readonly Receipt[]> {
  const { pipeline, state, to, republishMissing } = flags
  const filter: ReceiptFilter = { loads: id === undefined ? undefined : [id], pipeline }
  const begun = await ledger.receipts(filter)
  const receipts = [...begun, ...(await plannedReceipts({ id, pipeline, state, to }, begun))]
  if (id !== undefined && receipts.length === 0 && republishMissing !== true)
    throw new LadingError('NOT_FOUND', `neither the ledger nor ${state} knows a load ${id}`)
  return receipts
}

/** One load that cannot be published, because its file is gone or has changed, does not keep the others. */
async function republish(id: string | undefined, receipts: readonly Receipt[], { ledger }: Sink, flags: Flags): Promise<void> {
  const { republishMissing } = await import('../producer/republish.ts')
  using report = reporting('verify')
  const signal = stopSignal()
  await using queue = await openWorkingQueue(flags, report.onEvent, signal)
  // That something is published again has words of its own, below.
  const onEvent: Listener = (event) => void (event.type === 'published' || report.onEvent(event))
  const { state: statePath, carry, root } = flags
  const producer = { queue, statePath, carry, root, signal, onEvent }
  const open = receipts.filter(({ chunks, chunksDone }) => chunksDone < chunks).map(({ loadId: each }) => each)
  for (const each of id === undefined ? open : [id]) {
    const known = await ledger.progress(each)
    if (known?.complete === true || producer.signal.aborted) continue
    try {
      const published = await republishMissing({ ...producer, loadId: each, known })
      if (published > 0)
        say('info', 'republished', { loadId: each, chunks: published }, `published ${counted(published, 'chunk')} of load ${each} again`)
    } catch (error) {
      process.exitCode = printError(error)
    }
  }
}
