/** The body of a dead letter, as a person can read it: its beginning, and what is in it. */
import { isUtf8 } from 'node:buffer'
import { asBuffer } from '../core/bytes.ts'
import { cellBytes } from '../core/cells.ts'
import { formatOf } from '../format/registry.ts'
import { readableEnvelope } from '../queue/envelope.ts'
import type { StoredDeadLetter } from '../sink/ledger.ts'
import type { BodyAnswer, RecordsAnswer } from './answers.ts'

/** Most bytes to show, as text and as hexadecimal numbers, and most records. */
const mostTextBytes = 65_536
const mostHexBytes = 4_096
const mostRecords = 100
const hexWidth = 16

export function bodyAnswer({ headers, body }: Pick<StoredDeadLetter, 'headers' | 'body'>): BodyAnswer {
  const bytes = body.length
  const start = wholeCharacters(asBuffer(body.subarray(0, mostTextBytes)), bytes)
  if (!isReadable(start)) {
    const shown = body.subarray(0, mostHexBytes)
    return { form: 'binary', bytes, shown: shown.length, text: hexOf(asBuffer(shown)) }
  }
  const text = start.toString('utf8')
  const form = /^\s*[[{]/.test(text) ? 'json' : 'text'
  return { form, bytes, shown: start.length, text, records: recordsOf(headers, start, bytes) }
}

/** The beginning of the bytes as text, at most so many of them. */
export const textStart = (bytes: Uint8Array, most: number): string =>
  wholeCharacters(asBuffer(bytes.subarray(0, most)), bytes.length).toString('utf8')

/** Without the part of a character at which the bytes were cut. */
function wholeCharacters(start: Buffer, bytes: number): Buffer {
  if (start.length === bytes) return start
  const ends = [0, 1, 2, 3].map((less) => start.subarray(0, Math.max(0, start.length - less)))
  return ends.find((end) => isUtf8(end)) ?? start
}

/** Text without control characters, as no binary format is. */
const isReadable = (bytes: Buffer): boolean =>
  // oxlint-disable-next-line no-control-regex
  isUtf8(bytes) && !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(bytes.toString('latin1'))

/** `00000000  7b 22 61 …  {"a…` */
function hexOf(bytes: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += hexWidth) {
    const part = bytes.subarray(at, at + hexWidth)
    const hex = (part.toString('hex').match(/../g) ?? []).join(' ').padEnd(hexWidth * 3 - 1)
    const text = part.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '.')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex}  ${text}`)
  }
  return lines.join('\n')
}

/** Of a chunk whose layout names its cells; undefined for any other message. */
function recordsOf(
  headers: StoredDeadLetter['headers'],
  start: Buffer,
  bytes: number,
): RecordsAnswer | undefined {
  const layout = readableEnvelope(headers)?.layout
  const format = layout && formatOf(layout)
  if (layout === undefined || format === undefined || layout.fields.length === 0) return undefined
  const reader = format.reader(layout, [], true)
  if (reader.open(start) !== undefined) return undefined
  const rows: string[][] = []
  while (rows.length <= mostRecords && reader.next()) {
    const { fault, count, recordStart, recordEnd } = reader
    rows.push(
      fault === undefined
        ? Array.from({ length: count }, (_, cell) => cellBytes(reader, cell).toString('utf8'))
        : [start.toString('utf8', recordStart, recordEnd)],
    )
  }
  // A record that is cut may look whole.
  if (start.length < bytes && rows.length <= mostRecords) rows.pop()
  return { fields: layout.fields, rows: rows.slice(0, mostRecords) }
}
