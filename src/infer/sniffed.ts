/** How a source is written, from its head and its tail. */
import { freeBytes } from '../core/bytes.ts'
import type { Reading } from '../format/reading.ts'
import { formatOfPath } from '../format/registry.ts'
import type { Source } from '../source/source.ts'
import { sniffAlike } from './sniff/alike.ts'
import { type HeaderTable, headBytes, sniff, type Sniffed, tailBytes } from './sniff/sniff.ts'

/**
 * The source as it is stored, decompressed. `table` is the one that it goes to; `isBrief` leaves out how many
 * lines decided something, which takes less time.
 */
export async function sniffSource(
  source: Source,
  stated: Reading,
  table?: HeaderTable,
  isBrief = false,
): Promise<Sniffed> {
  const around = { goal: table, suffix: formatOfPath(source.path) }
  const whole = source.whole?.()
  if (whole !== undefined) return sniff(whole.bytes, undefined, stated, around)
  // Opening a pipe would wait for its writer.
  await source.state()
  const [head, tail] = await endsOf(source)
  const alike = isBrief ? sniffAlike(head, tail, stated, around) : undefined
  const found = alike ?? sniff(head, tail, stated, around)
  for (const bytes of [head, tail]) if (bytes !== undefined) freeBytes(bytes)
  return found
}

/** Head and tail; of a source that is no longer than the head, the head alone. */
async function endsOf(source: Source): Promise<readonly [head: Buffer, tail: Buffer | undefined]> {
  await using ranges = await source.ranges()
  if (ranges === undefined) return await endsRead(source)
  const size = await source.size()
  const head = Buffer.allocUnsafe(Math.min(headBytes, size))
  const bytes = await ranges.read(head, 0)
  if (size <= headBytes) return [head.subarray(0, bytes), undefined]
  const tail = Buffer.allocUnsafe(tailBytes)
  return [head, tail.subarray(0, await ranges.read(tail, size - tailBytes))]
}

/** Of a source that is read from its beginning alone. */
async function endsRead(source: Source): Promise<readonly [head: Buffer, tail: Buffer | undefined]> {
  const pieces: Buffer[] = []
  let last: Buffer = Buffer.alloc(0)
  let size = 0
  for await (const piece of source.bytes()) {
    if (size < headBytes) pieces.push(Buffer.from(piece.subarray(0, headBytes - size)))
    size += piece.length
    last = Buffer.from(Buffer.concat([last, piece.subarray(-tailBytes)]).subarray(-tailBytes))
  }
  return [Buffer.concat(pieces), size > headBytes ? last : undefined]
}

/** The reading of a file without a header, whose columns get these names. */
export function withColumnNames(reading: Reading, fields: readonly string[]): Reading {
  const { dialect } = reading
  if (dialect?.header !== false || dialect.names !== undefined || fields.length === 0) return reading
  return { ...reading, dialect: { ...dialect, names: fields } }
}
