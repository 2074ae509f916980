/**
 * What is asked of a ledger all the time costs the same however much is in it: the rows are found by indexes. PostgreSQL's own counters say
 * what was read, SQLite and MariaDB say their plans.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { integer, defineModel, type Ledger, type Prunable, type Sink } from 'lading'
import { SqliteFile, type SqliteValues } from '../../src/core/sqlite.ts'
import { loadedOf } from '../../src/load/loaded.ts'
import { Connection } from '../../src/sink/mysql/connection.ts'
import { mysqlLedger } from '../../src/sink/mysql/ledger.ts'
import type { Session } from '../../src/sink/mysql/session.ts'
import { receiptPages } from '../../src/sink/receipt-pages.ts'
import { SqlLedger } from '../../src/sink/sql/ledger.ts'
import { sqliteLedger } from '../../src/sink/sqlite/ledger.ts'
import { SqliteSink } from '../../src/sink/sqlite/sqlite.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { loadOf, pipeline, write } from '../contract/sink/target.ts'
import { type MysqlTarget, openMysql } from './mysql-target.ts'
import { openPostgres, type PostgresTarget } from './postgres-target.ts'

const model = defineModel({ table: 'items', columns: { id: integer().notNull() } })

const number = (n: number): string => String(n).padStart(12, '0')
const complete = (n: number): string => `00000000-0000-4000-8000-${number(n)}`
const open = (n: number): string => `00000000-0000-4000-9000-${number(n)}`
const some = Array.from({ length: 300 }, (_, index) => index + 1)
/** Of each kind. */
const rows = 10_000
/** A slow machine fills it within. */
const fillMs = 240_000

const questions: readonly (readonly [name: string, ask: (ledger: Ledger) => Promise<unknown>])[] = [
  ['the receipt of a load', (ledger) => ledger.receipts({ loads: [complete(7)] })],
  ['the receipts of the loads of a run', (ledger) => ledger.receipts({ loads: some.map(complete) })],
  ['which loads are settled', async (ledger) => ledger.settled?.(some.map(complete))],
  ['the progress of a load', (ledger) => ledger.progress(open(7))],
  [
    'whether files were loaded before',
    (ledger) =>
      ledger.newest(
        pipeline,
        some.map((n) => `file-${n}.csv`),
      ),
  ],
  ['the last part of a file that grows', async (ledger) => ledger.parts?.(pipeline, 'file-7.csv')],
  ['the first page of history', (ledger) => ledger.receipts({ limit: 51 })],
  ['a page of history in the middle', (ledger) => ledger.receipts({ limit: 51, after: complete(rows / 2) })],
  ['the open rejects, of many that are not open', (ledger) => ledger.rejects({ limit: 50 })],
  ['the rejects of a load', (ledger) => ledger.rejects({ limit: 50, loadId: complete(7) })],
  ['folding loads', (ledger) => ledger.fold(some.map(open))],
]

/** SQLite walks along the key of the table from where the page before has ended, and stops when it has a page. */
const pages = (['rejects', 'letters', 'messages', 'loads'] as const).map(
  (what) => [`a page of pruned ${what}`, (ledger: Ledger) => pruned(ledger, what)] as const,
)

const pruned = async (ledger: Ledger, what: Prunable) => {
  const page = await ledger.prune?.({ what, before: '2030-01-01T00:00:00Z' }, { limit: 100 })
  expect(page?.entries).toBeGreaterThan(0)
}

/** How a database says it. */
interface Words {
  readonly table: (name: string) => string
  /** Numbers `n` from 1. */
  readonly series: string
  /** A text and the number behind it, with twelve digits; `id`: the same as the id of a load. */
  readonly text: (beginning: string) => string
  readonly id: (beginning: string) => string
  readonly hash: string
  readonly time: string
}

/** Of each number, a complete load and one that waits to be folded; a discarded reject; a message; a replayed letter. */
function filling({ table, series, text, id, hash, time }: Words): readonly string[] {
  const [done, waiting] = [id(complete(0).slice(0, -12)), id(open(0).slice(0, -12))]
  return [
    `INSERT INTO ${table('load')} (id, pipeline, source, sha256, bytes, plan, chunks, records, complete, loaded, rejected, skipped, started_at, completed_at)
     SELECT ${done}, '${pipeline}', 'file-' || n || '.csv', ${hash}, 9, ${hash}, 1, 1, true, 1, 0, 0, ${time}, ${time} FROM ${series}`,
    `INSERT INTO ${table('load')} (id, pipeline, source, sha256, bytes, plan, chunks, records, started_at)
     SELECT ${waiting}, '${pipeline}', 'open-' || n || '.csv', ${hash}, 9, ${hash}, 1, 1, ${time} FROM ${series}`,
    `INSERT INTO ${table('ledger')} (pipeline, "key", sha256, load_id, outcome, records, loaded, rejected, skipped, committed_at)
     SELECT '${pipeline}', ${text('chunk-')}, ${hash}, ${waiting}, 'applied', 1, 1, 0, 0, ${time} FROM ${series}`,
    `INSERT INTO ${table('ledger')} (pipeline, "key", sha256, outcome, records, loaded, rejected, skipped, committed_at)
     SELECT '${pipeline}', ${text('message-')}, ${hash}, 'applied', 1, 1, 0, 0, ${time} FROM ${series}`,
    `INSERT INTO ${table('reject')} (pipeline, "key", load_id, record, line, byte, source, code, detail, raw, state, at)
     SELECT '${pipeline}', 'key', ${done}, 1, 1, 1, 'x', 'BAD_NUMBER', 'x', ${hash}, 'discarded', ${time} FROM ${series}`,
    `INSERT INTO ${table('dead_letter')} (pipeline, "key", sha256, records, headers, body, attempts, code, detail, state, at)
     SELECT '${pipeline}', ${text('letter-')}, ${hash}, 1, '{}', ${hash}, 1, 'UNPROCESSABLE', 'x', 'replayed', ${time} FROM ${series}`,
  ]
}

describePostgres('a large ledger in PostgreSQL', () => {
  let target: PostgresTarget
  beforeAll(async () => {
    target = await openPostgres()
    await using sink = target.open()
    await sink.prepare(model)
    const text = (beginning: string) => `('${beginning}' || lpad(n::text, 12, '0'))`
    const words = {
      table: (name: string) => `lading.${name}`,
      series: `generate_series(1, ${rows}) AS s (n)`,
      text,
      id: (beginning: string) => `${text(beginning)}::uuid`,
      hash: "'\\x00'::bytea",
      time: "timestamptz '2026-01-01Z' + n * interval '1 s'",
    }
    for (const sql of filling(words)) await target.query(sql)
    await target.query('ANALYZE')
  }, fillMs)
  afterAll(() => target[Symbol.asyncDispose]())

  /** Rows that were read one after the other, by table; a session tells its counters at its end. */
  async function scannedBy(ask: (sink: Sink) => Promise<unknown>): Promise<Readonly<Record<string, number>>> {
    const before = await scanned()
    {
      await using sink = target.open()
      await ask(sink)
    }
    const after = await scanned()
    const read = Object.entries(after).map(([table, count]) => [table, count - (before[table] ?? 0)] as const)
    return Object.fromEntries(read.filter(([, count]) => count > 0))
  }

  async function scanned(): Promise<Readonly<Record<string, number>>> {
    const sessions =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lading'"
    await expect.poll(() => target.query(sessions), { timeout: 30_000 }).toEqual([])
    const counters = await target.query(
      "SELECT relname, seq_tup_read::int FROM pg_stat_user_tables WHERE relname IN ('load', 'ledger', 'reject', 'dead_letter')",
    )
    return Object.fromEntries(counters.map((row) => [String(row['relname']), Number(row['seq_tup_read'])]))
  }

  it('a batch reads none of its tables', async () => {
    const load = loadOf(1, 1)
    const batch = (sink: Sink) => write(sink, model, [{ key: `${load.id}/0`, records: [['1']], load }])
    expect(await scannedBy(batch)).toEqual({})
    expect(await scannedBy(batch), 'once more').toEqual({})
  })

  it.for([...questions, ...pages])('%s: reads none of its tables', async ([, ask]) => {
    expect(await scannedBy((sink) => ask(sink.ledger))).toEqual({})
  })
})

describe('a large ledger in SQLite', () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lading-large-'))
    await using sink = new SqliteSink(join(folder, 'a.db'))
    await sink.prepare(model)
    using file = new SqliteFile(join(folder, 'a.db'))
    const text = (beginning: string) => `('${beginning}' || printf('%012d', n))`
    const words = {
      table: (name: string) => `lading_${name}`,
      series: `(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${rows}) SELECT n FROM s)`,
      text,
      id: text,
      hash: "x'00'",
      time: "strftime('%Y-%m-%dT%H:%M:%fZ', '2026-01-01', n || ' seconds')",
    }
    file.transaction(() => {
      for (const sql of filling(words)) file.run(sql)
    })
  }, fillMs)
  afterAll(() => rmSync(folder, { recursive: true }))

  it('what was loaded before is known of every load, with few receipts in memory', async () => {
    await using sink = new SqliteSink(join(folder, 'a.db'))
    const asked: number[] = []
    const loaded = await loadedOf({
      receipts: async (filter) => {
        const receipts = await sink.ledger.receipts(filter)
        asked.push(receipts.length)
        return receipts
      },
    })
    expect(loaded.size).toBe(2 * rows)
    expect([complete(1), complete(rows), open(1)].map((id) => loaded.get(id))).toEqual([1, 1, 1])
    expect(Math.max(...asked)).toBe(1_000)
  })

  it('loads that are pruned while receipts are read keep none of the others out', async () => {
    const path = join(folder, 'b.db')
    copyFileSync(join(folder, 'a.db'), path)
    await using sink = new SqliteSink(path)
    using file = new SqliteFile(path)
    file.run('PRAGMA foreign_keys = OFF')
    const ids = file
      .all<{ id: string }>('SELECT id FROM lading_load ORDER BY started_at DESC, id')
      .map(({ id }) => id)
    // The end of a page, one in its midst, and those of a later one.
    const gone = [...ids.slice(900, 1000), ids[500], ids[1500]]
    const found: string[] = []
    for await (const receipts of receiptPages(sink.ledger)) {
      found.push(...receipts.map(({ loadId }) => loadId))
      if (found.length > 1_000) continue
      for (const id of gone) file.run('DELETE FROM lading_load WHERE id = ?', id ?? '')
    }
    expect(found).toEqual(ids.filter((_, index) => index !== 1500))
  })

  it.for(questions)('%s: scans none of its tables', async ([, ask]) => {
    using file = new SqliteFile(join(folder, 'a.db'))
    const steps: string[] = []
    const explained = {
      all: (sql: string, ...values: SqliteValues) => {
        steps.push(
          ...file.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => detail),
        )
        return file.all(sql, ...values)
      },
      transaction: <T>(work: () => T): T => file.transaction(work),
    } as SqliteFile
    await ask(
      new SqlLedger(
        sqliteLedger(
          (work) => work(explained),
          () => true,
        ),
      ),
    )
    expect(steps.join('\n')).toContain('SEARCH')
    const derived = new Set(steps.map((step) => /^(?:CO-ROUTINE|MATERIALIZE) (\w+)/.exec(step)?.[1]))
    const scanned = steps.flatMap((step) => /^SCAN (?!.* INDEX |CONSTANT ROW)(\w+)/.exec(step)?.[1] ?? [])
    expect(scanned.filter((name) => !derived.has(name) && name !== 'json_each')).toEqual([])
  })
})

describeMariadb('a large ledger in MariaDB', () => {
  let target: MysqlTarget
  beforeAll(async () => {
    target = await openMysql()
    await using sink = target.open()
    await sink.prepare(model)
    const text = (beginning: string) => `('${beginning}' || lpad(n, 12, '0'))`
    const words = {
      table: (name: string) => `lading_${name}`,
      series: `(SELECT seq AS n FROM seq_1_to_${rows}) AS s`,
      text,
      id: text,
      hash: "x'00'",
      time: "date_format('2026-01-01' + INTERVAL n SECOND, '%Y-%m-%dT%H:%i:%s.000Z')",
    }
    for (const sql of filling(words)) await target.query(sql)
    await target.query('ANALYZE TABLE lading_load, lading_ledger, lading_reject, lading_dead_letter')
  }, fillMs)
  afterAll(() => target[Symbol.asyncDispose]())

  it.for(questions)('%s: scans none of its tables', async ([, ask]) => {
    await using connection = new Connection(target.url)
    const scanned = new Set<unknown>()
    const explained = (session: Session) => async (sql: string) => {
      const steps = await session.query(`EXPLAIN ${sql}`)
      for (const { type, table } of steps) if (type === 'ALL') scanned.add(table)
      return session.query(sql)
    }
    const use = <T>(work: (session: Session) => Promise<T>) =>
      connection.use((session) => {
        const explaining = { query: explained(session), run: session.run.bind(session) }
        return work(Object.assign(Object.create(session) as Session, explaining))
      })
    await ask(new SqlLedger(mysqlLedger({ use } as Connection)))
    const named = [...scanned].filter((name) => !String(name).startsWith('<'))
    // MariaDB takes each load to have as many dead letters as all that belong to messages.
    expect(named.filter((name) => name !== 'letter')).toEqual([])
  })
})
