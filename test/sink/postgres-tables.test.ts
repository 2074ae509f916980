/** What the PostgreSQL sink makes of tables that others use, have made, or change meanwhile. */
import pg from 'pg'
import { expect, it } from 'vitest'
import { custom, integer, text } from '../../src/model/columns.ts'
import { btree } from '../../src/model/declared.ts'
import { defineModel } from '../../src/model/model.ts'
import { modelOfTable } from '../../src/model/of-table.ts'
import { derive } from '../../src/sink/derive.ts'
import { lockedKeys } from '../../src/sink/postgres/table/locked.ts'
import { spaceAdvice } from '../../src/sink/registry.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { allRejects, applied, batchOf, loadOf, numbers, pipeline, write } from '../contract/sink/target.ts'
import { openPostgres, type PostgresTarget } from './postgres-target.ts'

const columns = { id: integer().notNull(), note: text() }
const model = defineModel({ table: 'items', columns, primaryKey: ['id'] })
const wrong = defineModel({ table: 'items', columns: { id: integer().notNull(), note: integer() } })

/** Another session that reads the table, in a transaction. */
async function reading(target: PostgresTarget): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: target.url })
  await client.connect()
  await client.query('BEGIN; LOCK TABLE items IN ACCESS SHARE MODE')
  return client
}

/** An administrator lets nobody drop anything. */
const forbidDrops = `CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not here'; END $$;
  CREATE EVENT TRIGGER forbid ON sql_drop EXECUTE FUNCTION forbid()`
const allowDrops = 'DROP EVENT TRIGGER forbid; DROP FUNCTION forbid'

describePostgres('a table of PostgreSQL', () => {
  it('that lading made for another model is made again, unless another session uses it or nobody may drop it', async () => {
    await using target = await openPostgres()
    {
      await using first = target.open()
      await first.prepare(wrong)
    }
    await using sink = target.open()
    const reader = await reading(target)
    await expect(sink.prepare(model)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
    await reader.end()
    await target.query(forbidDrops)
    await expect(sink.prepare(model)).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining('not here'),
    })
    await target.query(allowDrops)
    await expect.poll(() => sink.prepare(model)).toMatchObject({ remade: true })
  })

  it('keeps its indexes where another session uses it or nobody may drop them, and then there is nothing to build', async () => {
    await using target = await openPostgres()
    {
      await using first = target.open()
      await first.prepare(model)
    }
    const begin = async () => {
      await using sink = target.open()
      const { deferred, reason } = await sink.prepare(model, { deferIndexes: 'begin' })
      return [deferred, reason, await sink.buildIndexes?.(model)]
    }
    const reader = await reading(target)
    expect(await begin()).toEqual([false, 'others are using it', 'nothing'])
    await reader.end()
    await target.query(forbidDrops)
    await expect(begin()).rejects.toMatchObject({
      code: 'SINK_FAILED',
      message: expect.stringContaining('not here'),
    })
    await target.query(allowDrops)
    await expect.poll(begin).toEqual([true, undefined, 'built'])
  })

  it('whose indexes another session builds is busy, and one without a key has its index built too', async () => {
    await using target = await openPostgres()
    const keyless = defineModel({ table: 'items', columns, indexes: [btree('note')] })
    {
      await using interrupted = target.open()
      expect(await interrupted.prepare(keyless, { deferIndexes: 'begin' })).toMatchObject({ deferred: true })
      await write(interrupted, keyless, [{ key: 'a', records: [['1', 'x']] }])
    }
    const lock = "pg_try_advisory_lock(hashtextextended('lading/deferred/' || 'items'::regclass::oid, 0))"
    await expect.poll(() => target.query(`SELECT ${lock} AS had`)).toEqual([{ had: true }])
    await using sink = target.open()
    await expect(sink.prepare(keyless)).rejects.toMatchObject({
      code: 'SINK_BUSY',
      message: 'the indexes of table items are being built',
    })
    await target.query('SELECT pg_advisory_unlock_all()')
    await sink.prepare(keyless)
    expect(await target.query("SELECT indexname FROM pg_indexes WHERE tablename = 'items'")).toEqual([
      { indexname: 'items_note_idx' },
    ])
  })

  it('that is not there is said to be missing by what asks for it', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await sink.prepare()
    const absent = expect.objectContaining({ code: 'SCHEMA_MISMATCH' })
    await expect(sink.isEmpty?.(model)).rejects.toEqual(absent)
    await expect(derive(sink, { table: { table: 'items' } })).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: 'there is no table items',
    })
  })

  it('with a DEFERRABLE key decides no conflict by it, which is said', async () => {
    await using target = await openPostgres()
    await target.query('CREATE TABLE items (id integer PRIMARY KEY DEFERRABLE, note text)')
    await using sink = target.open()
    const facts = await sink.table?.({ table: 'items' })
    if (facts === undefined) return expect.unreachable()
    expect(modelOfTable(facts, ['id', 'note'], { onConflict: 'update' }).problems).toEqual([
      expect.stringContaining('items_pkey: it is DEFERRABLE, and such a constraint decides no conflict'),
    ])
  })

  it('refuses a value in a column whose name begins as that of another, and the right one is named', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    const own = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), net: custom('inet'), 'net: x': custom('inet') },
    })
    await sink.prepare(own)
    expect(await write(sink, own, [{ key: 'a', records: [['1', '10.0.0.1', 'none']] }])).toEqual([
      applied(0, 1),
    ])
    expect(await allRejects(sink)).toMatchObject([{ code: 'VALUE_REFUSED', column: 'net: x' }])
  })

  it('refuses a row of one message of several, where keys may exist, and takes those of the others', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await target.query("CREATE TABLE items (id integer PRIMARY KEY, note text CHECK (note <> 'bad'))")
    const skip = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'skip' })
    await sink.prepare(skip)
    const deliveries = ['good', 'bad', 'fine'].map((note, id) => ({ key: note, records: [[`${id}`, note]] }))
    expect(await write(sink, skip, deliveries)).toEqual([applied(1), applied(0, 1), applied(1)])
    expect(await numbers(target, 'items')).toEqual([0, 2])
  })

  it('and the ledger beside it: what is no lock shows as what it is, and the advice for its space can be followed', async () => {
    await using target = await openPostgres()
    await target.query('BEGIN')
    await expect(lockedKeys(target.client, pipeline, ['a'])).rejects.toMatchObject({ code: '42P01' })
    await target.query('ROLLBACK')
    await using sink = target.open()
    await sink.prepare(model)
    const [, vacuum] = / (VACUUM .*)$/.exec(spaceAdvice(target.url) ?? '') ?? []
    expect(await target.query(vacuum ?? 'SELECT 1 AS nothing')).toEqual([])
  })
})

describePostgres('the rows of a table of PostgreSQL that are to be replaced', () => {
  it.for([
    ['a view', 'CREATE VIEW items AS SELECT 1 AS id, $$a$$ AS note', /it is no table/],
    [
      'a table whose rows others would lose theirs with',
      'CREATE TABLE items (id integer PRIMARY KEY, note text); CREATE TABLE parts (item integer REFERENCES items ON DELETE CASCADE)',
      /rows of table parts refer to it, and would be changed with it/,
    ],
  ] as const)('are refused of %s', async ([, sql, message]) => {
    await using target = await openPostgres()
    await using sink = target.open()
    await sink.prepare()
    await target.query(sql)
    await expect(sink.replacing?.(model, pipeline)).rejects.toMatchObject({
      code: 'REPLACE_REFUSED',
      message: expect.stringMatching(message),
    })
  })

  it('keep to the foreign keys of the table, and are not replaced by what somebody has dropped meanwhile', async () => {
    await using target = await openPostgres()
    await target.query(
      'CREATE TABLE kinds (note text PRIMARY KEY); INSERT INTO kinds VALUES ($$x$$); CREATE TABLE items (id integer PRIMARY KEY, note text REFERENCES kinds)',
    )
    await using sink = target.open()
    await sink.prepare(model)
    await using replacement = await sink.replacing?.(model, pipeline)
    if (replacement === undefined) return expect.unreachable()
    await sink.prepare(replacement.model)
    const load = loadOf(1, 2)
    const records = [
      ['1', 'x'],
      ['2', 'y'],
    ]
    const batch = batchOf(sink, replacement.model, [{ key: `${load.id}/0`, load, records }])
    expect(await sink.write({ ...batch, pipeline: replacement.pipeline })).toEqual([applied(1, 1)])
    expect(await allRejects(sink)).toMatchObject([{ code: 'CONSTRAINT_FOREIGN_KEY' }])
    await sink.ledger.fold([load.id])
    await target.query(`DROP TABLE lading."${replacement.model.table}"`)
    await expect(replacement.take([{ gathered: load.id, id: loadOf(1, 2).id }])).rejects.toMatchObject({
      code: 'REPLACE_REFUSED',
      message: expect.stringContaining('what was gathered for it is gone'),
    })
  })

  it('have what the triggers of the table fill in', async () => {
    await using target = await openPostgres()
    await target.query(
      `CREATE TABLE items (id integer PRIMARY KEY, note text, made timestamptz NOT NULL);
       CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.made = now(); RETURN new; END';
       CREATE TRIGGER stamp BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION stamp()`,
    )
    await using sink = target.open()
    await sink.prepare(model)
    await using replacement = await sink.replacing?.(model, pipeline)
    if (replacement === undefined) return expect.unreachable()
    await sink.prepare(replacement.model)
    const load = loadOf(1, 1)
    const batch = batchOf(sink, replacement.model, [{ key: `${load.id}/0`, load, records: [['1', 'x']] }])
    expect(await sink.write({ ...batch, pipeline: replacement.pipeline })).toEqual([applied(1, 0)])
    await sink.ledger.fold([load.id])
    expect(await replacement.take([{ gathered: load.id, id: loadOf(1, 1).id }])).toEqual({
      before: 0,
      rows: 1,
    })
    const rows = await target.query('SELECT id, made IS NOT NULL AS filled FROM items')
    expect(rows).toEqual([{ id: 1, filled: true }])
  })
})
