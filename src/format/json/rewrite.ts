/** Writes an object again with other values, everything else of it byte by byte as it stands. */
import { closeBrace, comma, nameAt, openBrace, Scanner } from './scan.ts'

/** A value of a member: `bytes[start, end)`. */
export interface MemberValue {
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
export function rewriteObject(
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
