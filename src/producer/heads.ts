/** What the heads of sources say before there is a model: how each is written, and which fields it has. */
import { LadingError } from '../core/errors.ts'
import type { Reading } from '../format/reading.ts'
import { formatOf, splittersFor } from '../format/registry.ts'
import type { Splitter } from '../format/split.ts'
import type { Source } from '../source/source.ts'
import type { ReadSource } from './reading.ts'

export interface Head {
  readonly source: Source
  readonly reading: Reading
  /** Undefined where each record names its own. */
  readonly fields: readonly string[] | undefined
  /** Cells of the first record, where the file has no header; undefined where it has one. */
  readonly cells: number | undefined
}

/** More of a source is not looked at. */
const mostBytes = 1024 * 1024
const usualDelimiters = [',', ';', '\t', '|']

/** Throws what is wrong with the head itself, as planning the source would. */
export async function headOf(source: ReadSource): Promise<Head> {
  const stated = source.reading
  await source.state()
  const bytes = await headBytes(source)
  const { dialect = {} } = stated
  const readings =
    dialect.delimiter === undefined && stated.format !== 'tsv'
      ? usualDelimiters.map((delimiter) => ({ ...stated, dialect: { ...dialect, delimiter } }))
      : [stated]
  const heads = [stated, ...readings].flatMap((reading) => {
    const head = readHead(source, bytes, reading)
    return head === undefined ? [] : [head]
  })
  const width = ({ fields, cells }: Head) => cells ?? fields?.length ?? 0
  // The first of the widest: what is stated, then the comma.
  const [best] = heads.toSorted((a, b) => width(b) - width(a))
  return best ?? begun(source, bytes, stated)
}

async function headBytes(source: Source): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of source.bytes({ pieceBytes: 65_536 })) {
    pieces.push(Buffer.from(piece))
    if ((size += piece.length) >= mostBytes) break
  }
  return Buffer.concat(pieces)
}

function readHead(source: Source, bytes: Buffer, reading: Reading): Head | undefined {
  try {
    return begun(source, bytes, reading)
  } catch (error) {
    if (error instanceof LadingError) return undefined
    throw error
  }
}

function begun(source: Source, bytes: Buffer, reading: Reading): Head {
  const splitter = splitterOf(source, reading)
  const start = splitter.begin(bytes)
  if (!splitter.isPastHead) splitter.finish()
  const { layout } = splitter
  if (layout.format !== undefined) return { source, reading, fields: undefined, cells: undefined }
  const hasHeader = reading.dialect?.header !== false
  const cells = hasHeader ? undefined : cellsOf(layout, bytes.subarray(start))
  return { source, reading, fields: layout.fields, cells }
}

const splitterOf = (source: Source, reading: Reading): Splitter =>
  splittersFor(reading)(source.path, { table: '', names: [], isMasked: false, problems: () => [] })

function cellsOf(layout: Splitter['layout'], records: Buffer): number {
  const reader = formatOf({ ...layout, fields: ['1'] })?.reader({ ...layout, fields: ['1'] }, [], false)
  reader?.open(records)
  return reader?.next() === true ? reader.count : 0
}
