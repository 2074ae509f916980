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

/** The notations in which a text is a number; 0 where there is none. It has no sign and nothing around it. */
export function numeralsOf(text: string): number {
  if (!/^\d[\d.,' \u00a0\u202f’]*$/.test(text)) return 0
  const plain = text.replaceAll(/[\u00a0\u202f]/g, ' ').replaceAll('’', "'")
  return notations.reduce((bits, { decimal, thousands }, index) => {
    const [whole = '', fraction, ...more] = plain.split(decimal)
    const isNumber = more.length === 0 && isWhole(whole, thousands) && /^\d+$/.test(fraction ?? '0')
    return isNumber ? bits | (1 << index) : bits
  }, 0)
}

function isWhole(whole: string, thousands: string): boolean {
  if (/^(0|[1-9]\d*)$/.test(whole)) return true
  const groups = thousands === '' ? [] : whole.split(thousands)
  return /^[1-9]\d{0,2}$/.test(groups[0] ?? '') && groups.slice(1).every((group) => /^\d{3}$/.test(group))
}

/** All digits of a number, and those behind its last point and its last comma. */
export function sizeOf(text: string): {
  readonly digits: number
  readonly point: number
  readonly comma: number
} {
  const digitsFrom = (at: number): number => text.slice(at).replaceAll(/\D/g, '').length
  const behind = (sign: string): number => (text.includes(sign) ? digitsFrom(text.lastIndexOf(sign)) : 0)
  return { digits: digitsFrom(0), point: behind('.'), comma: behind(',') }
}

/** The first notation of several. */
export const notationOf = (bits: number): Numeral =>
  notations.find((_, index) => (bits & (1 << index)) !== 0) as Numeral

/**
 * The two notations that give other numbers, where there are two: `1,234` is one thousand or one. Groups
 * between spaces are the same number with both decimal signs.
 */
export function rivalsOf(bits: number): readonly [Numeral, Numeral] | undefined {
  const point = bits & pointNumerals
  const comma = bits & ~pointNumerals
  if (point === 0 || comma === 0) return undefined
  const rivals = [notationOf(point), notationOf(comma)] as const
  return rivals[0].thousands === rivals[1].thousands ? undefined : rivals
}
