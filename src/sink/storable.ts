import { shortened } from '../core/text.ts'

/**
 * A text that every database can keep: without NUL, without half a surrogate pair, and no longer than a
 * person reads. If a database refused the text, it could not keep the reject that the text describes.
 */
export function storable(text: string): string {
  return shortened(text).toWellFormed().replaceAll('\0', '\\0')
}
