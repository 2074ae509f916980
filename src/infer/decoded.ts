/** Every record of a source, decoded as a load would decode it, and written nowhere. */
import { LadingError } from '../core/errors.ts'
import type { Fault } from '../core/fault.ts'
import type { Layout, LeftOut } from '../core/load.ts'
import { linesIn } from '../core/bytes.ts'
import { Records } from '../consumer/decode/records.ts'
import type { Model } from '../model/model.ts'
import { withRecord } from '../model/hooks.ts'
import type { Origin } from '../model/record.ts'
import type { Value } from '../model/value.ts'
import { ValueWriter } from '../model/value-writer.ts'
import type { RowBuffer, RowWriter } from '../model/writer.ts'
import { layoutOf } from '../producer/layout.ts'
import { splitterOf } from '../producer/plan.ts'
import type { ReadSource } from '../producer/reading.ts'
import { type RecordOptions, runsOf } from './records.ts'

export interface DecodeOptions extends RecordOptions {
  readonly ignoreExtra?: boolean | undefined
  readonly namesColumns?: boolean | undefined
  /** Hears the values of each row, in the order of the model's columns. */
  readonly onRow?: (values: readonly Value[]) => void
}

export interface FoundReject extends Fault {
  readonly line: number
}

export interface Outcome {
  readonly source: string
  readonly records: number
  readonly rejected: number
  /** Left out on purpose. */
  readonly filtered: number
  /** The first ones. */
  readonly rejects: readonly FoundReject[]
  /** By code. */
  readonly codes: Readonly<Record<string, number>>
  readonly leftOut: Pick<LeftOut, 'preamble' | 'comments'>
}

const mostRejects = 10

export async function decodeSource(
  source: ReadSource,
  model: Model,
  options: DecodeOptions = {},
): Promise<Outcome> {
  const { onRow } = options
  const { name } = source
  const splitter = splitterOf(source, { ...options, model })
  const writer = new ValueWriter(model)
  const rejects: FoundReject[] = []
  const codes: Record<string, number> = {}
  let records = 0
  let rejected = 0
  let filtered = 0
  let decoding: Records | undefined
  for await (const { bytes, line } of runsOf(source, splitter, options)) {
    decoding ??= decodingOf(source, layoutOf(splitter, source.reading), model, options, writer)
    const { reader } = decoding
    reader.open(bytes)
    while (reader.next()) {
      const fault = decoded(decoding, records, name)
      records++
      if (fault === true) filtered++
      else if (fault === undefined) onRow?.(writer.values)
      else {
        rejected++
        codes[fault.code] = (codes[fault.code] ?? 0) + 1
        if (rejects.length < mostRejects)
          rejects.push({ ...fault, line: line + linesIn(bytes, 0, reader.recordStart) })
      }
      writer.values.length = 0
    }
  }
  const { preamble = 0, comments = 0 } = splitter.leftOut ?? {}
  return { source: source.name, records, rejected, filtered, rejects, codes, leftOut: { preamble, comments } }
}

/** True where it is left out on purpose. */
function decoded(records: Records, record: number, name: string): Fault | true | undefined {
  try {
    const left = records.filter?.() ?? false
    return left === false ? records.decode(nowhere, record) : left
  } catch (error) {
    throw withRecord(error, () => `${name}, record ${record + 1}`)
  }
}

const nowhere: Origin = { keyOf: () => '', at: 0 }

function decodingOf(
  { name }: ReadSource,
  layout: Layout,
  model: Model,
  { ignoreExtra = false }: DecodeOptions,
  writer: RowWriter,
): Records {
  const records = Records.of(layout, { model, ignoreExtra }, writer)
  if (records instanceof Records) return records
  // v8 ignore next -- the splitter has refused what does not fit
  throw new LadingError('INTERNAL', `${name}: ${records.detail}`)
}

/** Passes over the same records: the first ones compile code, which a load does once. */
const passes = 3

/**
 * Encodes the first records, at most so many, and returns the milliseconds of CPU that decoding them takes. Faulty
 * ones make no row.
 */
export async function encodeHead(
  source: ReadSource,
  model: Model,
  rows: RowBuffer,
  most: number,
  options: DecodeOptions = {},
): Promise<number> {
  let ms = Number.POSITIVE_INFINITY
  for (let pass = 0; pass < passes; pass++) {
    rows.clear()
    ms = Math.min(ms, await encodeOnce(source, model, rows, most, options))
  }
  return ms
}

/** Where a column is the key of its record, no two have the same. */
const origin: Origin = { keyOf: String, at: Date.now() }

async function encodeOnce(
  source: ReadSource,
  model: Model,
  rows: RowBuffer,
  most: number,
  options: DecodeOptions,
): Promise<number> {
  const splitter = splitterOf(source, { ...options, model })
  let records: Records | undefined
  let record = 0
  let micros = 0
  for await (const { bytes } of runsOf(source, splitter, options)) {
    const before = process.cpuUsage()
    records ??= decodingOf(source, layoutOf(splitter, source.reading), model, options, rows)
    const { reader, filter } = records
    reader.open(bytes)
    while (rows.rows < most && reader.next())
      if ((filter?.() ?? false) === false) records.decode(origin, record++)
    micros += process.cpuUsage(before).user
    if (rows.rows >= most) break
  }
  return micros / 1000
}
