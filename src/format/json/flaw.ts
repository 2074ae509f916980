/** What may be wrong with an object, and how errors describe it. */
import type { Fault } from '../../core/fault.ts'
import { found } from '../../core/found.ts'

export type Flaw =
  | 'BAD_JSON'
  | 'EXTRA_FIELD'
  | 'NO_FIELD'
  | 'NOT_AN_OBJECT'
  | 'DUPLICATE_FIELD'
  | 'NESTED_VALUE'
  | 'NUL_BYTE'
  | 'LONE_SURROGATE'

export interface FlawPlace {
  readonly bytes: Buffer
  readonly recordStart: number
  /** The name that is to blame: `bytes[start, end)`. With `BAD_JSON` both are the place. */
  readonly start: number
  readonly end: number
  /** The column that reads the value. */
  readonly column: string | undefined
  /** With `BAD_JSON`: what is expected. */
  readonly why: string
}

export function flawFault(code: Flaw, { bytes, recordStart, start, end, column, why }: FlawPlace): Fault {
  const span = { start: start - recordStart, end: end - recordStart }
  const name = () => `field ${found(bytes, start, end)}`
  // Of a value the place is found by its column.
  switch (code) {
    case 'BAD_JSON':
      return { code, detail: `at byte ${span.start} of the record, ${why}`, span }
    case 'EXTRA_FIELD':
      return { code, detail: `${name()} is not in the model`, span }
    case 'NO_FIELD':
      return { code, detail: 'none of its fields is in the model', span }
    case 'NOT_AN_OBJECT':
      return { code, detail: 'the path of the column leads through a value that is no object', column, span }
    case 'DUPLICATE_FIELD':
      return { code, detail: `${name()} stands twice in an object`, span }
    case 'NESTED_VALUE':
      return { code, detail: `${name()} holds an object or an array`, column }
    case 'NUL_BYTE':
      return { code, detail: `${name()} holds a NUL`, column }
    case 'LONE_SURROGATE':
      return { code, detail: `${name()} holds half a surrogate pair`, column }
  }
}
