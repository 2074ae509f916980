/** Decode everything but numbers and times. The whole record was already checked for UTF-8 and NUL. */
import type { Fault } from '../../core/fault.ts'
import type { RowWriter } from '../writer.ts'
import { found, visible } from '../../core/found.ts'
import { listed } from '../../core/listed.ts'

const HYPHEN = 45

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

/** Counts code points, as the databases do: every byte of UTF-8 that is not a continuation. */
function characters(bytes: Buffer, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at++) if (((bytes[at] as number) & 0xc0) !== 0x80) count++
  return count
}

const booleans = new Map([
  ...['true', 't', 'yes', 'y', 'on', '1'].map(
    (word) => [wordAt(Buffer.from(word), 0, word.length), true] as const,
  ),
  ...['false', 'f', 'no', 'n', 'off', '0'].map(
    (word) => [wordAt(Buffer.from(word), 0, word.length), false] as const,
  ),
])

/** A word of at most five bytes as one number, in lower case. */
function wordAt(bytes: Buffer, start: number, end: number): number {
  // Not 0, so that a leading NUL changes the number.
  let word = 1
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    word = word * 256 + (byte >= 65 && byte <= 90 ? byte + 32 : byte)
  }
  return word
}

export function decodeBoolean(
  bytes: Buffer,
  start: number,
  end: number,
  writer: RowWriter,
): Fault | undefined {
  const value = end - start <= 5 ? booleans.get(wordAt(bytes, start, end)) : undefined
  if (value === undefined)
    return { code: 'BAD_BOOLEAN', detail: `${found(bytes, start, end)} is not a boolean` }
  writer.boolean(value)
  return undefined
}

/** Values of hexadecimal digits by byte; -1 for other bytes. */
const hexValues = Int8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  return /[0-9a-f]/i.test(character) ? Number.parseInt(character, 16) : -1
})

/** Reused, so that decoding allocates nothing. */
const uuidBytes = Buffer.alloc(16)

/**
 * Reads 32 hexadecimal digits in either case, with hyphens in the four usual places or none, into
 * `uuidBytes`. Returns whether it succeeded.
 */
function readUuid(bytes: Buffer, start: number, end: number): boolean {
  const hyphens = end - start === 36
  if (!hyphens && end - start !== 32) return false
  let at = start
  let wrong = 0
  for (let index = 0; index < 16; index++, at += 2) {
    if (hyphens && (index === 4 || index === 6 || index === 8 || index === 10))
      wrong |= (bytes[at++] as number) ^ HYPHEN
    const value =
      ((hexValues[bytes[at] as number] as number) << 4) | (hexValues[bytes[at + 1] as number] as number)
    // Any byte that is not a digit makes it negative.
    wrong |= value & ~0xff
    uuidBytes[index] = value
  }
  return wrong === 0
}

export function decodeUuid(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  if (!readUuid(bytes, start, end))
    return { code: 'BAD_UUID', detail: `${found(bytes, start, end)} is not a UUID` }
  writer.uuid(uuidBytes)
  return undefined
}

export function decodeJson(bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined {
  try {
    JSON.parse(bytes.toString('utf8', start, end))
  } catch (error) {
    return {
      code: 'BAD_JSON',
      detail: `${found(bytes, start, end)} is not valid JSON: ${reasonOf(error as Error)}`,
    }
  }
  writer.json(bytes, start, end)
  return undefined
}

/** V8's message without the piece of the document at its end. */
const reasonOf = (error: Error): string =>
  visible(error.message.replace(/, (?:\.{3})?".*$/s, '').slice(0, 100))

export function enumerationDecoder(values: readonly string[]) {
  const known = new Set(values)
  return (bytes: Buffer, start: number, end: number, writer: RowWriter): Fault | undefined => {
    if (!known.has(bytes.toString('utf8', start, end)))
      return {
        code: 'BAD_ENUM',
        detail: `${found(bytes, start, end)} is not one of ${visible(listed(values, 10))}`,
      }
    writer.text(bytes, start, end)
    return undefined
  }
}

export function decodeCustom(bytes: Buffer, start: number, end: number, writer: RowWriter): undefined {
  writer.custom(bytes.toString('utf8', start, end))
}
