/** SQLite takes several rows in one statement; nobody can tell that from one by one but by the clock. */
import { describe, expect, it } from 'vitest'
import { integer, text } from '../../src/model/columns.ts'
import { type ConflictPolicy, defineModel, type Model } from '../../src/model/model.ts'
import { idsWhere } from '../contract/sink/sql.ts'
import { allRejects, applied, batchOf, entries, numbers, type Texts, write } from '../contract/sink/target.ts'
import { openSqlite, type SqliteTarget } from './sqlite-target.ts'

const columns = { id: integer().notNull(), ref: integer(), note: text() }
const modelOf = (onConflict: ConflictPolicy) =>
  defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict })
const model = modelOf('error')

/** More than two statements, and some rows over. */
const ids = Array.from({ length: 40 }, (_, id) => id)
const records = ids.map((id): Texts => [`${id}`, `${id}`, 'good'])
const withBad = (bad: ReadonlyMap<number, Texts>) => records.map((record, id) => bad.get(id) ?? record)

async function load(target: SqliteTarget, rows: readonly Texts[], use: Model = model) {
  await using sink = target.open()
  await sink.prepare(use)
  const [verdict] = await write(sink, use, [{ key: `${rows.length} ${JSON.stringify(rows)}`, records: rows }])
  return { verdict, rejects: (await allRejects(sink)).map(({ record, code }) => [record, code]) }
}

const ways = [
  ['in place', { threadBytes: Number.POSITIVE_INFINITY }],
  ['by a thread', { threadBytes: 0 }],
] as const

const rules = [
  ['NOT NULL', 'note text NOT NULL', 'CONSTRAINT_NOT_NULL', null],
  ['CHECK', "note text CHECK (note <> 'bad')", 'CONSTRAINT_CHECK', 'bad'],
] as const

describe.for(ways)('several rows for each statement, %s', ([, options]) => {
  it.for(rules)(
    'rows that %s refuses are rejects and the rows beside them in the statement are loaded',
    async ([, column, code, note]) => {
      await using target = await openSqlite(options)
      await target.query(`CREATE TABLE items (id integer PRIMARY KEY, ref integer, ${column}) STRICT`)
      const bad = [0, 15, 16, 20, 21, 31, 39]
      const { verdict, rejects } = await load(
        target,
        withBad(new Map(bad.map((id) => [id, [`${id}`, `${id}`, note]]))),
      )
      expect(verdict).toEqual(applied(ids.length - bad.length, bad.length))
      expect(rejects).toEqual(bad.map((id) => [id, code]))
      expect(await numbers(target, 'items')).toEqual(ids.filter((id) => !bad.includes(id)))
    },
  )

  it('a key that comes twice in one statement is loaded once: the first, and the second is a reject', async () => {
    await using target = await openSqlite(options)
    const { verdict, rejects } = await load(target, withBad(new Map([[7, ['3', '7', 'second']]])))
    expect([verdict, rejects]).toEqual([applied(39, 1), [[7, 'CONSTRAINT_UNIQUE']]])
    expect(await target.query('SELECT note FROM items WHERE id = 3')).toEqual([{ note: 'good' }])
  })

  it('a key that comes twice in one statement is updated by the later one', async () => {
    await using target = await openSqlite(options)
    const { verdict, rejects } = await load(
      target,
      withBad(new Map([[7, ['3', '7', 'second']]])),
      modelOf('update'),
    )
    expect([verdict, rejects]).toEqual([applied(40), []])
    expect(await target.query('SELECT note FROM items WHERE id IN (3, 7)')).toEqual([{ note: 'second' }])
  })

  it('rows that the policy leaves out are skipped and counted, in whole statements and in parts of them', async () => {
    await using target = await openSqlite(options)
    const skip = modelOf('skip')
    const there = records.filter((_, id) => id < 16 || id === 20 || id === 39)
    expect((await load(target, there, skip)).verdict).toEqual(applied(18))
    const { verdict, rejects } = await load(target, withBad(new Map([[30, ['25', '30', 'again']]])), skip)
    expect([verdict, rejects]).toEqual([applied(21, 0, 19), []])
    expect(await idsWhere(target, 'items', "note = 'again'")).toEqual([])
  })

  it('rows that are older than those that are there are skipped and counted', async () => {
    await using target = await openSqlite(options)
    const versioned = defineModel({
      table: 'items',
      columns,
      primaryKey: ['id'],
      onConflict: 'update',
      version: 'ref',
    })
    expect((await load(target, records, versioned)).verdict).toEqual(applied(40))
    const again = ids.map((id): Texts => [`${id}`, `${id % 3 === 0 ? id - 1 : id + 1}`, 'new'])
    expect(await load(target, again, versioned)).toEqual({ verdict: applied(26, 0, 14), rejects: [] })
    expect(await idsWhere(target, 'items', "note = 'new'")).toEqual(ids.filter((id) => id % 3 !== 0))
  })

  it('a refused row costs a skipping load no row and no count', async () => {
    await using target = await openSqlite(options)
    await target.query('CREATE TABLE items (id integer PRIMARY KEY, ref integer UNIQUE, note text) STRICT')
    const rows = withBad(
      new Map<number, Texts>([
        [5, ['5', '0', 'bad']],
        [6, ['4', '6', 'twice']],
      ]),
    )
    const { verdict, rejects } = await load(target, rows, modelOf('skip'))
    expect([verdict, rejects]).toEqual([applied(38, 1, 1), [[5, 'CONSTRAINT_UNIQUE']]])
  })

  it.for(['', ' DEFERRABLE INITIALLY DEFERRED'])(
    'a row that refers to nothing is a reject, and no row beside it: %s',
    async (deferred) => {
      await using target = await openSqlite(options)
      await target.query(`CREATE TABLE parents (id integer PRIMARY KEY) STRICT; INSERT INTO parents VALUES (1);
    CREATE TABLE items (id integer PRIMARY KEY, ref integer REFERENCES parents${deferred}, note text) STRICT`)
      const rows = ids.map((id): Texts => [`${id}`, id === 9 || id === 33 ? '2' : '1', 'good'])
      const { verdict, rejects } = await load(target, rows)
      expect(verdict).toEqual(applied(38, 2))
      expect(rejects).toEqual([9, 33].map((id) => [id, 'CONSTRAINT_FOREIGN_KEY']))
    },
  )

  it('a row that refers to nothing and one that the table refuses at once are rejects, and no row beside them', async () => {
    await using target = await openSqlite(options)
    await target.query(`CREATE TABLE parents (id integer PRIMARY KEY) STRICT; INSERT INTO parents VALUES (1);
    CREATE TABLE items (id integer PRIMARY KEY, ref integer REFERENCES parents DEFERRABLE INITIALLY DEFERRED, note text CHECK (note <> 'bad')) STRICT`)
    const rows = ids.map((id): Texts => [`${id}`, id === 9 ? '2' : '1', id === 33 ? 'bad' : 'good'])
    const { verdict, rejects } = await load(target, rows)
    expect(verdict).toEqual(applied(38, 2))
    expect(rejects).toEqual([
      [9, 'CONSTRAINT_FOREIGN_KEY'],
      [33, 'CONSTRAINT_CHECK'],
    ])
  })

  it('a row that refers to a later one is a reject wherever the two stand', async () => {
    await using target = await openSqlite(options)
    await target.query(
      'CREATE TABLE items (id integer PRIMARY KEY, ref integer REFERENCES Items, note text) STRICT',
    )
    const rows = ids.map((id): Texts => [`${id}`, id === 3 ? '4' : id === 31 ? '32' : '0', 'good'])
    const { verdict, rejects } = await load(target, rows)
    expect([verdict, rejects]).toEqual([applied(38, 2), [3, 31].map((id) => [id, 'CONSTRAINT_FOREIGN_KEY'])])
  })

  it('a row that takes away what others refer to is a reject, whether or not a later one gives it back', async () => {
    await using target = await openSqlite(options)
    await target.query(`CREATE TABLE items (id integer PRIMARY KEY, ref integer UNIQUE, note text) STRICT;
    CREATE TABLE children (ref integer REFERENCES items (ref)) STRICT;
    INSERT INTO items VALUES (100, 7, 'x'); INSERT INTO children VALUES (7)`)
    const rows = ids.map((id): Texts =>
      id === 2 ? ['100', '102', 'x'] : id === 5 ? ['100', '7', 'y'] : [`${id}`, `${id + 200}`, 'good'],
    )
    const { verdict, rejects } = await load(target, rows, modelOf('update'))
    expect([verdict, rejects]).toEqual([applied(39, 1), [[2, 'CONSTRAINT_FOREIGN_KEY']]])
  })

  it('a trigger that keeps what it did before it fails leaves no trace of the rows that it refuses', async () => {
    await using target = await openSqlite(options)
    await target.query(`CREATE TABLE items (id integer PRIMARY KEY, ref integer, note text) STRICT; CREATE TABLE log (id integer);
    CREATE TRIGGER t AFTER INSERT ON items BEGIN
      INSERT INTO log VALUES (new.id); SELECT RAISE(FAIL, 'no') WHERE new.id % 10 = 9;
    END`)
    const { verdict, rejects } = await load(target, records)
    expect([verdict, rejects]).toEqual([applied(36, 4), [9, 19, 29, 39].map((id) => [id, 'TRIGGER_RAISED'])])
    expect(await numbers(target, 'log')).toEqual(ids.filter((id) => id % 10 !== 9))
  })

  it('a trigger that is made while the sink is open holds from the next batch on', async () => {
    await using target = await openSqlite(options)
    await using sink = target.open()
    await sink.prepare(model)
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(40)])
    await target.query(
      'CREATE TRIGGER t BEFORE INSERT ON items WHEN new.id = 45 BEGIN SELECT RAISE(IGNORE); END',
    )
    const more = ids.map((id): Texts => [`${id + 40}`, '1', 'good'])
    expect(await write(sink, model, [{ key: 'b', records: more }])).toEqual([applied(39, 1)])
  })

  it('parts that share a batch keep their rows apart, whatever their sizes', async () => {
    await using target = await openSqlite(options)
    await using sink = target.open()
    await sink.prepare(model)
    const sizes = [0, 1, 15, 16, 17, 33]
    let next = 0
    const parts = sizes.map((size) => ({
      key: `${size}`,
      records: Array.from({ length: size }, (): Texts => [`${next++}`, '1', 'good']),
    }))
    expect(await sink.write(batchOf(sink, model, parts))).toEqual(sizes.map((size) => applied(size)))
    expect(await numbers(target, 'items')).toEqual(Array.from({ length: next }, (_, id) => id))
    expect(await entries(target)).toHaveLength(sizes.length)
  })

  it('a table of many columns takes as many rows at once as it may', async () => {
    await using target = await openSqlite(options)
    const wide = defineModel({
      table: 'items',
      columns: Object.fromEntries(
        Array.from({ length: 600 }, (_, index) => [`c${index}`, integer().notNull()]),
      ),
      primaryKey: ['c0'],
    })
    const rows = [1, 2, 3].map((row) =>
      Array.from({ length: 600 }, (_, index) => `${index === 0 ? row : index}`),
    )
    expect((await load(target, rows, wide)).verdict).toEqual(applied(3))
  })
})
