import { asBuffer } from '../core/bytes.ts'
import { isUtf8 } from 'node:buffer'

/**
 * A header's bytes as text: as they are where they are UTF-8 without NUL, which no database keeps, and as
 * base64 otherwise.
 */
export function textOfBytes(bytes: Uint8Array): string {
  const buffer = asBuffer(bytes)
  return buffer.toString(isUtf8(buffer) && !buffer.includes(0) ? 'utf8' : 'base64')
}

/** Of a dead letter that stands for an object that a notification named: where the object is. */
export const objectHeader = 'lading-object'
