/**
 * Writes files of fictitious sensors. The same options always give the same bytes. A file appears complete or
 * not at all, but is not synced to disk: after a power loss, generate again. Memory does not grow with the
 * number of sensors or records.
 */
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { LadingError } from '../core/errors.ts'
import { makeFolder } from '../core/files.ts'
import { Clock, timeLength } from './clock.ts'
import { writeAll, writeWhole, writing } from './file.ts'
import { MersenneTwister } from './mersenne-twister.ts'
import { offsetsOf, Periods, startInstant } from './zone.ts'

export interface SensorOptions {
  /** Number of sensors, with one file each. */
  readonly sensors: number
  /** Records per file. */
  readonly records: number
  /** Seconds between records; at most 3 decimals. */
  readonly intervalSeconds: number
  /**
   * Time of the first record: a date (midnight) or an ISO 8601 timestamp, in `timezone` unless it has an
   * offset.
   */
  readonly start: string
  /** IANA name of the time zone of the written times. */
  readonly timezone: string
  /** Created if missing. */
  readonly directory: string
  /** A non-negative safe integer. */
  readonly seed: number
  /** Called for each complete file. */
  readonly onFile?: ((file: SensorFile) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SensorFile {
  readonly path: string
  readonly records: number
  readonly bytes: number
}

export interface SensorTotals {
  readonly files: number
  readonly records: number
  readonly bytes: number
}

/** Settings that all files of a run share. */
interface Plan {
  readonly records: number
  readonly intervalMs: number
  readonly start: number
  readonly periods: Periods
  readonly directory: string
  readonly signal: AbortSignal | undefined
  readonly buffer: Uint8Array
}

const header = 'record_time,sensor_id,value\r\n'
const bufferBytes = 262_144
/** Longest JavaScript text of a double in [0, 1), 0.000001…: 2 + 5 zeros + 17 digits, plus the line end. */
const longestTail = 26
const firstTime = Date.parse('0000-01-01T00:00:00Z')
const lastTime = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * Writes `<sensor id>.csv` for each sensor. The id is the first eight hex digits of the next
 * `getrandbits(128)` of Python's `Random(seed)`, then `_` and the sensor's index. The values are the
 * successive `random()` of Python's `Random(((index + 1) << 64) | seed)`, so that no file depends on another.
 *
 * @throws LadingError `USAGE` for an invalid option, `ABORTED` if the signal aborts, `OUTPUT_UNWRITABLE` if a
 *   file cannot be written.
 */
export async function generateSensors(options: SensorOptions): Promise<SensorTotals> {
  const plan = planOf(options)
  const names = new MersenneTwister(options.seed)
  await writing(plan.directory, (async () => makeFolder(plan.directory))())
  let bytes = 0
  for (let index = 0; index < options.sensors; index++) {
    const id = `${names.getrandbits128().slice(0, 8)}_${index}`
    const values = new MersenneTwister((BigInt(index + 1) << 64n) | BigInt(options.seed))
    const file = await writeFile(plan, id, values)
    bytes += file.bytes
    options.onFile?.(file)
  }
  return { files: options.sensors, records: options.sensors * plan.records, bytes }
}

function planOf(options: SensorOptions): Plan {
  const { records, directory, signal } = options
  mustCount('the number of sensors', options.sensors)
  mustCount('the number of records', records)
  if (!Number.isSafeInteger(options.seed) || options.seed < 0)
    throw wrong('the seed', options.seed, 'a whole number that is not negative')
  const intervalMs = intervalOf(options.intervalSeconds)
  const offsetAt = offsetsOf(options.timezone)
  const start = startInstant(options.start, offsetAt)
  for (const instant of [start, start + (records - 1) * intervalMs]) mustHaveFourDigits(instant, offsetAt)
  return {
    records,
    intervalMs,
    start,
    periods: new Periods(offsetAt, start),
    directory,
    signal,
    buffer: new Uint8Array(bufferBytes),
  }
}

function mustCount(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw wrong(what, value, 'a whole number of 1 or more')
}

function intervalOf(seconds: number): number {
  const ms = Math.round(seconds * 1000)
  // Most decimals have no exact double, hence the tolerance.
  const isWhole = Number.isSafeInteger(ms) && Math.abs(seconds * 1000 - ms) < 1e-6
  if (!isWhole || ms < 1)
    throw wrong('the interval', seconds, 'a number of seconds above 0, with at most 3 decimals')
  return ms
}

function mustHaveFourDigits(instant: number, offsetAt: (instant: number) => number): void {
  const isDate = Math.abs(instant) <= 8.64e15
  const local = isDate ? instant + offsetAt(instant) : Number.NaN
  if (local >= firstTime && local <= lastTime) return
  throw new LadingError(
    'USAGE',
    'the times of the records leave the years 0000 to 9999; use fewer records, a shorter interval or another start',
  )
}

function wrong(what: string, value: number, expected: string): LadingError {
  return new LadingError('USAGE', `${what} must be ${expected}, not ${value}`)
}

async function writeFile(plan: Plan, id: string, values: MersenneTwister): Promise<SensorFile> {
  const path = join(plan.directory, `${id}.csv`)
  const bytes = await writeWhole(path, (file) => writeRecords(plan, id, values, file, path))
  return { path, records: plan.records, bytes }
}

async function writeRecords(
  plan: Plan,
  id: string,
  values: MersenneTwister,
  file: FileHandle,
  path: string,
): Promise<number> {
  const { buffer } = plan
  const lines = new Lines(plan, id, values)
  let bytes = 0
  let filled = new TextEncoder().encodeInto(header, buffer).written
  do {
    if (plan.signal?.aborted)
      throw new LadingError('ABORTED', `generating was stopped before ${path} was complete`)
    filled = lines.fill(buffer, filled)
    await writing(path, writeAll(file, buffer.subarray(0, filled)))
    bytes += filled
    filled = 0
  } while (!lines.isDone)
  return bytes
}

/** The records of one file, in order. */
class Lines {
  readonly #values: MersenneTwister
  readonly #clock: Clock
  /** Time and sensor id, with their commas; only the time changes. */
  readonly #prefix: Uint8Array
  readonly #intervalMs: number
  #instant: number
  #left: number

  constructor(plan: Plan, id: string, values: MersenneTwister) {
    this.#values = values
    this.#clock = new Clock(plan.periods)
    this.#prefix = new TextEncoder().encode(`${' '.repeat(timeLength)},${id},`)
    this.#intervalMs = plan.intervalMs
    this.#instant = plan.start
    this.#left = plan.records
  }

  get isDone(): boolean {
    return this.#left === 0
  }

  /** Writes as many records as fit, and returns the end of the last one. */
  fill(buffer: Uint8Array, from: number): number {
    const prefix = this.#prefix
    const lastStart = buffer.length - prefix.length - longestTail
    let at = from
    for (; this.#left > 0 && at <= lastStart; this.#left--) {
      this.#clock.write(prefix, this.#instant)
      this.#instant += this.#intervalMs
      buffer.set(prefix, at)
      at += prefix.length
      const value = String(this.#values.random())
      for (let i = 0; i < value.length; i++) buffer[at++] = value.charCodeAt(i)
      buffer[at++] = 13
      buffer[at++] = 10
    }
    return at
  }
}
