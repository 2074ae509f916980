/** How one source is written: stated by options, found by inspection, or both. */
import type { TextForm } from '../core/encoding.ts'
import type { Notations } from '../core/notation.ts'
import type { SkipWhen } from '../core/skip.ts'
import type { FormatOptions } from './registry.ts'

/** Its notations and what is skipped become a part of the layout. */
export interface Reading extends FormatOptions, TextForm, Notations {
  readonly skipWhen?: SkipWhen
  /** The file grows: of what it holds, whole records alone count, and what has no end yet waits. */
  readonly grows?: true
  /** The first so many plain bytes alone are read, of a file that has grown since or may. */
  readonly until?: number
}
