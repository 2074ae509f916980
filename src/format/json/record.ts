/** One object as a person sees, corrects and exports it. */
import { cr, lf } from '../../core/bytes.ts'
import type { Span } from '../../core/fault.ts'
import type { FieldValue, RecordText } from '../format.ts'
import { backslash, closeBrace, comma, kinds, nameAt, openBrace, quote, Scanner } from './scan.ts'
import { unescape } from './text.ts'

const space = 0x20

export const jsonRecord: RecordText = {
  suffix: () => '.ndjson',

  locate: (record, _, field) => {
    let span: Span | undefined
    rewriteObject(record, (name, { start, end }) => {
      if (name === field) span ??= { start, end }
      return undefined
    })
    return span
  },

  rewrite: (record, _, replace) =>
    rewriteObject(record, (name, member) => {
      const text = replace(name, valueOf(member))
      return text === undefined ? undefined : JSON.stringify(text)
    }),

  trimmed: (text) => Buffer.from(text.toString('latin1').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''), 'latin1'),

  head: () => undefined,

  line: withoutLineEnds,
}

/**
 * On one line: between members line ends are space. In a string they are a fault of the record, which an
 * export must not hide, so they stay.
 */
function withoutLineEnds(record: Buffer): Buffer {
  const line = Buffer.from(record)
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    const byte = line[at]
    if (byte === quote) isQuoted = !isQuoted
    else if (isQuoted) {
      if (byte === backslash) at++
    } else if (byte === lf || byte === cr) line[at] = space
  }
  return line
}

/** The text of a string, or any other value as it stands. */
function valueOf({ bytes, start, end, kind, escaped }: MemberValue): FieldValue {
  if (kind !== kinds.string) {
    const simple = kind === kinds.null ? 'null' : 'text'
    return { kind: kind >= kinds.object ? 'nested' : simple, bytes: bytes.subarray(start, end) }
  }
  const text = escaped ? unescape(bytes, start + 1, end - 1) : bytes.subarray(start + 1, end - 1)
  return { kind: 'text', bytes: text }
}

/** A value of a member: `bytes[start, end)`. */
interface MemberValue {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** One of `kinds`. */
  readonly kind: number
  /** Of a string: it has escapes. */
  readonly escaped: boolean
}

/**
 * The object that fills `bytes`, its members' values replaced by the JSON that `replace` returns, or kept
 * where it returns undefined. Undefined where the bytes are no object.
 */
function rewriteObject(
  bytes: Buffer,
  replace: (name: string, value: MemberValue) => string | undefined,
): Buffer | undefined {
  const scan = new Scanner()
  scan.bytes = bytes
  scan.end = bytes.length
  if (bytes[0] !== openBrace) return undefined
  const pieces: Buffer[] = []
  let copied = 0
  let at = scan.space(1)
  if (bytes[at] === closeBrace) return at + 1 === bytes.length ? Buffer.from(bytes) : undefined
  for (;;) {
    const nameEnd = scan.string(at) - 1
    if (nameEnd < 0) return undefined
    const name = Buffer.from(nameAt(bytes, at + 1, nameEnd, scan.escaped), 'latin1').toString('utf8')
    const start = scan.colon(nameEnd + 1)
    const end = start < 0 ? -1 : scan.value(start, 2, false)
    if (end < 0) return undefined
    const { kind, escaped } = scan
    const other = replace(name, { bytes, start, end, kind, escaped })
    if (other !== undefined) {
      pieces.push(bytes.subarray(copied, start), Buffer.from(other))
      copied = end
    }
    at = scan.space(end)
    if (bytes[at] === closeBrace) break
    if (bytes[at] !== comma) return undefined
    at = scan.space(at + 1)
  }
  if (at + 1 !== bytes.length) return undefined
  pieces.push(bytes.subarray(copied))
  return Buffer.concat(pieces)
}
