/** Decoders of everything that is neither a number nor a time. UTF-8 and NUL were checked for the whole record before. */
import type { Fault } from '../../core/fault.ts'
import type { RowWriter } from '../writer.ts'
import { found, visible } from './found.ts'

export function decodeText(bytes: Buffer, start: number, end: number, writer: RowWriter): undefined {
  writer.text(bytes, start, end)
}

export function varcharDecoder(length: number) {
  return (bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined => {
    if (end - start > length && characters(bytes, start, end) > length) {
      return { code: 'TOO_LONG', detail: `${found(bytes, start, end)} has more than ${length} characters` }
    }
    writer.text(bytes, start, end)
    return undefined
  }
}

/** Code points, which is what the databases count: every byte of UTF-8 that does not continue another. */
function characters(bytes: Buffer, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) if (((bytes[at] as number) & 0xc0) !== 0x80) count++
  return count
}

const booleans = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'f', 'no', 'n', 'off', '0'].map((word) => [word, false] as const),
])

export function decodeBoolean(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  const value = end - start <= 5 ? booleans.get(bytes.toString('latin1', start, end).toLowerCase()) : undefined
  if (value === undefined) return { code: 'BAD_BOOLEAN', detail: `${found(bytes, start, end)} is not a boolean` }
  writer.boolean(value)
  return undefined
}

const uuid = /^(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

export function decodeUuid(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  const text = end - start <= 36 ? bytes.toString('latin1', start, end).toLowerCase() : ''
  if (!uuid.test(text)) return { code: 'BAD_UUID', detail: `${found(bytes, start, end)} is not a UUID` }
  writer.uuid(text.replaceAll('-', ''))
  return undefined
}

export function decodeJson(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  try {
    JSON.parse(bytes.toString('utf8', start, end))
  } catch (error) {
    return { code: 'BAD_JSON', detail: `${found(bytes, start, end)} is not valid JSON: ${reasonOf(error as Error)}` }
  }
  writer.json(bytes, start, end)
  return undefined
}

/** Without the piece of the document that V8 appends. */
const reasonOf = (error: Error): string => visible(error.message.replace(/, (?:\.{3})?".*$/s, '').slice(0, 100))

export function decodeCustom(bytes: Buffer, start: number, end: number, writer: RowWriter): undefined {
  writer.custom(bytes.toString('utf8', start, end))
}
