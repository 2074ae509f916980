/**
 * Decode dates and times from bytes, in the forms of ISO 8601 and PostgreSQL's output: `YYYY-MM-DD`, `T` or
 * one space, `HH:MM[:SS[.ffffff]]`. A date alone is its midnight. An instant ends with `Z`, `UTC`, `GMT` (in
 * any case), `±HH`, `±HHMM` or `±HH:MM[:SS]`, optionally after one space. A month, a day and an hour may have one digit. Words such as `now` and `infinity` are
 * refused: their meaning would change with each replay.
 */
import { daysIn } from '../../core/calendar.ts'
import type { Fault } from '../../core/fault.ts'
import type { RowWriter } from '../writer.ts'
import { found } from '../../core/found.ts'
import { pairAt, pairs, viewOf } from '../../core/words.ts'
import { type Decode, decodePadded } from './padded.ts'
import { Zone } from './zone.ts'

const microsPerDay = 86_400_000_000

/** The words of the date that was read last, `YYYY`, `-MM-` and `DD`, and its days. */
let yearRead = 0
let monthRead = 0
let dayRead = 0
let daysRead = Number.NaN

/** Days since 1970-01-01 of `YYYY-MM-DD` at `at`, years 0001 to 9999; NaN if the date does not exist. */
function daysAt(view: DataView, at: number): number {
  const year = view.getInt32(at, true)
  const month = view.getInt32(at + 4, true)
  const day = view.getUint16(at + 8, true)
  // Consecutive records mostly share their date.
  if (year !== yearRead || month !== monthRead || day !== dayRead) {
    daysRead = daysOfWords(year, month, day)
    yearRead = year
    monthRead = month
    dayRead = day
  }
  return daysRead
}

function daysOfWords(yearWord: number, monthWord: number, dayWord: number): number {
  const century = pairs[yearWord & 0xffff] as number
  const year = pairs[yearWord >>> 16] as number
  const month = pairs[(monthWord >>> 8) & 0xffff] as number
  const dayOfMonth = pairs[dayWord] as number
  if (century < 0 || year < 0 || month < 0 || dayOfMonth < 0) return Number.NaN
  if ((monthWord & 0xff) !== 45 || monthWord >>> 24 !== 45) return Number.NaN
  return daysOf(century * 100 + year, month, dayOfMonth)
}

function daysOf(year: number, month: number, dayOfMonth: number): number {
  if (year === 0 || month < 1 || month > 12 || dayOfMonth < 1) return Number.NaN
  if (dayOfMonth > daysIn(year, month)) return Number.NaN
  // Years start in March, so that the leap day is the last of its year.
  const marchYear = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + dayOfMonth - 1
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + dayOfYear - 719_468
}

export const decodeDate: Decode = (bytes, start, end, writer) => {
  const days = end - start >= 10 ? daysAt(viewOf(bytes), start) : Number.NaN
  const fault = Number.isNaN(days) ? badDate(bytes, start, end) : midnightFault(bytes, start, end)
  if (fault?.code === 'BAD_DATE') return decodePadded(decodeDate, bytes, start, end, writer, badDate)
  if (fault !== undefined) return fault
  writer.date(days)
  return undefined
}

const badDate = (bytes: Buffer, start: number, end: number): Fault => ({
  code: 'BAD_DATE',
  detail: `${found(bytes, start, end)} is not a date (YYYY-MM-DD)`,
})

/** Undefined where nothing follows the date, and for a midnight, as programs write a date that they keep as a timestamp. */
function midnightFault(bytes: Buffer, start: number, end: number): Fault | undefined {
  if (end - start === 10) return undefined
  const micros = separates(bytes[start + 10]) ? microsAt(viewOf(bytes), start + 11, end) : -1
  if (micros < 0) return badDate(bytes, start, end)
  if (time.end !== end) {
    const at = bytes[time.end] === 32 ? time.end + 1 : time.end
    return Number.isNaN(offsetAt(viewOf(bytes), at, end))
      ? badDate(bytes, start, end)
      : zoned(bytes, start, end)
  }
  if (micros === 0 && !time.lossy) return undefined
  const detail = `${found(bytes, start, end)} has a time of day, the column keeps none`
  return { code: 'PRECISION_LOST', detail }
}

/**
 * The end of the time of day read last, and whether it had non-zero digits beyond microseconds. Reused, so
 * that decoding allocates nothing.
 */
const time = { end: 0, lossy: false }

/** Microseconds of the day of `HH:MM[:SS[.f…]]` at `at`; -1 if it is invalid. */
function microsAt(view: DataView, at: number, end: number): number {
  time.lossy = false
  time.end = at + 5
  return time.end > end ? -1 : microsOf(pairAt(view, at), view, at, end)
}

/** The same of an hour and `:MM[:SS[.f…]]` at `at + 2`. */
function microsOf(hour: number, view: DataView, at: number, end: number): number {
  const minute = pairAt(view, at + 3)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || view.getUint8(at + 2) !== 58) return -1
  const minutes = hour * 60 + minute
  if (at + 8 > end || view.getUint8(at + 5) !== 58) return minutes * 60_000_000
  const second = pairAt(view, at + 6)
  if (second < 0 || second > 59) return -1
  time.end = at + 8
  return (minutes * 60 + second) * 1_000_000 + fractionAt(view, at + 8, end)
}

/** Microseconds that the last of so many digits counts. */
const units = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] as const

/** Microseconds of `.f…` at `at`; 0 if there is no fraction. */
function fractionAt(view: DataView, at: number, end: number): number {
  if (at + 1 >= end || view.getUint8(at) !== 46) return 0
  let value = 0
  let digits = 0
  let next = at + 1
  for (; next < end; next++) {
    const digit = view.getUint8(next) - 48
    if (digit < 0 || digit > 9) break
    if (digits < 6) {
      value = value * 10 + digit
      digits++
    } else if (digit !== 0) time.lossy = true
  }
  if (digits > 0) time.end = next
  return value * (units[digits] as number)
}

/**
 * Seconds east of UTC of `Z`, `UTC`, `GMT`, `±HH`, `±HHMM` or `±HH:MM[:SS]` from `at` to `end`; NaN if it is
 * invalid.
 */
function offsetAt(view: DataView, at: number, end: number): number {
  const size = end - at
  if (size <= 0) return Number.NaN
  const first = view.getUint8(at)
  if ((first === 90 || first === 122) && size === 1) return 0
  if (size === 3 && isUtcWord(view, at)) return 0
  if ((first !== 43 && first !== 45) || (size !== 3 && size !== 5 && size !== 6 && size !== 9))
    return Number.NaN
  const hours = pairAt(view, at + 1)
  const minutes = size === 3 ? 0 : size === 5 ? pairAt(view, at + 3) : pairAfterColon(view, at + 3)
  const seconds = size === 9 ? pairAfterColon(view, at + 6) : 0
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) return Number.NaN
  const offset = hours * 3600 + minutes * 60 + seconds
  return first === 45 ? -offset : offset
}

/** Whether the bytes at `at` are `UTC` or `GMT`, in any case. */
function isUtcWord(view: DataView, at: number): boolean {
  const word = ((view.getUint16(at) << 8) | view.getUint8(at + 2)) & ~0x202020
  return word === 0x555443 || word === 0x474d54
}

const pairAfterColon = (view: DataView, at: number): number =>
  view.getUint8(at) === 58 ? pairAt(view, at + 1) : -1

const bad = (bytes: Buffer, start: number, end: number): Fault => ({
  code: 'BAD_TIMESTAMP',
  detail: `${found(bytes, start, end)} is not a timestamp (YYYY-MM-DD HH:MM:SS)`,
})

const lossy = (bytes: Buffer, start: number, end: number): Fault => ({
  code: 'PRECISION_LOST',
  detail: `${found(bytes, start, end)} is finer than a microsecond`,
})

const separates = (byte: number | undefined): boolean => byte === 84 || byte === 32 || byte === 116

/** Days of the date that a timestamp begins with, or is; NaN if it is none. */
const daysOfTimestamp = (view: DataView, bytes: Buffer, start: number, end: number): number =>
  (end - start >= 16 && separates(bytes[start + 10])) || end - start === 10 ? daysAt(view, start) : Number.NaN

/** Microseconds of the day of the time behind the date; those of a midnight where none is. */
function microsOfTimestamp(view: DataView, start: number, end: number): number {
  if (end - start > 10) return microsAt(view, start + 11, end)
  time.lossy = false
  time.end = end
  return 0
}

export const decodeTimestamp: Decode = (bytes, start, end, writer) => {
  const view = viewOf(bytes)
  const days = daysOfTimestamp(view, bytes, start, end)
  const micros = Number.isNaN(days) ? -1 : microsOfTimestamp(view, start, end)
  if (micros < 0) return decodePadded(decodeTimestamp, bytes, start, end, writer, bad)
  if (time.end !== end) {
    const at = bytes[time.end] === 32 ? time.end + 1 : time.end
    if (Number.isNaN(offsetAt(view, at, end))) return bad(bytes, start, end)
    return zoned(bytes, start, end)
  }
  if (time.lossy) return lossy(bytes, start, end)
  writer.timestamp(days, micros)
  return undefined
}

/** `H:MM[:SS[.f…]]` as well as `HH:…`, and `24:00`, which PostgreSQL keeps apart from midnight. */
export const decodeTime: Decode = (bytes, start, end, writer) => {
  const view = viewOf(bytes)
  const read = bytes[start + 1] === 58 ? microsOfShort(view, start, end) : microsAt(view, start, end)
  const micros = read < 0 && isEndOfDay(bytes, start, end) ? microsPerDay : read
  if (micros < 0) return badTime(bytes, start, end)
  if (micros < microsPerDay && time.end !== end) {
    const at = bytes[time.end] === 32 ? time.end + 1 : time.end
    if (Number.isNaN(offsetAt(view, at, end))) return badTime(bytes, start, end)
    return zoned(bytes, start, end)
  }
  if (time.lossy) return lossy(bytes, start, end)
  writer.time(micros)
  return undefined
}

function microsOfShort(view: DataView, start: number, end: number): number {
  time.lossy = false
  time.end = start + 4
  const hour = view.getUint8(start) - 48
  // As if a digit stood before it, which may be outside of the memory.
  return time.end > end || hour > 9 ? -1 : microsOf(hour, view, start - 1, end)
}

const isEndOfDay = (bytes: Buffer, start: number, end: number): boolean =>
  end - start <= 32 && /^24:00(?::00(?:\.0+)?)?$/.test(bytes.toString('latin1', start, end))

const badTime = (bytes: Buffer, start: number, end: number): Fault => ({
  code: 'BAD_TIME',
  detail: `${found(bytes, start, end)} is not a time of day (HH:MM:SS)`,
})

const zoned = (bytes: Buffer, start: number, end: number): Fault => ({
  code: 'ZONE_NOT_ALLOWED',
  detail: `${found(bytes, start, end)} has a zone, the column keeps none`,
})

/** `offset`: in seconds east of UTC; undefined where none is written. */
type WriteTimestamp = (
  days: number,
  micros: number,
  offset: number | undefined,
  ...rest: Parameters<Decode>
) => Fault | undefined

function timestampDecoder(write: WriteTimestamp): Decode {
  const decode: Decode = (bytes, start, end, writer) => {
    const view = viewOf(bytes)
    const days = daysOfTimestamp(view, bytes, start, end)
    const micros = Number.isNaN(days) ? -1 : microsOfTimestamp(view, start, end)
    if (micros < 0) return decodePadded(decode, bytes, start, end, writer, bad)
    if (time.lossy) return lossy(bytes, start, end)
    if (time.end === end) return write(days, micros, undefined, bytes, start, end, writer)
    const offset = offsetAt(view, bytes[time.end] === 32 ? time.end + 1 : time.end, end)
    if (Number.isNaN(offset)) return bad(bytes, start, end)
    return write(days, micros, offset, bytes, start, end, writer)
  }
  return decode
}

export function timestamptzDecoder(zoneName: string | undefined): Decode {
  const zone = zoneName === undefined ? undefined : new Zone(zoneName)
  return timestampDecoder((days, micros, offset, bytes, start, end, writer) =>
    offset === undefined
      ? writeLocal(zone, days, micros, bytes, start, end, writer)
      : writeInstant(days, micros, offset, bytes, start, end, writer),
  )
}

/** A time with an offset becomes the local time of the zone; one without is local already. */
export function zonedTimestampDecoder(zoneName: string): Decode {
  const zone = new Zone(zoneName)
  return timestampDecoder((days, micros, offset, bytes, start, end, writer) => {
    const local = (utc: number) => utc - zone.offsetAt(days * 86_400 + Math.floor(micros / 1_000_000) - utc)
    return writeInstant(days, micros, offset === undefined ? 0 : local(offset), bytes, start, end, writer)
  })
}

function writeLocal(
  zone: Zone | undefined,
  days: number,
  micros: number,
  bytes: Buffer,
  start: number,
  end: number,
  writer: RowWriter,
): Fault | undefined {
  if (zone === undefined) return { code: 'ZONE_MISSING', detail: `${found(bytes, start, end)} has no zone` }
  const local = zone.resolve(days * 86_400 + Math.floor(micros / 1_000_000))
  if (local.kind === 'ambiguous') {
    return { code: 'LOCAL_TIME_AMBIGUOUS', detail: `${found(bytes, start, end)} happened twice in its zone` }
  }
  if (local.kind === 'missing')
    return { code: 'LOCAL_TIME_MISSING', detail: `${found(bytes, start, end)} never happened in its zone` }
  return writeInstant(days, micros, local.offset, bytes, start, end, writer)
}

const firstDay = daysOf(1, 1, 1)
const lastDay = daysOf(9999, 12, 31)

/** The offset may move the instant out of the years that its text forms can represent. */
function writeInstant(
  days: number,
  micros: number,
  offset: number,
  bytes: Buffer,
  start: number,
  end: number,
  writer: RowWriter,
): Fault | undefined {
  const utc = micros - offset * 1_000_000
  const carry = utc < 0 ? -1 : utc >= microsPerDay ? 1 : 0
  const utcDays = days + carry
  if (utcDays < firstDay || utcDays > lastDay) {
    return {
      code: 'OUT_OF_RANGE',
      detail: `${found(bytes, start, end)} lies outside the years 0001 to 9999 of UTC`,
    }
  }
  writer.timestamp(utcDays, utc - carry * microsPerDay)
  return undefined
}
