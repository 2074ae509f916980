import { exampleSinkUrl } from '../../sink/registry.ts'
import { Command, Option } from 'commander'
import { codes, LadingError } from '../../core/errors.ts'
import type { StoredReject } from '../../sink/ledger.ts'
import { diagnostic, placeOf } from '../terminal/diagnostic.ts'
import { withExamples } from '../settings/examples.ts'
import { hint } from '../settings/hint.ts'
import {
  type ChoiceFlags,
  choiceOf,
  choiceOptions,
  chosenRejects,
  findReject,
  keptModels,
  replayOf,
  withLedger,
} from '../run/ledger.ts'
import { jsonOption, toOption, whole, wholes } from '../settings/options.ts'
import {
  bytesAsText,
  count,
  counted,
  outputWidth,
  print,
  printJson,
  shortId,
  table,
} from '../terminal/output.ts'
import { editCommand } from './rejects-edit.ts'
import { exportCommand } from './rejects-export.ts'
import { replayCommand } from './rejects-replay.ts'
import { cutEnd, cutMiddle } from '../terminal/width.ts'

interface Flags extends ChoiceFlags {
  readonly limit: number
  readonly after?: number
  readonly all?: boolean
  readonly summary?: boolean
  readonly json?: boolean
}

export function rejectsCommand(rejects: Command): Command {
  for (const command of [
    listCommand(),
    showCommand(),
    editCommand(),
    replayCommand(),
    discardCommand(),
    exportCommand(),
  ]) {
    rejects.addCommand(command)
  }
  return withExamples(rejects, [
    ['rejects list --summary', 'numbers by code and column'],
    ['rejects show 7', 'number 7 of the list, with its fault marked'],
    ['rejects edit 7 ; lading rejects replay 7'],
    ['rejects export --out bad.csv', 'to correct many of them in a file, and load it'],
  ])
}

function listCommand(): Command {
  const list = new Command('list').description('list records that were not loaded, with place and reason')
  for (const option of choiceOptions()) list.addOption(option)
  list
    .option('--summary', 'only numbers by code and column')
    .option('--all', 'include replayed and discarded ones')
    .addOption(new Option('--limit <n>', 'most entries to list').default(100).argParser(whole(1)))
    .addOption(new Option('--after <id>', 'start after this reject').argParser(whole(0)))
    .addOption(jsonOption())
  withExamples(list, [
    [`rejects list --to ${exampleSinkUrl}`],
    ['rejects list --code BAD_NUMBER --column value', 'of one code and column'],
    ['rejects list --limit 1000 --json', 'for a program, with the original records'],
  ])
  return list.action((flags: Flags) => (flags.summary === true ? summarise(flags) : printList(flags)))
}

const printList = (flags: Flags) =>
  withLedger(flags.to, async (ledger) => {
    const { limit, after, all } = flags
    const rejects = await ledger.rejects({ ...(await choiceOf(ledger, flags)), all, after, limit })
    if (flags.json) return printJson(rejects.map(rejectJson))
    if (rejects.length === 0) return print('no rejects')
    const state = (value: string) => (all === true ? [value] : [])
    const head = ['id', ...state('state'), 'place', 'column', 'code', 'detail']
    const rows = rejects.map((each) => {
      return [String(each.id), ...state(each.state), placeOf(each), each.column ?? '', each.code, each.detail]
    })
    for (const line of table(head, rows, { place: cutMiddle, column: cutMiddle, detail: cutEnd })) print(line)
    if (rejects.length === limit)
      print(`… the first ${count(limit)}; continue with --after ${rejects.at(-1)?.id}`)
  })

const summarise = (flags: Flags) =>
  withLedger(flags.to, async (ledger) => {
    const groups = await ledger.rejectGroups({ ...(await choiceOf(ledger, flags)), all: flags.all })
    if (flags.json) return printJson(groups)
    if (groups.length === 0) return print('no rejects')
    const rows = groups.map(({ code, column, rejects }) => [rejects, code, column ?? '', codes[code].meaning])
    for (const line of table(['rejects', 'code', 'column', 'meaning'], rows, {
      column: cutMiddle,
      meaning: cutEnd,
    }))
      print(line)
  })

function showCommand(): Command {
  const show = new Command('show')
    .description('show one reject: its place, the row with its fault marked, and what to do')
    .argument('<id>', 'id in rejects list', whole(1))
    .addOption(toOption())
    .addOption(jsonOption())
  withExamples(show, [['rejects show 7', 'number 7 of rejects list']])
  return show.action((id: number, flags: Flags) =>
    withLedger(flags.to, async (ledger) => {
      const reject = await findReject(ledger, id)
      if (flags.json) return printJson(rejectJson(reject))
      const { pipeline, loadId, code, column = '', state } = reject
      const groups = await ledger.rejectGroups({ pipeline, loadId, code, column })
      const same = groups.reduce((sum, { rejects }) => sum + rejects, 0) - (state === 'open' ? 1 : 0)
      const load = loadId === undefined ? [] : ['--load', shortId(loadId)]
      const choice = [...load, '--code', code, ...(column === '' ? [] : ['--column', column])]
      const others = { count: same, command: hint('rejects list', ...choice) }
      // The module of the last run may be gone.
      const models = await keptModels({}).catch(() => ({ usual: new Map() }))
      const replay = await replayOf(reject, models)
      for (const line of diagnostic(reject, outputWidth(), { replay, others })) print(line)
    }),
  )
}

function discardCommand(): Command {
  const discard = new Command('discard')
    .description('hide rejects that will never be loaded; they still count as rejected')
    .argument('[id...]', 'ids in rejects list', wholes(1), [])
  for (const option of choiceOptions()) discard.addOption(option)
  withExamples(discard, [['rejects discard 7 8'], ['rejects discard --code BLANK_LINE', 'all of one kind']])
  return discard.action((ids: number[], flags: Flags) =>
    withLedger(flags.to, async (ledger) => {
      const filter = await choiceOf(ledger, flags)
      if (ids.length === 0 && Object.values(filter).every((each) => each === undefined)) {
        throw new LadingError(
          'USAGE',
          'give ids of rejects, or select rejects with --load, --code, --column or --search',
        )
      }
      let discarded = 0
      for await (const page of chosenRejects(ledger, ids, filter))
        discarded += await ledger.discardRejects(page.map(({ id }) => id))
      print(`discarded ${counted(discarded, 'reject')}`)
    }),
  )
}

const rejectJson = (reject: StoredReject) => ({
  ...reject,
  place: placeOf(reject),
  raw: bytesAsText(Buffer.from(reject.raw)),
  edited: reject.edited && bytesAsText(Buffer.from(reject.edited)),
})
