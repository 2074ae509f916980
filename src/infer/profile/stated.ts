/** A notation that was stated for a field, applied before its values are looked at. */
import type { Notation } from '../../core/notation.ts'
import type { ColumnType } from '../../model/columns.ts'
import { hasDate, hasTime } from '../../model/notation/pattern.ts'
import { textWritten, type Written, writtenBy } from '../../model/notation/notation.ts'
import { columnOfType } from './written-type.ts'

/** What a notation makes of a text: the form that a type reads, and which part of it did so. */
export interface Stated {
  readonly text: string
  /** `same`: the part changes nothing. */
  readonly as: 'number' | 'time' | 'text' | 'same'
}

export class StatedNotation {
  /** The parts of it that hold for numbers, and for times. */
  readonly numbers: Notation | undefined
  readonly times: Notation | undefined
  readonly #texts: (text: string) => string | null
  readonly #number: Written | undefined
  readonly #time: Written | undefined

  constructor(notation: Notation) {
    const { decimal, thousands, money, percent, pattern, epoch } = notation
    this.#texts = textWritten(notation)
    this.numbers = part({ decimal, thousands, money, percent })
    this.times = part({ pattern, epoch })
    this.#number = this.numbers && writtenBy(this.numbers, columnOfType({ name: 'numeric' }).spec.type)
    this.#time = this.times && writtenBy(this.times, typeOfPattern(pattern))
  }

  /** Null is no value. `isUntext`: a number or another value of JSON, which has the signs of JSON. */
  read(source: string, isUntext: boolean): Stated | null {
    const text = this.#texts(source)
    if (text === null) return null
    const number = isUntext ? undefined : this.#number?.(text)
    if (typeof number === 'string') return { text: number, as: number === text ? 'same' : 'number' }
    const at = this.#time?.(text)
    if (typeof at === 'string') return { text: at, as: at === text ? 'same' : 'time' }
    return { text, as: isUntext ? 'same' : 'text' }
  }
}

function part(parts: { readonly [K in keyof Notation]: Notation[K] | undefined }): Notation | undefined {
  const given = Object.entries(parts).filter(([, value]) => value !== undefined)
  return given.length === 0 ? undefined : Object.fromEntries(given)
}

/** A count since an epoch is an instant. */
function typeOfPattern(pattern: string | undefined): ColumnType {
  if (pattern === undefined) return columnOfType({ name: 'timestamptz' }).spec.type
  const name = !hasDate(pattern) ? 'time' : hasTime(pattern) ? 'timestamp' : 'date'
  return columnOfType({ name }).spec.type
}
