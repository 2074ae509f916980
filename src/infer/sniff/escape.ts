/** Whether backslashes escape, where no quotes show it. */
import type { Reading } from '../../format/reading.ts'
import type { Findings } from './findings.ts'
import { shown } from './header.ts'
import { isMissing, noValue, statesNull } from './nulls.ts'
import type { Marks, Row } from './rows.ts'

const escapes = { option: String.raw`--escape '\'`, meaning: 'they escape what follows' }

export function askForEscape(
  text: string,
  rows: readonly Row[],
  marks: Marks,
  stated: Reading,
  found: Findings,
): void {
  if (stated.dialect?.escape !== undefined) return
  if (marks.escape !== undefined) askForPaths(text, marks, found)
  else if (text.includes(noValue) && !statesNull(stated)) askForNulls(rows, found)
}

/** A path may end before a delimiter, too: `C:\new\`, `5`. */
function askForPaths(text: string, { delimiter, quote }: Marks, found: Findings): void {
  if (quote !== '' && text.includes(`\\${quote}`)) return
  const letter = [...text.matchAll(/\\([^])/g)].find(
    ([, next = '']) => !['\\', delimiter, '\r', '\n', '0', 'N'].includes(next),
  )
  if (letter === undefined) return
  const line = text.slice(0, letter.index).split('\n').length
  found.ask(
    `backslashes before delimiters or line ends, and others such as ${shown(text.slice(letter.index, letter.index + 8))}`,
    line,
    [escapes, { option: '--escape none', meaning: 'they are data' }],
  )
}

/** A cell `\N` makes other backslashes doubtful. */
function askForNulls(rows: readonly Row[], found: Findings): void {
  if (!rows.some(isMissing)) return
  const isEscaped = (cell: string) => cell !== noValue && cell.includes('\\')
  const row = rows.find(({ cells }) => cells.some(isEscaped))
  if (row === undefined) return
  found.ask(
    String.raw`backslashes such as in ${shown(row.cells.find(isEscaped) ?? '')}, beside cells \N`,
    row.line,
    [escapes, { option: String.raw`--null '\N'`, meaning: 'they are data' }],
  )
}
