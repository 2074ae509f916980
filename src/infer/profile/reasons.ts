/** Why a column has its type: the line that decided it, and what its value is. */
import { count } from '../../core/counted.ts'
import { visible } from '../../core/found.ts'
import type { Decision } from '../decision.ts'
import type { ColumnProfile } from './column.ts'
import type { Witness } from './facts.ts'
import {
  amount,
  bare,
  code,
  dated,
  emptyText,
  excelText,
  exponents,
  inCurrency,
  marker,
  none,
  numeral,
  oddNumber,
  oddUuid,
  otherOffset,
  padded,
  plainNumbers,
  text as anyText,
} from './shapes.ts'
import { shownType } from './found-type.ts'
import { typeOf } from './types.ts'

/**
 * The first value that can be nothing but text; where there is none, the first in a second currency; else the value
 * that changed the type last, or that made it text; undefined where all values are alike.
 */
export function decidingWitness(column: ColumnProfile): Witness | undefined {
  const { witnesses } = column
  const ofText = witnesses.find((witness) => (witness.shapes & anyText) !== 0)
  const ofCurrency = [...column.currencies.values()][1]
  if (ofText !== undefined || ofCurrency !== undefined) return ofText ?? ofCurrency
  let shapes = 0
  let type: string | undefined
  let last: Witness | undefined
  for (const witness of witnesses) {
    shapes |= witness.shapes
    if ((witness.shapes & ~(none | bare)) === 0) continue
    const next = shownType(typeOf(column, shapes))
    if (type === undefined ? next === 'text' : next !== type) last = witness
    type = next
  }
  // Beside a number with an exponent, the number without one is not what is odd.
  if (type !== 'text' || last === undefined || (last.shapes & plainNumbers) === 0) return last
  return witnesses.find((witness) => (witness.shapes & exponents) !== 0) ?? last
}

/** What a value is that has no type of its own. */
const kinds: readonly (readonly [shapes: number, what: (text: string) => string])[] = [
  [emptyText, () => 'an empty text in quotes'],
  [padded, () => 'spaces around it'],
  [marker, () => 'which often means no value'],
  [oddNumber, oddNumberKind],
  [exponents, () => 'an exponent'],
  [inCurrency, () => 'another currency'],
  [amount, () => 'an amount of money'],
  [numeral, () => 'a number in another notation'],
  [code, () => 'a boolean or a code'],
  [otherOffset, () => 'a different offset'],
  [dated, () => 'a date in another form'],
  [excelText, () => 'text as Excel writes it'],
  [oddUuid, () => 'a UUID in upper case'],
]

function oddNumberKind(text: string): string {
  if (text.startsWith('+')) return 'a plus sign'
  if (/^-?0\d/.test(text)) return 'a leading zero'
  if (/^-?\.|\.$/.test(text)) return 'no digit beside the point'
  return 'a negative zero'
}

/** `line 18,204: "A-17"`, with what is odd about it. */
export function shownWitness({ line, text, shapes }: Witness): string {
  const what = kinds.find(([each]) => (shapes & each) !== 0)?.[1](text)
  return `line ${count(line)}: ${visible(JSON.stringify(text))}${what === undefined ? '' : ` (${what})`}`
}

export function reasonOf(column: ColumnProfile, records: number): Decision {
  const type = typeOf(column)
  const witness = decidingWitness(column)
  const values = records - column.missing
  const about = column.field
  const chosen = shownType(type)
  if (values <= 0) return { about, chosen, because: 'no record has a value in it' }
  if (witness !== undefined)
    return { about, chosen, because: `of ${shownWitness(witness)}`, line: witness.line }
  return {
    about,
    chosen,
    because: values === 1 ? 'its only value has this form' : `all ${count(values)} values have this form`,
  }
}
