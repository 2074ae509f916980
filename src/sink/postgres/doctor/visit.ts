/** What a check is given. */
import type pg from 'pg'
import type { Finding } from '../../../core/finding.ts'
import type { SinkQuestions, TableQuestions } from '../../examination.ts'

export interface Visit {
  readonly client: pg.Client
  readonly questions: SinkQuestions
  /** A second session. */
  readonly beside: <T>(work: (other: pg.Client) => Promise<T>) => Promise<T>
}

export type Add = (...found: readonly Finding[]) => void
export type Check = (visit: Visit, add: Add) => Promise<void>
export type TableCheck = (visit: Visit & { readonly table: TableQuestions }, add: Add) => Promise<void>

/** The only row of a statement. */
export async function row<Row extends object>(
  client: pg.Client,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row> {
  return (await client.query<Row>(sql, [...values])).rows[0] as Row
}
