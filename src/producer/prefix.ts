/** Whether a source still begins with what was loaded of it, and where it does not any more. */
import { createHash } from 'node:crypto'
import { cr, lf } from '../core/bytes.ts'
import { count } from '../core/counted.ts'
import type { Reading } from '../format/reading.ts'
import { splitterFor } from '../format/registry.ts'
import { anyFields } from '../format/split.ts'
import { piecesOf } from '../source/pieces.ts'
import { readRanges } from '../source/ranges.ts'
import type { Source } from '../source/source.ts'
import type { ReadSource } from './reading.ts'
import type { ProducerState } from './state.ts'

/** A source up to one of its bytes. */
export interface Prefix {
  readonly bytes: number
  /** In hexadecimal. */
  readonly sha256: string
}

/** The sha256 of the source up to each of these sizes, in ascending order, as far as it has so many bytes; and its size, if that is less. */
async function hashesAt(source: Source, sizes: readonly number[]) {
  const hash = createHash('sha256')
  const hashes: string[] = []
  let read = 0
  const note = () => {
    while (sizes[hashes.length] === read) hashes.push(hash.copy().digest('hex'))
  }
  note()
  for await (const piece of source.bytes()) {
    let rest = piece
    while (rest.length > 0 && hashes.length < sizes.length) {
      const part = rest.subarray(0, (sizes[hashes.length] as number) - read)
      hash.update(part)
      read += part.length
      rest = rest.subarray(part.length)
      note()
    }
    if (hashes.length === sizes.length) break
  }
  return { hashes, read }
}

export async function beginsWith(source: Source, { bytes, sha256 }: Prefix): Promise<boolean> {
  return (await hashesAt(source, [bytes])).hashes[0] === sha256
}

/** How the record goes on that was the last one when it was loaded. */
export type Seam =
  /** Where the first record behind it begins. */
  | { readonly start: number }
  /** It had no line end, and has none yet. */
  | 'open'
  /** It had no line end, and is another record now. */
  | 'other'

export async function seamAt(source: Source, bytes: number): Promise<Seam> {
  if (bytes === 0) return { start: 0 }
  for await (const [, around] of readRanges(source, [{ byteStart: bytes - 1, bytes: 3 }])) {
    const [last, next, after] = around
    if (last === lf) return { start: bytes }
    if (next === lf) return { start: bytes + 1 }
    if (next === cr && after === lf) return { start: bytes + 2 }
    return next === undefined || (next === cr && after === undefined) ? 'open' : 'other'
  }
  // v8 ignore next -- of one range there is one answer
  return 'open'
}

/** The first record of a source, with its line end; undefined where none has one. */
export async function firstRecord(source: Source, reading: Reading): Promise<Buffer | undefined> {
  const splitter = splitterFor(reading, source.path, anyFields)
  const begun: Buffer[] = []
  for await (const piece of piecesOf(source, {})) {
    const at = splitter.begin(piece)
    if (!splitter.isPastHead) continue
    const end = splitter.cut(at, at)
    begun.push(Buffer.from(piece.subarray(at, end < 0 ? piece.length : end)))
    if (end >= 0) return Buffer.concat(begun)
  }
  return undefined
}

/** Which of the bytes that were loaded are others now, in words: as closely as the plans that are known here tell. */
export async function differenceOf(
  source: ReadSource,
  loaded: Prefix,
  state: ProducerState,
  pipeline: string,
): Promise<string> {
  const named = state
    .planned(pipeline)
    .filter(({ name, bytes }) => name === source.name && bytes <= loaded.bytes)
  const plans = named.toSorted((a, b) => a.bytes - b.bytes)
  const { hashes, read } = await hashesAt(source, [...plans.map(({ bytes }) => bytes), loaded.bytes])
  if (read < loaded.bytes)
    return `it has ${count(read)} bytes, and ${count(loaded.bytes)} were loaded: it was truncated, or is another file`
  const isSame = plans.map(({ sha256 }, index) => hashes[index] === sha256)
  const same = plans[isSame.lastIndexOf(true)]?.bytes ?? 0
  const next = plans.find(({ bytes }) => bytes > same)
  let [from, to] = [same, next?.bytes ?? loaded.bytes]
  if (next !== undefined)
    for await (const [chunk, body] of readRanges(source, state.chunks(next, 'all'))) {
      if (createHash('sha256').update(body).digest('hex') === chunk.sha256) continue
      ;[from, to] = [chunk.byteStart, chunk.byteStart + chunk.bytes]
      break
    }
  return `bytes ${count(from)} to ${count(to - 1)} of the ${count(loaded.bytes)} that were loaded are others now`
}
