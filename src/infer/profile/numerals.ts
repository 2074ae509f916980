/**
 * Numbers as locales write them. A value may be a number in several notations; of a column, those are kept in
 * which every value is one. Whatever the order of the rows, the same ones are left.
 */

/** A space stands for a no-break space too, and an apostrophe for a curved one. */
const groupings = ['', ',', '.', ' ', "'"] as const

export interface Numeral {
  readonly decimal: ',' | '.'
  /** Between groups of three digits; empty for none. */
  readonly thousands: string
}

/** In the order in which one is preferred where several give the same values. */
const notations: readonly Numeral[] = (['.', ','] as const).flatMap((decimal) =>
  groupings.filter((thousands) => thousands !== decimal).map((thousands) => ({ decimal, thousands })),
)

/** All notations: a bit for each. */
export const anyNumeral = (1 << notations.length) - 1
/** Those with a point before the decimals. */
export const pointNumerals = bitsOf(({ decimal }) => decimal === '.')
const groupingPoint = bitsOf(({ thousands }) => thousands === '.')

function bitsOf(isMeant: (notation: Numeral) => boolean): number {
  return notations.reduce((bits, notation, index) => (isMeant(notation) ? bits | (1 << index) : bits), 0)
}

/** The notations in which `1.234`, `0.5` … is a number: the point may stand between groups. */
export function numeralsOfDecimal(bytes: Buffer, first: number, digits: number, scale: number): number {
  const mayGroup = scale === 3 && digits <= 3 && bytes[first] !== 48
  return mayGroup ? pointNumerals | groupingPoint : pointNumerals
}

const POINT = 46
const COMMA = 44
const SPACE = 32
const APOSTROPHE = 39
const ZERO = 48

/** More digits and signs are a text. */
const mostBytes = 64

/** Of the text that was read last: signs, and the digits before each of them and behind the last one. */
const read = { signs: new Uint8Array(mostBytes), lengths: new Uint8Array(mostBytes + 1), count: 0 }

/**
 * The notations in which a text is a number; 0 where there is none. It has no sign and nothing around it.
 */
export function numeralsOf(bytes: Buffer, start: number, end: number): number {
  if (end - start > mostBytes || !readGroups(bytes, start, end)) return 0
  const beginsWithZero = bytes[start] === ZERO
  let bits = 0
  for (let index = 0; index < notations.length; index++)
    if (isIn(decimals[index] as number, thousandSigns[index] as number, beginsWithZero)) bits |= 1 << index
  return bits
}

const codeOf = (sign: string): number => (sign === '' ? 0 : sign.charCodeAt(0))
const decimals = notations.map(({ decimal }) => codeOf(decimal))
const thousandSigns = notations.map(({ thousands }) => codeOf(thousands))

function isIn(decimal: number, thousands: number, beginsWithZero: boolean): boolean {
  const { signs, lengths, count } = read
  const grouping = count > 0 && signs[count - 1] === decimal ? count - 1 : count
  const first = lengths[0] as number
  if (grouping === 0) return !beginsWithZero || first === 1
  if (beginsWithZero || first > 3) return false
  for (let group = 0; group < grouping; group++)
    if (signs[group] !== thousands || lengths[group + 1] !== 3) return false
  return true
}

/** Whether there are digits, and digits between and behind all signs. */
function readGroups(bytes: Buffer, start: number, end: number): boolean {
  const { signs, lengths } = read
  let count = 0
  let at = start
  for (;;) {
    const first = at
    while (at < end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= ZERO + 9) at++
    if (at === first) return false
    lengths[count] = at - first
    if (at === end) break
    const sign = bytes[at] as number
    if (sign === POINT || sign === COMMA || sign === SPACE || sign === APOSTROPHE) {
      signs[count++] = sign
      at++
    } else if (sign === 0xc2 && bytes[at + 1] === 0xa0) {
      signs[count++] = SPACE
      at += 2
    } else if (
      sign === 0xe2 &&
      bytes[at + 1] === 0x80 &&
      (bytes[at + 2] === 0xaf || bytes[at + 2] === 0x99)
    ) {
      signs[count++] = bytes[at + 2] === 0xaf ? SPACE : APOSTROPHE
      at += 3
    } else return false
  }
  read.count = count
  return true
}

/** Of the text that was read last: all its digits, or those behind its last sign of a kind. */
export function digitsBehind(sign?: '.' | ','): number {
  const { signs, lengths, count } = read
  const last = sign === undefined ? -1 : signs.lastIndexOf(sign.charCodeAt(0), count - 1)
  if (sign !== undefined && (last < 0 || count === 0)) return 0
  let digits = 0
  for (let group = last + 1; group <= count; group++) digits += lengths[group] as number
  return digits
}

/** The first notation of several. */
export const notationOf = (bits: number): Numeral =>
  notations.find((_, index) => (bits & (1 << index)) !== 0) as Numeral

export type Rivals = readonly [point: Numeral, comma: Numeral]

/**
 * The two notations that give other numbers, where there are two: `1,234` is one thousand or one. Groups
 * between spaces are the same number with both decimal signs.
 */
export function rivalsOf(bits: number): Rivals | undefined {
  const point = bits & pointNumerals
  const comma = bits & ~pointNumerals
  if (point === 0 || comma === 0) return undefined
  const rivals = [notationOf(point), notationOf(comma)] as const
  return rivals[0].thousands === rivals[1].thousands ? undefined : rivals
}

/** Whether texts that are numbers in some notations are one in this one. */
export const isNumeral = (bits: number, notation: Numeral): boolean =>
  (bits & (1 << notations.indexOf(notation))) !== 0

/** The notation with a decimal point, or with a decimal comma, in which most values are a number; the first one of several. */
export function readingMost(counts: ReadonlyMap<number, number>, hasPoint: boolean): Numeral {
  const readBy = (notation: Numeral): number =>
    [...counts].reduce((sum, [bits, count]) => sum + (isNumeral(bits, notation) ? count : 0), 0)
  const all = notations.filter(({ decimal }) => (decimal === '.') === hasPoint)
  return all.reduce((best, next) => (readBy(next) > readBy(best) ? next : best))
}
