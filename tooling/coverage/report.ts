/** What a person, an editor and a badge are told. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { linesOf, type Reached } from './reached.ts'
import { excusesWithoutReason, statementsOf, withoutExcuses } from './statements.ts'

export interface File {
  readonly name: string
  /** Numbers of the lines on which statements begin, without those that are excused. */
  readonly lines: readonly (readonly [line: number, isReached: boolean])[]
  readonly excused: number
  /** Lines whose excuse has no reason. */
  readonly faults: readonly number[]
}

export async function look(reached: Reached, root: string): Promise<File[]> {
  const files: File[] = []
  for (const [name, file] of reached) {
    const text = readFileSync(join(root, name), 'utf8')
    const excused = (await linesIn(withoutExcuses(text))) - (await linesIn(text))
    files.push({ name, lines: linesOf(file), excused, faults: excusesWithoutReason(text) })
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const linesIn = async (text: string): Promise<number> =>
  new Set((await statementsOf(text)).map(({ line }) => line)).size

/** `src/core/x.ts:4-6,9` of what is neither reached nor excused. */
export function unreachedOf(files: readonly File[]): string[] {
  return files.flatMap(({ name, lines, faults }) => {
    const runs: string[] = []
    let first: number | undefined
    for (const [index, [line, isReached]] of lines.entries()) {
      if (isReached) continue
      first ??= line
      const [, isNextReached = true] = lines[index + 1] ?? []
      if (!isNextReached) continue
      runs.push(first === line ? `${line}` : `${first}-${line}`)
      first = undefined
    }
    return [
      ...faults.map((line) => `${name}:${line}: the excuse has no reason, or no end`),
      ...(runs.length === 0 ? [] : [`${name}:${runs.join(',')}`]),
    ]
  })
}

interface Count {
  readonly lines: number
  readonly reached: number
  readonly excused: number
}

function countOf(files: readonly File[]): Count {
  const lines = files.flatMap((file) => file.lines)
  const reached = lines.filter(([, isReached]) => isReached).length
  return { lines: lines.length, reached, excused: files.reduce((sum, { excused }) => sum + excused, 0) }
}

const share = ({ lines, reached }: Count): string =>
  // Rounded down: 100 % are all of them.
  `${lines === 0 ? 100 : Math.floor((1000 * reached) / lines) / 10} %`

/** A line for each folder of `src/`, and one for all. */
export function tableOf(files: readonly File[]): string[] {
  const folders = Map.groupBy(files, ({ name }) => name.split('/').slice(0, 2).join('/'))
  const rows = [...folders, ['all', files] as const].map(([folder, of]) => {
    const count = countOf(of)
    return [folder, `${count.lines}`, `${count.lines - count.reached}`, `${count.excused}`, share(count)]
  })
  return [['folder', 'lines', 'unreached', 'excused', 'reached'], ...rows].map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(14) : cell.padStart(10))).join(''),
  )
}

/** The endpoint format of shields.io. */
export function badgeOf(files: readonly File[]): object {
  const count = countOf(files)
  const color = count.reached === count.lines ? 'brightgreen' : 'orange'
  return { schemaVersion: 1, label: 'lines reached by tests', message: share(count), color }
}

/** What editors show beside the lines. */
export function lcovOf(files: readonly File[]): string {
  const records = files.map(({ name, lines }) =>
    [
      `SF:${name}`,
      ...lines.map(([line, isReached]) => `DA:${line},${isReached ? 1 : 0}`),
      'end_of_record',
    ].join('\n'),
  )
  return `${records.join('\n')}\n`
}
