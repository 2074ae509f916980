/** What the catalogue of a database says of a table: the model of a load that has no model of its own. */
import type { ColumnType } from './columns.ts'

/** A table by its schema, where it has one, and its name. */
export interface TableName {
  /** By default the database's search path decides. SQLite ignores that of a written model. */
  readonly schema?: string | undefined
  readonly table: string
}

/** A table as a person names it. */
export interface WantedTable extends TableName {
  /**
   * Where no table has the name, the only one whose name differs in case alone: as in SQL, a name is taken
   * letter by letter only in quotes.
   */
  readonly anyCase?: boolean | undefined
  /** It is that of a written model, which may serve several databases: SQLite ignores its schema. */
  readonly ofModel?: boolean | undefined
}

/** PostgreSQL's limit (NAMEDATALEN - 1): the server cuts a longer name without an error. */
export const maxNameBytes = 63

/** What a database says of a table. */
export interface TableFacts extends TableName {
  readonly kind: 'table' | 'partitioned' | 'view' | 'other'
  /** Lading made the table, it is unchanged since, and it has no row: it may be made again. */
  readonly isDraft: boolean
  /** In the order of the table. */
  readonly columns: readonly TableColumn[]
  /** What no two rows of the table share; the primary key first. */
  readonly keys: readonly TableKey[]
  /**
   * Why rows are inserted one after the other instead of copied: a view with an INSTEAD OF trigger, a table
   * under row security.
   */
  readonly inserts?: string | undefined
}

/** A column of a table that exists. */
export interface TableColumn {
  readonly name: string
  readonly type: ColumnType
  /** The type as the database writes it. */
  readonly shown: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  /** A trigger may give it a value where the record has none. */
  readonly mayBeFilled?: boolean | undefined
  readonly identity?: 'always' | 'by default' | undefined
  /** The table computes it: no value can be given. */
  readonly generated: boolean
}

/** Whether a value can be given: the table does not compute it, and Lading writes its type. */
export const canBeWritten = ({ generated, type }: TableColumn): boolean =>
  !generated && type.problem?.() === undefined

/** A unique index or constraint. */
export interface TableKey {
  readonly name: string
  readonly primary: boolean
  /** Columns that it compares, those within its expressions included. */
  readonly columns: readonly string[]
  /** In SQL what it compares, where that is not columns alone. */
  readonly expressions?: readonly string[] | undefined
  /** In SQL which rows it compares, where it is partial. */
  readonly predicate?: string | undefined
  /** Columns that the predicate reads. */
  readonly reads?: readonly string[] | undefined
  /** Why it cannot decide a conflict. */
  readonly unfit?: string | undefined
}

/** The display name of a table. */
export const shownTable = ({ schema, table }: TableName): string =>
  schema === undefined ? table : `${schema}.${table}`

export const nameOf = ({ schema, table }: TableName): TableName => ({
  ...(schema !== undefined && { schema }),
  table,
})
