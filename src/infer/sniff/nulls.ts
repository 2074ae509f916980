/** Texts that stand for no value. */
import type { Reading } from '../../format/reading.ts'
import { quoted as shellWord } from '../../core/shell.ts'
import { isStrongNull } from '../profile/shape.ts'
import type { Findings } from './findings.ts'
import type { Marks, Row } from './rows.ts'

/** As databases write a missing value: some among texts in which a backslash escapes, others where it escapes nothing. */
export const noValue = String.raw`\N`

export const isMissing = ({ cells, quoted }: Row): boolean =>
  cells.some((cell, column) => cell === noValue && !quoted.has(column))

export const statesNull = ({ notation, notations = {} }: Reading): boolean =>
  [notation, ...Object.values(notations)].some((each) => each?.nulls?.includes(noValue))

/** The notation of every field. Only databases write `\N`, always for a missing value. */
export function withNulls(
  rows: readonly Row[],
  tail: readonly Row[],
  marks: Marks,
  stated: Reading,
  found: Findings,
): Reading['notation'] {
  const { notation } = stated
  if (marks.escape !== undefined || notation?.nulls !== undefined || statesNull(stated)) return notation
  const row = rows.find(isMissing)
  if (row === undefined && !tail.some(isMissing)) return notation
  found.decide('no value', noValue, 'databases write it for a missing value', row?.line)
  return { ...notation, nulls: [noValue] }
}

const words = /(^|[,;|\t ])(null|\(null\)|<null>|#N\/[AD])(?=[,;|\t \r\n]|$)/im

/** A column of texts takes such a text as it is. */
export function askForNullTexts(
  text: string,
  rows: readonly Row[],
  { notation, notations }: Reading,
  found: Findings,
): void {
  if (notation?.nulls !== undefined || notations !== undefined || !words.test(text)) return
  const isNullText = (cell: string) => cell !== noValue && isStrongNull(cell)
  const texts = new Map<string, number>()
  for (const { cells, quoted, line } of rows)
    for (const [column, cell] of cells.entries())
      if (isNullText(cell) && !quoted.has(column) && !texts.has(cell)) texts.set(cell, line)
  const [first] = texts
  if (first === undefined) return
  const option = `--null ${shellWord([...texts.keys()].join(','))}`
  const about = `a cell ${first[0]}, which often means no value`
  found.ask(about, first[1], [{ option, meaning: 'no value' }], 'it is a text in columns of texts')
}
