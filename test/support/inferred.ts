/** Reads a file as a load without a model would: by what is found in it, with the splitter and the reader of its format. */
import { cellBytes } from '../../src/core/cells.ts'
import { formatOf, splittersFor } from '../../src/format/registry.ts'
import type { Reading } from '../../src/format/reading.ts'
import { headBytes, type Sniffed, sniff, tailBytes } from '../../src/infer/sniff/sniff.ts'

export interface Inferred {
  readonly sniffed: Sniffed
  readonly fields: readonly string[]
  readonly records: string[][]
  /** Records that a load would reject. */
  readonly rejects: number
}

export function sniffed(bytes: Buffer, stated: Reading = {}): Sniffed {
  return bytes.length <= headBytes
    ? sniff(bytes, undefined, stated)
    : sniff(bytes.subarray(0, headBytes), bytes.subarray(-tailBytes), stated)
}

/** Throws what a load would throw for the file as a whole. */
export function readInferred(bytes: Buffer, stated: Reading = {}): Inferred {
  const found = sniffed(bytes, stated)
  const splitter = splittersFor(found)('file', {
    table: 'table',
    names: found.fields,
    isMasked: false,
    namesColumns: true,
    problems: () => [],
  })
  const plain = plainText(bytes, found)
  const head = splitter.begin(plain)
  for (let at = head; at !== -1 && at < plain.length;) at = splitter.cut(at, at)
  splitter.finish()
  const { layout } = splitter
  if (layout.fields.length === 0 && found.format === 'csv')
    return { sniffed: found, fields: [], records: [], rejects: 0 }
  const reader = formatOf(layout)?.reader(layout, [], false)
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

function plainText(bytes: Buffer, { encoding, lineEnd, footerLines }: Sniffed): Buffer {
  if (encoding === undefined && lineEnd === undefined && footerLines === undefined) return bytes
  const text = new TextDecoder(encoding ?? 'utf-8').decode(bytes)
  const lines = (lineEnd === 'cr' ? text.replaceAll('\r', '\n') : text).split('\n')
  if (lines.at(-1) === '') lines.pop()
  const kept = lines.slice(0, lines.length - (footerLines ?? 0))
  return Buffer.from(kept.map((line) => `${line}\n`).join(''))
}
