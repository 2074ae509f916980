/** Dates and times of which a month, a day or an hour has one digit: PostgreSQL reads them, too. */
import { found } from '../../core/found.ts'
import type { Fault } from '../../core/fault.ts'
import type { RowWriter } from '../writer.ts'

export type Decode = (bytes: Buffer, start: number, end: number, writer: RowWriter) => Fault | undefined

const form = /^(\d{4})-(\d\d?)-(\d\d?)(?:([Tt ])(\d\d?)(:.+))?$/s
const mostBytes = 48

/** Reads `2024-1-5 9:30` as `2024-01-05 09:30`; `bad` where that changes nothing, or is not read either. */
export function decodePadded(
  decode: Decode,
  bytes: Buffer,
  start: number,
  end: number,
  writer: RowWriter,
  bad: (bytes: Buffer, start: number, end: number) => Fault,
): Fault | undefined {
  const [text = '', year, month = '', day = '', separator, hour = '', rest] =
    (end - start <= mostBytes && form.exec(bytes.toString('latin1', start, end))) || []
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const padded = Buffer.from(
    separator === undefined ? date : `${date}${separator}${hour.padStart(2, '0')}${rest}`,
  )
  if (text === '' || padded.length === text.length) return bad(bytes, start, end)
  const fault = decode(padded, 0, padded.length, writer)
  if (fault === undefined) return undefined
  const shown = found(padded, 0, padded.length)
  return { ...fault, detail: fault.detail.replace(shown, () => found(bytes, start, end)) }
}
