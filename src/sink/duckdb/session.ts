/** A connection, as the sink uses it. */
import {
  BIGINT,
  BLOB,
  DOUBLE,
  DuckDBBlobValue,
  type DuckDBAppender,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api'
import { LadingError } from '../../core/errors.ts'
import type { LedgerRow } from '../sql/ledger-rows.ts'
import type { Sql, SqlValue } from '../sql/statement.ts'

export class Session {
  /** The name under which DuckDB knows the file. */
  readonly catalog: string
  readonly #connection: DuckDBConnection
  #hasFailed = false

  private constructor(connection: DuckDBConnection, catalog: string) {
    this.#connection = connection
    this.catalog = catalog
  }

  static async of(connection: DuckDBConnection): Promise<Session> {
    const reader = await connection.runAndReadAll('SELECT current_database()')
    return new Session(connection, String(reader.getRows()[0]?.[0]))
  }

  /** One or more statements without values. */
  async exec(sql: string): Promise<void> {
    await this.#guard(() => this.#connection.run(sql))
  }

  async all<Row = LedgerRow>(statement: Sql): Promise<readonly Row[]> {
    const text = statement.text((n) => `$${n}`)
    const reader = await this.#guard(() =>
      statement.values.length === 0
        ? this.#connection.runAndReadAll(text)
        : this.#connection.runAndReadAll(text, statement.values.map(valueOf), statement.values.map(typeOf)),
    )
    return reader.getRowObjectsJS().map(withNumbers) as Row[]
  }

  /** The columns of the result, one after the other; whole numbers as they come. */
  async columns(sql: string): Promise<readonly (readonly DuckDBValue[])[]> {
    const reader = await this.#guard(() => this.#connection.runAndReadAll(sql))
    return reader.getColumns()
  }

  /** Returns how many rows it changed. */
  async run(sql: string): Promise<number> {
    const { rowsChanged } = await this.#guard(() => this.#connection.run(sql))
    return rowsChanged
  }

  /** Of a temporary table. */
  async append(table: string, fill: (appender: DuckDBAppender) => void): Promise<void> {
    await this.#guard(async () => {
      const appender = await this.#connection.createAppender(table, 'main', 'temp')
      fill(appender)
      appender.closeSync()
    })
  }

  /**
   * COMMIT of a transaction that an error has aborted succeeds and keeps nothing: it is believed only where no statement
   * has failed.
   */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.exec('BEGIN')
    this.#hasFailed = false
    try {
      const result = await work()
      if (this.#hasFailed)
        throw new LadingError('SINK_FAILED', 'DuckDB: a statement of the transaction has failed')
      await this.exec('COMMIT')
      return result
    } catch (error) {
      await this.rollback()
      throw error
    }
  }

  /** The error that led here is the one that counts. */
  async rollback(): Promise<void> {
    await this.#connection.run('ROLLBACK').catch(() => undefined)
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }
}

/** The ledger has no whole number that a double does not hold. */
const withNumbers = (row: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
  )

/** Numbers that are whole are bound as such: the driver would make each one a double. */
function typeOf(value: SqlValue): DuckDBType {
  if (typeof value === 'number') return Number.isInteger(value) ? BIGINT : DOUBLE
  return value instanceof Uint8Array ? BLOB : VARCHAR
}

function valueOf(value: SqlValue): DuckDBValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  return value instanceof Uint8Array ? new DuckDBBlobValue(value) : (value as string | null)
}
