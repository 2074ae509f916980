/** Findings of `lading doctor` for a person: by subject, with what to paste. */
import { type Cost, type Finding, type Level, type Subject, subjects } from '../../core/finding.ts'
import { counted, outputWidth, print, table, visible, withoutSecrets } from './output.ts'
import { wrapped } from './width.ts'

const titles: Readonly<Record<Subject, string>> = {
  database: 'Database',
  table: 'Table',
  queue: 'Queue',
  files: 'Files',
  machine: 'This machine',
}

const marks: Readonly<Record<Level, string>> = { ok: 'ok  ', note: 'note', warn: 'WARN', fail: 'FAIL' }
const indent = 6
const leastColumns = 60

export function printFindings(found: readonly Finding[]): void {
  for (const subject of subjects) {
    const own = found.filter(({ about }) => about === subject)
    if (own.length === 0) continue
    print(titles[subject])
    own.forEach(printFinding)
    print('')
  }
  print(summary(found))
}

function printFinding({ level, what, detail, cure, costs }: Finding): void {
  const text = withoutSecrets(visible(`${what}: ${detail}`))
  const margin = ' '.repeat(indent)
  const [first = '', ...others] = wrapped(text, Math.max(leastColumns, outputWidth()), margin)
  print(`${marks[level]}  ${first.trimStart()}`)
  others.forEach(print)
  if (costs !== undefined) for (const line of costLines(costs)) print(margin + line)
  for (const line of cure?.split('\n') ?? []) print(`${margin}> ${visible(line)}`)
}

const costLines = (costs: readonly Cost[]): string[] =>
  table(
    ['what', 'ms per 1,000', 'share', 'advice'],
    costs.map(({ what, msPer1000, share, advice = '' }) => [
      what,
      msPer1000.toFixed(2).padStart('ms per 1,000'.length),
      `${Math.round(share * 100)} %`.padStart('share'.length),
      advice,
    ]),
  )

function summary(found: readonly Finding[]): string {
  const of = (level: Level) => found.filter((finding) => finding.level === level).length
  const [fails, warnings] = [of('fail'), of('warn')]
  if (fails > 0) return `${counted(fails, 'thing')} would keep a load from working`
  return warnings > 0 ? `a load would work; ${counted(warnings, 'warning')}` : 'nothing stands against a load'
}
