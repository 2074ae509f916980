/** Numbers in the form of the types, rounded to what a column keeps. */
import type { ColumnType } from '../columns.ts'

/** Digits behind the point that a column keeps; undefined where it keeps all, or where the database alone knows. */
export function scaleOf({ kind, sql, precision, scale = 0 }: ColumnType): number | undefined {
  if (kind === 'integer' || kind === 'bigint') return 0
  if (kind === 'custom')
    return /^(?:smallint|int\d?|integer|bigint)\b(?!.*\[)/i.test(sql ?? '') ? 0 : undefined
  return kind === 'numeric' && precision !== undefined ? scale : undefined
}

const number = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3}))?$/

/** Halves go away from zero. A text that is no such number is left to its column, which says what is wrong. */
export function roundedTo(scale: number, text: string): string {
  const [, minus = '', whole, fraction = '', exponent = '0'] = number.exec(text) ?? []
  if (whole === undefined || (fraction.length <= scale && exponent === '0')) return text
  // In front, so that the point is not before the first digit.
  const zeros = Math.max(0, -whole.length - Number(exponent))
  const all = '0'.repeat(zeros) + whole + fraction
  const at = whole.length + Number(exponent) + zeros
  const kept = all.slice(0, at + scale).padEnd(at + scale, '0')
  const isUp = (all[at + scale] ?? '0') >= '5'
  const digits = (BigInt(kept || '0') + (isUp ? 1n : 0n)).toString().padStart(scale + 1, '0')
  const sign = /[1-9]/.test(digits) ? minus : ''
  const end = digits.length - scale
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, end)}.${digits.slice(end)}`
}
