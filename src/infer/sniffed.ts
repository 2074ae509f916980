/** How a source is written, from its head and its tail. */
import type { Reading } from '../format/reading.ts'
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
  const whole = source.whole?.()
  if (whole !== undefined) return sniff(whole.bytes, undefined, stated, table)
  // Opening a pipe would wait for its writer.
  await source.state()
  const pieces: Buffer[] = []
  let size = 0
  let isWhole = true
  for await (const piece of source.bytes({ pieceBytes: 256 * 1024 })) {
    if (size >= headBytes) {
      isWhole = false
      break
    }
    pieces.push(Buffer.from(piece))
    size += piece.length
  }
  const head = Buffer.concat(pieces)
  const tail = isWhole ? undefined : await tailOf(source)
  const alike = isBrief ? sniffAlike(head, tail, stated, table) : undefined
  return alike ?? sniff(head, tail, stated, table)
}

async function tailOf(source: Source): Promise<Buffer> {
  await using ranges = await source.ranges()
  if (ranges === undefined) return await lastOf(source)
  const size = await source.size()
  const tail = Buffer.alloc(Math.min(tailBytes, size))
  return tail.subarray(0, await ranges.read(tail, size - tail.length))
}

/** Of a source that is read from its beginning alone. */
async function lastOf(source: Source): Promise<Buffer> {
  let last: Buffer = Buffer.alloc(0)
  for await (const piece of source.bytes())
    last = Buffer.from(Buffer.concat([last, piece.subarray(-tailBytes)]).subarray(-tailBytes))
  return last
}

/** The reading of a file without a header, whose columns get these names. */
export function withColumnNames(reading: Reading, fields: readonly string[]): Reading {
  const { dialect } = reading
  if (dialect?.header !== false || dialect.names !== undefined || fields.length === 0) return reading
  return { ...reading, dialect: { ...dialect, names: fields } }
}
