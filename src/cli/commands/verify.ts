import { exampleSinkUrl } from '../../sink/registry.ts'
import { Command, Option } from 'commander'
import { exits, toLadingError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import { Account } from '../../sink/account.ts'
import type { Sink } from '../../sink/sink.ts'
import { withExamples } from '../settings/examples.ts'
import { hint } from '../settings/hint.ts'
import { requireDatabase } from '../settings/files.ts'
import { printError, say } from '../terminal/log.ts'
import {
  allowRejectsOption,
  type CarryFlags,
  carryOptions,
  jsonOption,
  loadName,
  pipelineOption,
  queueOption,
  stateOption,
  toOption,
} from '../settings/options.ts'
import {
  counted,
  messageLines,
  missingLines,
  noMessages,
  print,
  printFirstRejects,
  printJson,
  printReceipts,
  printVerdict,
  receiptJson,
  receiptsExit,
} from '../terminal/output.ts'
import { loadsNamed, receiptsOf } from '../run/planned.ts'
import { createOption, openWorkingQueue, startTimeoutOption } from '../run/queue.ts'
import { reporting } from '../terminal/progress.ts'
import { stopSignal } from '../run/signals.ts'

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

export function verifyCommand(command: Command): Command {
  command
    .argument(
      '[load]',
      'only this load: the beginning of its id, or its file, of which all loads are meant',
      loadName,
    )
    .addOption(
      new Option(
        '--republish-missing',
        'publish open chunks again, from the files and the plans of this producer',
      ),
    )
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
    [`verify 4fc3ab34 --to ${exampleSinkUrl}`, 'one load, by the beginning of its id'],
    ['verify --republish-missing ; lading consume --until-empty', 'after a queue was lost'],
  ])
  return command.action(async (name: string | undefined, flags: Flags) => {
    // A queue may be lost before anything in it was loaded.
    if (flags.republishMissing !== true) requireDatabase(flags.to)
    const { openSink } = await import('../../sink/registry.ts')
    await using sink = await openSink(flags.to)
    await sink.prepare()
    using report = reporting('verify')
    report.note('comparing plans, ledger, rejects and dead letters')
    const ids = name === undefined ? undefined : await loadsNamed(sink, name, flags)
    const account = new Account()
    const kept: ReturnType<typeof receiptJson>[] = []
    const open: string[] = []
    for await (const receipt of receiptsOf(sink, ids, flags)) {
      account.add(receipt)
      if (flags.json) kept.push(receiptJson(receipt))
      if (receipt.chunksDone < receipt.chunks && receipt.isGathered !== true) open.push(receipt.loadId)
    }
    const messages = ids === undefined ? await sink.ledger.messages(flags) : noMessages
    const missing = (await sink.missingIndexes?.()) ?? []
    report[Symbol.dispose]()
    if (flags.json) {
      printJson(kept)
      // The output shows loads only, but the exit code needs an explanation.
      for (const line of messageLines(messages)) say('warn', 'messages', messages, line)
      for (const line of missingLines(missing)) say('warn', 'indexes', { missingIndexes: missing }, line)
    } else {
      if (account.totals.loads === 0) print('no load yet')
      else printReceipts(account)
      printVerdict(account, { missing, messages })
      messageLines(messages).forEach(print)
      await printFirstRejects(account, sink.ledger)
    }
    process.exitCode =
      missing.length > 0 ? exits.unbalanced : receiptsExit(account, flags.allowRejects === true, { messages })
    if (flags.republishMissing === true) await republish(ids ?? open, sink, flags)
  })
}

/** A load whose file is gone or has changed cannot be published; the others still are. */
async function republish(loads: readonly string[], { ledger, place }: Sink, flags: Flags): Promise<void> {
  const { republishMissing } = await import('../../producer/republish.ts')
  using report = reporting('verify')
  const signal = stopSignal()
  await using queue = await openWorkingQueue(flags, report.onEvent, signal)
  // Publishing again is reported below.
  const onEvent: Listener = (event) => void (event.type === 'published' || report.onEvent(event))
  const { state: statePath, carry, root } = flags
  const producer = { queue, place, statePath, carry, root, signal, onEvent }
  for (const each of loads) {
    const known = await ledger.progress(each)
    if (known?.complete === true || producer.signal.aborted) continue
    try {
      const published = await republishMissing({ ...producer, loadId: each, known })
      if (published > 0)
        say(
          'info',
          'republished',
          { loadId: each, chunks: published },
          `published ${counted(published, 'chunk')} of load ${each} again`,
        )
    } catch (error) {
      process.exitCode = printError(error)
      if (toLadingError(error).code.startsWith('SOURCE_'))
        print(`what cannot be published any more is given up by: ${hint('abandon', each)}`)
    }
  }
}
