import { shortened } from '../core/text.ts'

/**
 * A text that every database keeps: without NUL, without half a surrogate pair, and not longer than a person
 * reads. Where such a text were refused, the reject that it tells of could not be kept.
 */
export function storable(text: string): string {
  return shortened(text).toWellFormed().replaceAll('\0', '\\0')
}
