/** The type of a column as inference finds it. */
import type { Notation } from '../../core/notation.ts'

export type TypeName =
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'doublePrecision'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'time'
  | 'uuid'
  | 'json'
  | 'text'

export interface FoundType {
  readonly name: TypeName
  /** Of a numeric that has them. */
  readonly precision?: number
  readonly scale?: number
  /** How its values are written, where not in the type's own form. */
  readonly notation?: Notation
}

/** As SQL and `--columns` write it. */
export const shownType = ({ name, precision, scale }: FoundType): string => {
  if (name === 'doublePrecision') return 'double precision'
  return precision === undefined ? name : `${name}(${precision},${scale ?? 0})`
}

export const isText = ({ name }: FoundType): boolean => name === 'text'
