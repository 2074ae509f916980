import { Command } from 'commander'
import { placedText, questionText } from '../../infer/decision.ts'
import type { Inspection } from '../../infer/inspect.ts'
import { shownType } from '../../infer/profile/found-type.ts'
import { withExamples } from '../settings/examples.ts'
import { inspectFiles, type InspectFlags, inspectOptions } from '../settings/inspect.ts'
import { readingSettings } from '../settings/reading.ts'
import { printError } from '../terminal/log.ts'
import { count, counted, print, printJson, table, visible } from '../terminal/output.ts'
import { cutEnd } from '../terminal/width.ts'

interface Flags extends InspectFlags {
  readonly json?: boolean
}

const note = `

Every record is read. Nothing is written, and no database is needed.`

export function inspectCommand(command: Command): Command {
  command.argument('<path...>', 'files, folders, patterns')
  for (const option of inspectOptions()) command.addOption(option)
  withExamples(
    command,
    [
      ['inspect orders.csv'],
      ['inspect export.csv --encoding windows-1252 --decimal ,'],
      ['inspect orders.csv --json'],
    ],
    note,
  )
  return command.action(async (paths: string[], flags: Flags) => {
    const { proposedLoad } = await import('../run/proposed.ts')
    const objects: object[] = []
    let isFirst = true
    for await (const each of inspectFiles(paths, flags)) {
      if ('error' in each) {
        const exitCode = printError(each.error)
        process.exitCode ??= exitCode
        objects.push({
          file: each.source.path,
          error: { code: each.error.code, message: each.error.message },
        })
        continue
      }
      const load = await proposedLoad(each, readingSettings(flags), flags)
      if (flags.json) {
        objects.push(asJson(each, load))
        continue
      }
      if (!isFirst) print('')
      isFirst = false
      printInspection(each, load)
    }
    if (flags.json) printJson(objects)
  })
}

function asJson(inspection: Inspection, command: string) {
  const { source, reading, decisions, questions, hints, proposal, outcome, statistics, key } = inspection
  const { notation: _, notations: __, ...written } = reading
  return {
    file: source.path,
    reading: written,
    records: outcome.records,
    rejected: outcome.rejected,
    rejects: outcome.rejects,
    decisions,
    questions: [...questions, ...hints, ...proposal.columns.flatMap(({ question }) => question ?? [])],
    columns: proposal.columns.map(({ field, name, type, notNull, reason }, index) => ({
      name,
      field,
      type: shownType(type),
      notNull,
      ...(type.notation && { notation: type.notation }),
      because: reason.because,
      line: reason.line,
      ...statistics[index],
    })),
    key,
    command,
  }
}

const mostReason = 60
const mostValue = 24

function printInspection(inspection: Inspection, command: string): void {
  const { source, decisions, questions, hints, proposal, outcome, statistics, key } = inspection
  const rejected = outcome.rejected === 0 ? '' : `, ${count(outcome.rejected)} of them would be rejected`
  print(`${visible(source.path)}: ${counted(outcome.records, 'record')}${rejected}`)
  for (const { line, code, detail } of outcome.rejects)
    print(`  line ${count(line)}: ${code}: ${visible(detail)}`)
  for (const { about, chosen, because } of decisions)
    print(`  ${visible(about)}: ${visible(chosen)}, because ${visible(because)}`)
  print('')
  const rows = proposal.columns.map(({ name, type, notNull, reason }, index) => {
    const found = statistics[index]
    return [
      name,
      `${shownType(type)}${notNull ? ' not null' : ''}`,
      found?.missing ?? 0,
      found?.isUnique === true ? 'all' : found?.distinct === undefined ? 'many' : count(found.distinct),
      shortened(found?.minimum),
      shortened(found?.maximum),
      found?.frequent[0] === undefined
        ? ''
        : `${shortened(found.frequent[0].value)} (${count(found.frequent[0].records)})`,
      cutEnd(visible(reason.because), mostReason),
    ]
  })
  const head = ['column', 'type', 'empty', 'distinct', 'minimum', 'maximum', 'most frequent', 'because']
  for (const line of table(head, rows)) print(line)
  print('')
  for (const question of questions) print(`must be answered: ${visible(placedText(question))}`)
  for (const hint of hints) print(`can be answered: ${visible(placedText(hint))}`)
  for (const { question } of proposal.columns)
    if (question !== undefined) print(`can be answered: ${visible(questionText(question))}`)
  if (key !== undefined) print(`key: ${visible(key.column)} may identify a record, because ${key.because}`)
  print(command)
}

const shortened = (value: string | undefined): string => cutEnd(visible(value ?? ''), mostValue)
