/** How the numbers of a field are written whose column holds numbers: by what their signs can mean. */
import { counted } from '../../core/counted.ts'
import type { Notation } from '../../core/notation.ts'
import type { Choice } from '../decision.ts'
import { isNumeral, type Numeral, pointNumerals, readingMost, type Rivals, rivalsOf } from './numerals.ts'
import { numberOptions, rivalChoices } from './questions.ts'

/** What stands before decimals in other fields; where that is not known, semicolons between the cells suggest commas. */
export type Elsewhere = 'commas' | 'points' | 'both' | 'semicolons' | 'nothing'

/** How values are written, or the ways in which they can be read. */
export interface ValueForm {
  /** Undefined where the values have the type's own form. */
  readonly notation?: Notation
  readonly readings?: readonly Choice[]
  /** What is done while nothing says which reading is right; undefined where nothing can be done. */
  readonly otherwise?: string
}

/** Values by the notations in which each is a number, of those that have a sign between their digits. */
export type Numerals = ReadonlyMap<number, number>

/** What the signs of some values can mean. */
interface Evidence {
  points: number
  commas: number
  /** Values that are two different numbers, and the notations that read all of them. */
  unclear: number
  bits: number
}

function evidenceOf(numerals: Numerals): Evidence {
  const evidence = { points: 0, commas: 0, unclear: 0, bits: -1 }
  for (const [bits, count] of numerals) {
    if (bits === 0) continue
    if ((bits & ~pointNumerals) === 0) evidence.points += count
    else if ((bits & pointNumerals) === 0) evidence.commas += count
    else if (rivalsOf(bits) !== undefined) {
      evidence.unclear += count
      evidence.bits &= bits
    }
  }
  return evidence
}

/** What the values of some fields say of the others. */
export function elsewhere(fields: readonly Numerals[], hasSemicolons: boolean): Elsewhere {
  const all = fields.map(evidenceOf)
  const hasCommas = all.some(({ points, commas }) => commas > points)
  const hasPoints = all.some(({ points, commas }) => points > commas)
  if (hasCommas) return hasPoints ? 'both' : 'commas'
  if (hasPoints) return 'points'
  return hasSemicolons ? 'semicolons' : 'nothing'
}

/** Whether nothing in the values says which of two numbers they are. */
export function isUnclear(numerals: Numerals): boolean {
  const { points, commas, unclear } = evidenceOf(numerals)
  return unclear > 0 && points + commas === 0
}

/** `isWhole`: the column takes no decimals. */
export function numberForm(
  field: string,
  numerals: Numerals,
  isWhole: boolean,
  others: Elsewhere,
): ValueForm {
  const { points, commas, unclear, bits } = evidenceOf(numerals)
  const isMixed = points > 0 && commas > 0
  // A value that is a number in both ways is none that the majority may decide.
  if (isMixed && (unclear > 0 || points === commas)) return { readings: mixedChoices(field, numerals) }
  if (unclear === 0 || points + commas > 0) return formOf(readingMost(numerals, commas <= points))
  // Points and commas that may both be between thousands share two notations.
  const rivals = rivalsOf(bits) as Rivals
  return rivals[0].thousands === ''
    ? pointForm(field, rivals, isWhole, others)
    : commaForm(field, rivals, isWhole, others)
}

const formOf = ({ decimal, thousands }: Numeral): ValueForm => {
  const notation = { ...(decimal === ',' && { decimal }), ...(thousands !== '' && { thousands }) }
  return Object.keys(notation).length === 0 ? {} : { notation }
}

/** `1.234` */
function pointForm(field: string, rivals: Rivals, isWhole: boolean, others: Elsewhere): ValueForm {
  const [decimals, groups] = rivalChoices(field, rivals)
  if (isWhole && others === 'commas') return formOf(rivals[1])
  const isPoint = others === 'points' || others === 'nothing'
  // A decimal number is none for the column.
  const rejected = 'the records with decimals are rejected'
  if (isWhole)
    return isPoint
      ? { readings: [groups], otherwise: rejected }
      : { readings: [groups, { ...decimals, meaning: rejected }] }
  return isPoint ? {} : { readings: [decimals, groups] }
}

/** `1,234` */
function commaForm(field: string, rivals: Rivals, isWhole: boolean, others: Elsewhere): ValueForm {
  if (others === 'points') return formOf(rivals[0])
  if (others === 'commas') return formOf(rivals[1])
  return { readings: rivalChoices(field, rivals).slice(0, isWhole ? 1 : 2) }
}

/** Of values with decimal points and values with decimal commas. */
function mixedChoices(field: string, numerals: Numerals): readonly Choice[] {
  return [true, false].map((isPoint) => {
    const notation = readingMost(numerals, isPoint)
    const rest = [...numerals].filter(([bits]) => !isNumeral(bits, notation))
    const rejected = rest.reduce((sum, [, count]) => sum + count, 0)
    const sign = isPoint ? 'point' : 'comma'
    return {
      option: numberOptions(field, notation),
      meaning: `a decimal ${sign}; ${counted(rejected, 'record')} rejected`,
    }
  })
}
