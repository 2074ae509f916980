/** The databases whose ledger is filled and asked, in the same words. */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openSink } from '../../src/sink/registry.ts'
import type { Sink } from '../../src/sink/sink.ts'

type Row = Readonly<Record<string, unknown>>
export type Kept = 'load' | 'ledger' | 'reject' | 'dead_letter'

/** What was read of the ledger's tables since the counters began. */
export interface Reading {
  /** Rows that were read one after the other, and not by an index. */
  readonly scanned: Readonly<Record<string, number>>
  /** Pages of 8 KiB, of tables and indexes, each as often as it was asked for. */
  readonly pages: number
}

export interface ScaleDatabase extends AsyncDisposable {
  readonly name: string
  open(): Promise<Sink>
  ask(sql: string): Promise<readonly Row[]>
  table(kept: Kept): string
  /** SQL of a table `s` of the numbers `n` from 1. */
  series(count: number): string
  /** SQL of a new id of a load. */
  readonly newId: string
  /** SQL of a time so many seconds before. */
  before(time: string, seconds: string): string
  /** SQL of what a text is, with as many digits, where `n` is a number. */
  padded(n: string, digits: number): string
  /** What its own upkeep does in time. */
  tidy(): Promise<void>
  /** Bytes of the table and of its indexes. */
  size(kept: Kept): Promise<{ readonly table: number; readonly indexes: number }>
  /** Undefined where the database does not count. All sessions of Lading have to be closed. */
  reading(): Promise<Reading | undefined>
}

export async function postgres(url: string): Promise<ScaleDatabase> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const ask = async (sql: string) => (await client.query<Row>(sql)).rows
  return {
    name: 'PostgreSQL',
    open: () => openSink(url),
    ask,
    table: (kept) => `lading.${kept}`,
    series: (count) => `generate_series(1, ${count}) AS s (n)`,
    newId: 'gen_random_uuid()',
    before: (time, seconds) => `${time} - (${seconds}) * interval '1 s'`,
    padded: (n, digits) => `lpad((${n})::text, ${digits}, '0')`,
    tidy: async () => void (await ask('VACUUM ANALYZE')),
    size: async (kept) => {
      const [row] = await ask(
        `SELECT pg_table_size('lading.${kept}')::float8 AS t, pg_indexes_size('lading.${kept}')::float8 AS i`,
      )
      return { table: Number(row?.['t']), indexes: Number(row?.['i']) }
    },
    reading: async () => {
      // A session tells its counters when it ends.
      while (
        (
          await ask(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lading'",
          )
        ).length > 0
      )
        await sleep(20)
      // What this session itself has read, by VACUUM.
      await ask('SELECT pg_stat_force_next_flush()')
      const rows = await ask(
        `SELECT relname, seq_tup_read::float8 AS scanned, (coalesce(heap_blks_hit + heap_blks_read, 0) + coalesce(idx_blks_hit + idx_blks_read, 0))::float8 AS pages
         FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid, schemaname, relname) WHERE schemaname = 'lading'`,
      )
      return {
        scanned: Object.fromEntries(rows.map((row) => [String(row['relname']), Number(row['scanned'])])),
        pages: rows.reduce((sum, row) => sum + Number(row['pages']), 0),
      }
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

export function sqlite(path: string): ScaleDatabase {
  let file: DatabaseSync | undefined
  const ask = async (sql: string) => {
    file ??= new DatabaseSync(path)
    return file.prepare(sql).all()
  }
  return {
    name: 'SQLite',
    open: () => openSink(`sqlite:${path}`),
    ask,
    table: (kept) => `lading_${kept}`,
    series: (count) =>
      `(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${count}) SELECT n FROM s) AS s`,
    newId:
      "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6)))",
    before: (time, seconds) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${time}, -(${seconds}) || ' seconds')`,
    padded: (n, digits) => `printf('%0${digits}d', ${n})`,
    tidy: async () => undefined,
    size: async (kept) => {
      const rows = await ask(
        `SELECT type, sum(pgsize) AS bytes FROM dbstat JOIN sqlite_schema USING (name) WHERE tbl_name = 'lading_${kept}' GROUP BY type`,
      )
      const bytes = (type: string) => Number(rows.find((row) => row['type'] === type)?.['bytes'] ?? 0)
      return { table: bytes('table'), indexes: bytes('index') }
    },
    reading: async () => undefined,
    [Symbol.asyncDispose]: async () => file?.close(),
  }
}
