/** A count since an epoch → date and time of day, in UTC. Exact: with integers alone. */
import type { Notation } from '../../core/notation.ts'
import type { Instant } from './instant.ts'

/** `lossy`: finer than a microsecond. */
export type EpochReader = (text: string) => Instant | 'lossy' | undefined

const decimal = /^([-+]?)(\d{1,20})(?:\.(\d{0,40}))?$/

const microsPerDay = 86_400_000_000n
const msPerDay = 86_400_000n
/** Digits behind the point that microseconds have. */
const digitsOf = { s: 6, ms: 3, us: 0 } as const

export const epochReader = (epoch: NonNullable<Notation['epoch']>): EpochReader =>
  epoch === 'excel' ? excelDay : (text) => since1970(text, digitsOf[epoch])

function since1970(text: string, digits: number): Instant | 'lossy' | undefined {
  const [, sign, whole, fraction = ''] = decimal.exec(text) ?? []
  if (whole === undefined) return undefined
  if (/[1-9]/.test(fraction.slice(digits))) return 'lossy'
  const micros = BigInt(whole + fraction.slice(0, digits).padEnd(digits, '0'))
  return instantOf(sign === '-' ? -micros : micros)
}

/** Microseconds of 0001-01-01 and of 10000-01-01. */
const first = -62_135_596_800_000_000n
const end = 253_402_300_800_000_000n

function instantOf(micros: bigint): Instant | undefined {
  if (micros < first || micros >= end) return undefined
  const ofDay = ((micros % microsPerDay) + microsPerDay) % microsPerDay
  const midnight = Number((micros - ofDay) / 1000n)
  return { date: new Date(midnight).toISOString().slice(0, 10), time: clock(ofDay) }
}

function clock(micros: bigint): string {
  const [seconds, fraction] = [Number(micros / 1_000_000n), Number(micros % 1_000_000n)]
  const two = (value: number): string => String(value).padStart(2, '0')
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return fraction === 0 ? text : `${text}.${String(fraction).padStart(6, '0')}`
}

/** 1970-01-01 in Excel. Its calendar has a 29 February 1900, day 60, which never was. */
const excelOf1970 = 25_569n
const excelLeapDay = 60n

/**
 * Excel keeps a time as a fraction of a day: a double, of which it writes 15 digits. So most times have none
 * that is exact. The fraction is taken as it stands if it is whole microseconds, or else as the millisecond
 * of which it is the rounded form: rounded twice, to a double and then to its last digit. So it lies within
 * half of that digit and 5 microseconds, about four times the spacing of doubles up to the year 2173.
 */
function excelDay(text: string): Instant | 'lossy' | undefined {
  const [, sign, whole, fraction = ''] = decimal.exec(text) ?? []
  if (whole === undefined || sign === '-') return undefined
  const day = BigInt(whole)
  if (day < 1n || day === excelLeapDay) return undefined
  const days = day - excelOf1970 + (day < excelLeapDay ? 1n : 0n)
  const micros = microsOfDay(fraction)
  return micros === undefined ? 'lossy' : instantOf(days * microsPerDay + micros)
}

function microsOfDay(fraction: string): bigint | undefined {
  const scale = 10n ** BigInt(fraction.length)
  const parts = BigInt(fraction === '' ? '0' : fraction)
  if ((parts * microsPerDay) % scale === 0n) return (parts * microsPerDay) / scale
  const ms = (2n * parts * msPerDay + scale) / (2n * scale)
  const error = parts * msPerDay - ms * scale
  const halfDigit = msPerDay / 2n
  const fiveMicros = scale / 200n
  return (error < 0n ? -error : error) <= halfDigit + fiveMicros ? ms * 1000n : undefined
}
