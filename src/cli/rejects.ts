import { Command, Option } from 'commander'
import { codes, LadingError } from '../core/errors.ts'
import type { Ledger, StoredReject } from '../sink/sink.ts'
import { withExamples } from './examples.ts'
import { requireDatabase } from './files.ts'
import { jsonOption, loadId, toOption, whole } from './options.ts'
import { bytesAsText, count, print, printJson, table, visible } from './output.ts'

interface Flags {
  readonly to: string
  readonly load?: string
  readonly limit: number
  readonly after?: number
  readonly json?: boolean
}

export function rejectsCommand(): Command {
  const list = new Command('list')
    .description('records that were not loaded, with file, line and reason')
    .addOption(toOption())
    .addOption(new Option('--load <load>', 'of one load only').argParser(loadId))
    .addOption(new Option('--limit <n>', 'at most so many').default(100).argParser(whole(1)))
    .addOption(new Option('--after <id>', 'beginning after this reject').argParser(whole(0)))
    .addOption(jsonOption())
    .action((flags: Flags) =>
      withLedger(flags.to, async (ledger) => {
        const rejects = await ledger.rejects({ loadId: flags.load, after: flags.after, limit: flags.limit })
        if (flags.json) return printJson(rejects.map(rejectJson))
        if (rejects.length === 0) return print('no rejects')
        for (const line of table(['id', 'place', 'byte', 'column', 'code', 'detail'], rejects.map(rowOf))) print(line)
        if (rejects.length === flags.limit) print(`… the first ${count(flags.limit)}; go on with --after ${rejects.at(-1)?.id}`)
      }),
    )
  const show = new Command('show')
    .description('one reject with its record as it came')
    .argument('<id>', 'as rejects list shows it', whole(1))
    .addOption(toOption())
    .addOption(jsonOption())
    .action((id: number, flags: Flags) =>
      withLedger(flags.to, async (ledger) => {
        const [reject] = await ledger.rejects({ id, limit: 1 })
        if (reject === undefined) throw new LadingError('NOT_FOUND', `there is no reject ${id}`)
        if (flags.json) return printJson(rejectJson(reject))
        const column = reject.column === undefined ? '' : ` in ${visible(reject.column)}`
        print(`${placeOf(reject)}: ${reject.code}${column}: ${codes[reject.code].meaning} (${codes[reject.code].advice})`)
        print(`  record ${count(reject.record)}, at byte ${count(reject.byte)} of the source, load ${reject.loadId ?? 'unknown'}`)
        print(`  ${visible(reject.detail)}`)
        print(`  ${visible(bytesAsText(Buffer.from(reject.raw)))}`)
      }),
    )
  withExamples(list, [
    ['rejects list --to postgresql://me@localhost/mydb'],
    ['rejects list --limit 1000 --json', 'for a program: with the record as it came'],
  ])
  withExamples(show, [['rejects show 7', 'number 7 of rejects list']])
  const rejects = new Command('rejects').description('records that were not loaded').addCommand(list).addCommand(show)
  return withExamples(rejects, [['rejects list'], ['rejects show 7', 'number 7 of the list']])
}

export async function withLedger(to: string, work: (ledger: Ledger) => Promise<void>): Promise<void> {
  requireDatabase(to)
  const { openSink } = await import('../sink/registry.ts')
  await using sink = await openSink(to)
  await sink.prepare()
  await work(sink.ledger)
}

const placeOf = ({ source, line }: StoredReject): string => `${visible(source)}:${line}`

const rowOf = (reject: StoredReject) => [String(reject.id), placeOf(reject), reject.byte, reject.column ?? '', reject.code, reject.detail]

const rejectJson = (reject: StoredReject) => ({ ...reject, raw: bytesAsText(Buffer.from(reject.raw)) })
