/** Reads a file as a load without a model would: by what is found in it, with the splitter and the reader of its format. */
import { buffer } from 'node:stream/consumers'
import { cellBytes } from '../../src/core/cells.ts'
import { formatOf, splittersFor } from '../../src/format/registry.ts'
import type { Reading } from '../../src/format/reading.ts'
import type { Source } from '../../src/source/source.ts'
import { written } from '../../src/producer/reading.ts'
import { headBytes, type Sniffed, sniff, tailBytes } from '../../src/infer/sniff/sniff.ts'

export interface Inferred {
  readonly sniffed: Sniffed
  readonly fields: readonly string[]
  readonly records: string[][]
  /** Records that a load would reject. */
  readonly rejects: number
}

export function sniffed(bytes: Buffer, stated: Reading = {}, suffix = 'csv'): Sniffed {
  return bytes.length <= headBytes
    ? sniff(bytes, undefined, stated, { suffix })
    : sniff(bytes.subarray(0, headBytes), bytes.subarray(-tailBytes), stated, { suffix })
}

/** Throws what a load would throw for the file as a whole. */
export async function readInferred(bytes: Buffer, stated: Reading = {}, suffix = 'csv'): Promise<Inferred> {
  const found = sniffed(bytes, stated, suffix)
  const plain = await buffer(written(sourceOf(bytes), found).bytes())
  const splitter = splittersFor(found)('file', {
    table: 'table',
    names: found.fields,
    isMasked: false,
    namesColumns: true,
    problems: () => [],
  })
  const head = splitter.begin(plain)
  for (let at = head; at !== -1 && at < plain.length;) at = splitter.cut(at, at)
  splitter.finish()
  const { layout } = splitter
  const reader = formatOf(layout)?.reader(layout, [], false)
  // A file that is empty has no columns, and nothing that a reader could read.
  if (reader === undefined && head === plain.length)
    return { sniffed: found, fields: [], records: [], rejects: 0 }
  if (reader === undefined) throw new Error(`no format reads ${JSON.stringify(layout)}`)
  const problem = reader.open(plain.subarray(head))
  if (problem !== undefined) throw new Error(problem)
  const records: string[][] = []
  let rejects = 0
  while (reader.next()) {
    if (reader.fault !== undefined) rejects++
    else records.push(Array.from({ length: reader.count }, (_, cell) => cellBytes(reader, cell).toString()))
  }
  return { sniffed: found, fields: layout.fields, records, rejects }
}

export const sourceOf = (bytes: Buffer): Source => ({
  name: 'file',
  path: 'file',
  location: 'file',
  isTransient: false,
  size: async () => bytes.length,
  state: async () => 'the same',
  bytes: async function* () {
    yield bytes
  },
  ranges: async () => undefined,
  reference: async () => undefined,
})
