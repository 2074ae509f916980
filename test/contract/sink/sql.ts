/** What a sink over an SQL database promises besides, and such a database as the target of all the tests. */
import { balance, boolean, type ColumnType, defineModel, integer, type Sink, text } from 'lading'
import { expect, it } from 'vitest'
import { type Entry, letterOf, loadOf, type Row, type Target, write } from './target.ts'

/** Where databases differ in the SQL of the tests. */
export interface Dialect {
  /** What a CREATE TABLE ends with. */
  readonly strict: string
  /** A type of text that may be part of a key. */
  readonly keyText: string
  /** What a computed column may say of NULL: NOT NULL where the database lets it. */
  readonly computed: string
  /** Of a foreign key that is looked at when a transaction ends, where the database has such. */
  readonly deferred: string
  /** Name of a table of the ledger: load, ledger, reject, dead_letter, migration. */
  readonly ledger: (table: string) => string
  /** A trigger that refuses the rows for which `condition` (of `new`) holds; undefined for a database without triggers. */
  readonly refuse?: (table: string, when: 'BEFORE' | 'AFTER', condition: string) => string
  /** A trigger by which every INSERT into the table fails as a system does, and what takes it away. */
  readonly breakdown: (table: string) => { readonly begin: string; readonly end: string }
  /** An expression that gives a column's value in the form of `ValueWriter`, as text. */
  readonly text: (kind: ColumnType['kind'], column: string) => string
}

interface Database extends AsyncDisposable {
  readonly dialect: Dialect
  open(): Sink
  /** Runs one or more statements and returns the rows of a single SELECT. */
  query(sql: string): Promise<readonly Row[]>
}

export type SqlTarget = Database & Target

export type OpenSqlTarget = () => Promise<SqlTarget>

/** An SQL database as the target of tests; its ledger has the tables and columns of Lading's own. */
export function sqlTarget<T extends Database>(database: T): T & Target {
  const { dialect } = database
  return Object.assign(database, {
    rows: (table: string) => database.query(`SELECT * FROM ${table}`),
    texts: async (table: string, column: string, kind: string) => {
      const rows = await database.query(
        `SELECT ${dialect.text(kind, column)} AS value FROM ${table} ORDER BY id`,
      )
      return rows.map(({ value }) => (value === null ? null : String(value)))
    },
    entries: async () => (await database.query(`SELECT * FROM ${dialect.ledger('ledger')}`)).map(entryOf),
    breakDown: async (where: { readonly table: string } | 'ledger' | 'rejects') => {
      const own = where === 'rejects' ? 'reject' : 'ledger'
      const { begin, end } = dialect.breakdown(typeof where === 'object' ? where.table : dialect.ledger(own))
      await database.query(begin)
      return () => database.query(end)
    },
  })
}

function entryOf(row: Row): Entry & { readonly pipeline: string } {
  const of = (name: string) => Number(row[name])
  return {
    pipeline: String(row['pipeline']),
    key: String(row['key']),
    outcome: String(row['outcome']),
    records: of('records'),
    loaded: of('loaded'),
    rejected: of('rejected'),
    skipped: of('skipped'),
  }
}

/** The ids of the rows for which the condition holds, sorted. */
export async function idsWhere(target: SqlTarget, table: string, condition: string): Promise<number[]> {
  const rows = await target.query(`SELECT id FROM ${table} WHERE ${condition} ORDER BY 1`)
  return rows.map(({ id }) => Number(id))
}

export function besides(open: OpenSqlTarget): void {
  it('a default stands in for a missing value, in the rows of lading and in those of others', async () => {
    await using target = await open()
    await using sink = target.open()
    const columns = {
      id: integer().notNull(),
      size: integer().default(7),
      open: boolean().default(true),
      note: text().default("it's"),
    }
    const model = defineModel({ table: 'items', columns })
    await sink.prepare(model)
    await write(sink, model, [{ key: 'a', records: [['1', null, null, null]] }])
    await target.query('INSERT INTO items (id) VALUES (2)')
    const shown = target.dialect.text('boolean', 'open')
    const rows = await target.query(`SELECT size, ${shown} AS open, note FROM items ORDER BY id`)
    const row = { size: 7, open: 'true', note: "it's" }
    expect(rows).toEqual([row, row])
  })

  it('a dead letter that was deleted shows in the receipt, also where others are left', async () => {
    await using target = await open()
    await using sink = target.open()
    const model = defineModel({ table: 'events', columns: { id: integer() } })
    await sink.prepare(model)
    const load = loadOf(3, 6)
    const chunk = (no: number, ...ids: number[]) => ({
      key: `${load.id}/${no}`,
      records: ids.map((id) => [`${id}`]),
      load,
    })
    const receiptOf = async () => {
      const [receipt] = await sink.ledger.receipts({ loads: [load.id] })
      if (receipt === undefined) throw new Error('no receipt')
      return receipt
    }
    await write(sink, model, [chunk(0, 1)])
    await sink.ledger.bury(letterOf(chunk(1, 2, 3)))
    await sink.ledger.bury(letterOf(chunk(2, 4, 5, 6)))
    const balanced = await receiptOf()
    expect([balance(balanced), balanced.deadLetters, balanced.deadLetterRecords]).toEqual([
      { open: 0, problems: [] },
      2,
      5,
    ])
    await target.query(`DELETE FROM ${target.dialect.ledger('dead_letter')} WHERE records = 2`)
    expect(balance(await receiptOf()).problems).toEqual([expect.stringMatching(/5 records are dead.* 3/)])
  })
}
