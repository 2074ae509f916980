/** How one source is written: stated by options, found by inspection, or both. */
import type { TextForm } from '../core/encoding.ts'
import type { Notation } from '../core/notation.ts'
import type { FormatOptions } from './registry.ts'

export interface Reading extends FormatOptions, TextForm {
  /** By field. They become a part of the layout. */
  readonly notations?: Readonly<Record<string, Notation>>
}
