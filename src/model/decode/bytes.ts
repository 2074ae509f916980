/** Bytes from their text: `\x` and hexadecimal digits as PostgreSQL writes them, bare digits, or base64. */
import type { Fault } from '../../core/fault.ts'
import { found } from '../../core/found.ts'
import type { RowWriter } from '../writer.ts'

export type BytesEncoding = 'hex' | 'base64'

/** Undefined for a text that is not in the encoding; without one, it is PostgreSQL's form. */
export function bytesOf(text: string, encoding: BytesEncoding | undefined): Buffer | undefined {
  if (encoding === 'base64') {
    const bytes = Buffer.from(text, 'base64')
    return bytes.toString('base64') === text ? bytes : undefined
  }
  if (encoding === undefined && !text.startsWith('\\x')) return undefined
  const digits = encoding === undefined ? text.slice(2) : text
  return digits.length % 2 === 0 && /^[\da-f]*$/i.test(digits) ? Buffer.from(digits, 'hex') : undefined
}

const forms = { hex: 'hexadecimal digits', base64: 'base64', pg: '\\x and hexadecimal digits' } as const

export const bytesDecoder =
  (encoding: BytesEncoding | undefined) =>
  (bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined => {
    const value = bytesOf(bytes.toString('latin1', start, end), encoding)
    if (value === undefined)
      return { code: 'BAD_BYTES', detail: `${found(bytes, start, end)} is not ${forms[encoding ?? 'pg']}` }
    writer.bytea(value, 0, value.length)
    return undefined
  }
