/** What every format that is text has in common: UTF-8, and what no database takes as text. */
import { isUtf8 } from 'node:buffer'
import { LadingError } from '../core/errors.ts'
import type { Fault } from '../core/fault.ts'

/** Whether no record of the body can have a fault of its text. */
export const isText = (body: Buffer): boolean => isUtf8(body) && !body.includes(0)

/** The first byte of a record that no database takes as text. */
export function textFault(record: Buffer): Fault | undefined {
  const nul = record.indexOf(0)
  if (nul >= 0)
    return {
      code: 'NUL_BYTE',
      detail: `a NUL at byte ${nul} of the record`,
      span: { start: nul, end: nul + 1 },
    }
  if (isUtf8(record)) return undefined
  const start = firstMalformed(record)
  return {
    code: 'BAD_ENCODING',
    detail: `byte ${start} of the record is not UTF-8`,
    span: { start, end: start + 1 },
  }
}

/** Offset of the first malformed sequence: the longest valid beginning, found by halving. */
function firstMalformed(bytes: Buffer): number {
  let good = 0
  let bad = bytes.length
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1
    // A cut may fall inside a character, which is no fault: the cut part counts as good when it begins one.
    if (isUtf8(bytes.subarray(0, middle)) || isUtf8(bytes.subarray(0, characterStart(bytes, middle))))
      good = middle
    else bad = middle
  }
  return characterStart(bytes, good)
}

/** Where the character that holds the byte before `at` begins, if it is not whole before `at`. */
function characterStart(bytes: Buffer, at: number): number {
  for (let start = at - 1; start >= 0 && start >= at - 4; start--) {
    const byte = bytes[start] as number
    if (byte >= 0xc0) return isUtf8(bytes.subarray(start, at)) ? at : start
    if (byte < 0x80) return at
  }
  return at
}

/**
 * Length of the byte order mark that a source of UTF-8 begins with; throws `SOURCE_ENCODING` for UTF-16 without
 * one, which shows in the NULs of the ASCII that a source begins with.
 */
export function markBytes(start: Buffer, path: string): number {
  const isUtf16 = start.length > 1 && (start[0] === 0) !== (start[1] === 0)
  if (isUtf16) {
    const encoding = start[0] === 0 ? 'utf-16be' : 'utf-16le'
    throw new LadingError(
      'SOURCE_ENCODING',
      `${path} looks like UTF-16 without a byte order mark: --encoding ${encoding} reads it`,
    )
  }
  return start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0
}
