/** Records of a body, as a reader has them, and what must hold of each. */
import { cellBytes, unquoted } from '../src/core/cells.ts'
import type { Fault } from '../src/core/fault.ts'
import type { RecordReader } from '../src/format/format.ts'
import { requireThat } from './target.ts'

export interface ReadRecord {
  readonly start: number
  readonly end: number
  readonly fault: Fault | undefined
  /** In latin1, so that every byte shows; null where there is no value. None of a record with a fault. */
  readonly values: readonly (string | null)[]
}

/** Every record; `reader.open` must take the body. */
export function readAll(reader: RecordReader, body: Buffer): ReadRecord[] {
  requireThat(
    'a chunk that was split can be opened',
    reader.open(body) === undefined,
    body.toString('latin1'),
  )
  const records: ReadRecord[] = []
  while (reader.next()) {
    records.push(recordOf(reader))
    requireThat('reading comes to an end', records.length <= body.length + 1, records.length)
  }
  requireThat('behind the last record is none', !reader.next(), records.length)
  return records
}

export function recordOf(reader: RecordReader): ReadRecord {
  const { recordStart: start, recordEnd: end, fault, text } = reader
  requireThat('a record begins before it ends', start <= end, { start, end })
  if (fault?.span !== undefined) {
    const { start: from, end: to } = fault.span
    // What is missing is missing behind the last byte.
    const isIn = from >= 0 && from <= to && to <= (text?.length ?? end - start) + 1
    requireThat('the place of a fault is in its record', isIn, { start, end, text, fault })
  }
  return { start, end, fault, values: fault === undefined ? valuesOf(reader) : [] }
}

const valuesOf = (reader: RecordReader): (string | null)[] =>
  Array.from({ length: reader.count }, (_, cell) => {
    const isNone = reader.quoting[cell] === unquoted && reader.starts[cell] === reader.ends[cell]
    return isNone ? null : cellBytes(reader, cell).toString('latin1')
  })

/** Records are in their order, and what stands between two of them separates them. */
export function requireOrder(records: readonly ReadRecord[], body: Buffer, separates: RegExp): void {
  let at = 0
  for (const { start, end } of [...records, { start: body.length, end: body.length }]) {
    requireThat('records are in their order', start >= at, { start, at })
    const between = body.toString('latin1', at, start)
    requireThat('only what separates stands between records', separates.test(between), between)
    at = end
  }
}
