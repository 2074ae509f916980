/** What a model declares. */
import type { SkipWhen } from '../core/skip.ts'
import type { Column, ColumnSpec } from './columns.ts'
import type { Transformed } from './column.ts'
import type { Value } from './value.ts'

/** An index of the table, as `btree`, `unique`, `brin` and `hash` make it. */
export interface Index {
  readonly method: 'btree' | 'brin' | 'hash'
  readonly unique: boolean
  readonly columns: readonly string[]
}

const index = (method: Index['method'], unique: boolean, columns: readonly string[]): Index => ({
  method,
  unique,
  columns,
})
/** An ordered index over columns. */
export const btree = (...columns: string[]): Index => index('btree', false, columns)
/** An ordered index over columns in which no two rows are equal. */
export const unique = (...columns: string[]): Index => index('btree', true, columns)
/**
 * Block range index, for columns whose values grow in order of arrival. PostgreSQL only; ignored in SQLite.
 */
export const brin = (...columns: string[]): Index => index('brin', false, columns)
/** Hash index, for equality only. PostgreSQL only; ignored in SQLite. */
export const hash = (...column: [column: string]): Index => index('hash', false, column)

/**
 * What happens to a record whose primary key is already in the table. `merge` updates what the record names,
 * and leaves the other columns as they are.
 */
export type ConflictPolicy = 'error' | 'skip' | 'update' | 'merge'

export interface ModelColumn extends ColumnSpec {
  readonly name: string
  /** The table forbids NULL here, although the model allows it. */
  readonly tableNotNull?: boolean
}

/** Asked of each record, by the texts of its fields; null is no value. */
export type Where = (record: Readonly<Record<string, string | null>>) => boolean

/** Why a record is refused, in a sentence that a person reads with the reject; and the column at fault, if it is one. */
export type Refusal<Name extends string = string> =
  | string
  | { readonly reason: string; readonly column?: Name | undefined }

/** Asked of each row, by the names of its columns; `true` and `undefined` take it. */
export type Validate = (row: Readonly<Record<string, Value>>) => Refusal | true | undefined

/** The value of a column, computed from the others of its row. */
export type Derive = (row: Readonly<Record<string, Value>>) => Transformed

export type Columns = Readonly<Record<string, Column>>

/** As ON CONFLICT names an index. */
export interface Arbiter {
  /** In SQL, quoted columns among them; only columns of the primary key where there are none. */
  readonly expressions?: readonly string[] | undefined
  /** In SQL: other rows have no conflict. */
  readonly predicate?: string | undefined
}

/** Describes a record. Row type, decoder, DDL, wire encoding and upsert all derive from it. */
export interface Model<C extends Columns = Columns> {
  readonly table: string
  readonly schema: string | undefined
  readonly columns: readonly ModelColumn[]
  readonly primaryKey: readonly string[]
  readonly indexes: readonly Index[]
  readonly onConflict: ConflictPolicy
  /** The unique index that decides conflicts, where it compares more than columns, or not every row. */
  readonly arbiter?: Arbiter | undefined
  /** Records may be deletions, see `modelOfChanges`. */
  readonly deletes?: boolean
  /** With `update`: a record never overwrites a row with a greater value in this column. */
  readonly version: string | undefined
  /** Records of these are left out. */
  readonly skipWhen?: SkipWhen
  /** Records for which it returns false are left out. */
  readonly where?: Where
  /** Refuses records. */
  readonly validate?: Validate
  /**
   * Where it comes from, unless a person wrote it: `inferred` from the values of files, or read from a `table` that
   * exists, which is never made again for it.
   */
  readonly origin?: 'inferred' | 'table' | undefined
  /**
   * sha256 of the declaration, so that a producer cannot start a load with one model and finish it with
   * another.
   */
  readonly fingerprint: string
  /** Carries the row type for inference only. */
  readonly row?: { readonly [K in keyof C]: C[K]['value'] }
}

/** The type of a row of `M`. */
export type RowOf<M extends { readonly row?: unknown }> = NonNullable<M['row']>

/** The CSV columns or JSON fields that a column is read from. */
export const sourceNames = ({ from, name }: ModelColumn): readonly string[] =>
  typeof from === 'object' ? from : [from ?? name]
