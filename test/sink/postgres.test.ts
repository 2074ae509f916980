import { describe, expect, it } from 'vitest'
import * as column from '../../src/model/columns.ts'
import { bigint, custom, integer, text } from '../../src/model/columns.ts'
import { createConsumer } from '../../src/consumer/consumer.ts'
import type { Listener } from '../../src/core/events.ts'
import { defineModel, hash } from '../../src/model/model.ts'
import { produce } from '../../src/producer/produce.ts'
import { Fixture } from '../support/fixture.ts'
import { sqlSinkContract } from '../contract/sink/sink.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { isolation, type Rule } from '../contract/sink/isolation.ts'
import { idsWhere } from '../contract/sink/sql.ts'
import { allRejects, applied, batchOf, letterOf, numbers, write } from '../contract/sink/target.ts'
import { PostgresSink } from '../../src/sink/postgres/postgres.ts'
import { openPostgres } from './postgres-target.ts'

const table = (extra: string, note = 'text') =>
  `CREATE TABLE items (id integer PRIMARY KEY, ref integer, note ${note}${extra});`

const constraintTrigger = (timing: string) => `
  CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'ZZ001'; END $$;
  CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON items ${timing} FOR EACH ROW WHEN (new.note = 'bad') EXECUTE FUNCTION refuse()`

/** Its error quotes the row in a statement, as if a COPY had failed at its first line. */
const misleadingTrigger = `
  CREATE FUNCTION mislead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF new.note = 'bad' THEN EXECUTE E'SELECT 1/0 AS "\\nCOPY items, line 1"'; END IF; RETURN new; END $$;
  CREATE TRIGGER mislead BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION mislead()`

const rules: readonly Rule[] = [
  {
    name: 'EXCLUDE',
    code: 'CONSTRAINT_EXCLUSION',
    sql: () => table(', EXCLUDE USING btree (ref WITH =)'),
    bad: { ref: () => '0' },
  },
  {
    name: 'UNIQUE DEFERRABLE INITIALLY DEFERRED',
    code: 'CONSTRAINT_UNIQUE',
    sql: () => table(', UNIQUE (ref) DEFERRABLE INITIALLY DEFERRED'),
    bad: { ref: () => '0' },
  },
  {
    name: 'a custom type',
    code: 'VALUE_REFUSED',
    column: 'note',
    sql: () => table('', 'inet'),
    bad: { note: '1.2.3' },
    note: { type: 'inet', good: '10.0.0.1' },
  },
  {
    name: 'a domain',
    code: 'CONSTRAINT_CHECK',
    sql: () => `CREATE DOMAIN short AS text CHECK (length(value) < 10); ${table('', 'short')}`,
    bad: { note: 'x\nCOPY items, line 1' },
    note: { type: 'short', good: 'good' },
  },
  {
    name: 'a deferred constraint trigger',
    code: 'TRIGGER_RAISED',
    sql: () => table('') + constraintTrigger('DEFERRABLE INITIALLY DEFERRED'),
    bad: { note: 'bad' },
  },
  {
    name: 'an error that names another row',
    code: 'VALUE_REFUSED',
    sql: () => table('') + misleadingTrigger,
    bad: { note: 'bad' },
  },
]

/** Columns that exist, what a model says of them, and whether every value of the model is kept as it is. */
const widths: readonly (readonly [is: string, says: column.Column, keeps: boolean])[] = [
  ['numeric', column.numeric(10, 2), true],
  ['numeric', column.numeric(), true],
  ['numeric(10, 2)', column.numeric(10, 2), true],
  ['numeric(12, 4)', column.numeric(10, 2), true],
  ['numeric(9, 2)', column.numeric(10, 2), false],
  ['numeric(10, 1)', column.numeric(10, 2), false],
  ['numeric(10, 4)', column.numeric(10, 2), false],
  ['numeric(1000, 1000)', column.numeric(1000, 1000), true],
  ['numeric(10)', column.numeric(10), true],
  ['numeric(10, 2)', column.numeric(), false],
  ['timestamp', column.timestamp(), true],
  ['timestamp(6)', column.timestamp(), true],
  ['timestamp(3)', column.timestamp(), false],
  ['timestamptz(6)', column.timestamptz(), true],
  ['timestamptz(0)', column.timestamptz(), false],
  ['varchar', column.text(), true],
  ['text', column.varchar(3), true],
  ['varchar(3)', column.varchar(3), true],
  ['varchar(2)', column.varchar(3), false],
  ['varchar(2)', column.text(), false],
  ['varchar(3)', column.enumeration('abc', 'd'), true],
  ['varchar(2)', column.enumeration('abc', 'd'), false],
  ['char(3)', column.varchar(3), false],
  ['char(3)', column.text(), false],
  ['narrow', column.numeric(10, 2), false],
  ['wide', column.numeric(10, 2), true],
]

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
})
const records = [1, 2, 3].map((id) => [`${id}`, 'x'])

describePostgres('PostgreSQL', () => {
  sqlSinkContract('PostgreSQL', openPostgres)

  describe('isolation of bad records, by the rules that only PostgreSQL has', () =>
    isolation(openPostgres, rules))

  it('a row for which a partitioned table has no partition is a reject', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await target.query(`CREATE TABLE items (id integer PRIMARY KEY, note text) PARTITION BY RANGE (id);
      CREATE TABLE items_low PARTITION OF items FOR VALUES FROM (0) TO (3)`)
    await sink.prepare(model)
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(2, 1)])
    expect(await allRejects(sink)).toMatchObject([{ record: 2, code: 'CONSTRAINT_CHECK' }])
  })

  it.for(widths)(
    'an existing column that would change values of the model is refused by name: %s',
    async ([is, says, keeps]) => {
      await using target = await openPostgres()
      await using sink = target.open()
      await target.query(
        `CREATE DOMAIN narrow AS numeric(10, 1); CREATE DOMAIN wide AS numeric(20, 2); CREATE TABLE items (note ${is})`,
      )
      const preparing = sink.prepare(defineModel({ table: 'items', columns: { note: says } }))
      if (keeps) {
        await preparing
        return
      }
      const message = expect.stringMatching(
        /column note is \w+.*\(\d+.*, the model says (numeric|timestamp|varchar|text)/,
      )
      await expect(preparing).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', message })
    },
  )

  it('everything that does not fit is told at once, each with what to write instead', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await target.query(`CREATE TYPE mood AS ENUM ('good'); CREATE TABLE items (id bigint, small smallint, price numeric(8,2), name varchar(20), code char(3),
      at timestamptz(3), doc jsonb, twice int GENERATED ALWAYS AS (1) STORED, extra mood NOT NULL, tags text[] NOT NULL)`)
    const columns = {
      id: integer().notNull(),
      small: integer(),
      price: column.numeric(),
      name: text(),
      code: text(),
      at: column.timestamptz(),
      doc: column.json(),
      twice: integer(),
      gone: column.varchar(4),
    }
    const wanted = [
      'column id is bigint, the model says integer (write bigint())',
      "column small is smallint, the model says integer (write custom('smallint'))",
      'column price is numeric(8,2), the model says numeric: it would round, cut or refuse values that the model allows (write numeric(8, 2))',
      'column name is character varying(20), the model says text: it would round, cut or refuse values that the model allows (write varchar(20))',
      "alter the column to varchar(3), or write custom('character(3)'))",
      "column at is timestamp(3) with time zone, the model says timestamptz: it would round, cut or refuse values that the model allows (write custom('timestamp(3) with time zone'))",
      "column doc is jsonb, the model says json (write custom('jsonb'))",
      'column twice is computed by the table itself (leave it out of the model)',
      'it has no column gone (ALTER TABLE "items" ADD COLUMN "gone" varchar(4), or leave it out of the model)',
      'column extra needs a value and is not in the model (write extra: text().notNull(), or give it a DEFAULT)',
      "column tags needs a value and is not in the model (write tags: custom('text[]').notNull(), or give it a DEFAULT)",
      `onConflict 'update' needs a unique index on exactly ("id") (ALTER TABLE "items" ADD PRIMARY KEY ("id"), or onConflict: 'error')`,
    ]
    const error: unknown = await sink
      .prepare(defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'update' }))
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH' })
    for (const each of wanted) expect(String(error)).toContain(each)
  })

  it('a hash index over many rows of one value is warned against once, with the statement that drops it, whether built or left for the end', async () => {
    await using target = await openPostgres()
    await using fixture = await Fixture.open({
      url: target.url,
      ids: () => numbers(target, 'numbers'),
      execute: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    })
    const queue = await fixture.queue()
    const hashed = defineModel({
      table: 'numbers',
      columns: { id: bigint().notNull(), note: text(), kind: text().default('same') },
      primaryKey: ['id'],
      indexes: [hash('id'), hash('kind')],
    })
    const warnings: string[] = []
    const onEvent: Listener = (event) => void (event.type === 'warning' && warnings.push(event.message))
    await using sink = new PostgresSink(target.url, { manyRowsOfOneValue: 150 })
    await sink.prepare(hashed, { deferIndexes: 'begin' })
    const consume = () =>
      createConsumer({ queue, sink, model: hashed, onEvent, besideLoad: true, batch: { messages: 1 } }).run({
        untilEmpty: true,
      })
    await produce(fixture.producing(queue, [await fixture.file(100)], { model: hashed }))
    await consume()
    expect(warnings).toEqual([])
    await produce(fixture.producing(queue, [await fixture.file(200)], { model: hashed }))
    await consume()
    expect(warnings).toEqual([
      expect.stringMatching(
        /table numbers: about \d+ rows have the same kind.*leave hash\('kind'\) out of the model, and drop the index when it is built/,
      ),
    ])
    await sink.buildIndexes?.(hashed)
    expect(await sink.warnings(hashed)).toEqual([
      expect.stringMatching(/about 300 rows.*; DROP INDEX numbers_kind_idx, and leave hash/),
    ])
  })

  it.for([
    'GRANT SELECT ON items TO PUBLIC',
    "COMMENT ON COLUMN items.id IS 'mine'",
    'ALTER TABLE items ALTER note SET STORAGE PLAIN, ALTER id SET STATISTICS 7',
    'CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; CREATE TRIGGER mine AFTER DELETE ON items EXECUTE FUNCTION nothing()',
    'CREATE TABLE child () INHERITS (items)',
    'CREATE PUBLICATION mine FOR TABLE items',
    'ALTER TABLE items ENABLE ROW LEVEL SECURITY',
  ])('a table of ours to which others have added something is left alone: %s', async (change) => {
    await using target = await openPostgres()
    await using first = target.open()
    await first.prepare(
      defineModel({
        table: 'items',
        columns: { id: integer().notNull(), note: integer() },
        primaryKey: ['id'],
      }),
    )
    await first[Symbol.asyncDispose]()
    await target.query(change)
    await using sink = target.open()
    await expect(sink.prepare(model)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
  })

  it('a table of ours that a consumer has prepared is left alone until that is gone, and indexes left for the end change nothing', async () => {
    await using target = await openPostgres()
    await using first = target.open()
    const wrong = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), note: integer() },
      primaryKey: ['id'],
    })
    await first.prepare(wrong, { deferIndexes: 'begin' })
    await first.buildIndexes?.(wrong)
    await first.prepare(wrong)
    await using consumer = target.open()
    await consumer.prepare(wrong)
    await using sink = target.open()
    await expect(sink.prepare(model)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
    await consumer[Symbol.asyncDispose]()
    await first[Symbol.asyncDispose]()
    await expect.poll(() => sink.prepare(model)).toMatchObject({ remade: true })
  })

  it.for(['UNLOGGED', 'FOREIGN'])('a table with a partition that is %s is refused by name', async (kind) => {
    await using target = await openPostgres()
    await using sink = target.open()
    const server = kind === 'FOREIGN' ? 'SERVER elsewhere' : ''
    await target.query(`CREATE FOREIGN DATA WRAPPER none; CREATE SERVER elsewhere FOREIGN DATA WRAPPER none;
      CREATE TABLE items (id integer NOT NULL, note text) PARTITION BY RANGE (id);
      CREATE TABLE items_low PARTITION OF items FOR VALUES FROM (0) TO (3) PARTITION BY RANGE (id);
      CREATE ${kind} TABLE items_lowest PARTITION OF items_low FOR VALUES FROM (0) TO (1) ${server}`)
    await expect(sink.prepare(model)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('items_lowest'),
    })
  })

  it('a database that is not in UTF-8 is refused, because it could not keep every reject', async () => {
    await using target = await openPostgres()
    const { pathname } = new URL(target.url)
    const other = `${pathname.slice(1)}_latin`
    await target.query(
      `CREATE DATABASE ${other} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'`,
    )
    const sink = new PostgresSink(target.url.replace(pathname, `/${other}`))
    const refused = expect.objectContaining({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('LATIN1'),
    })
    await expect(sink.prepare()).rejects.toEqual(refused)
    await sink[Symbol.asyncDispose]()
    await target.query(`DROP DATABASE ${other}`)
  })

  it.for(['key', 'version'])(
    'json cannot be compared, so a %s of that type is refused before anything is made',
    async (use) => {
      await using target = await openPostgres()
      await using sink = target.open()
      for (const type of [column.json(), custom('JSON')]) {
        const columns = { id: integer().notNull(), doc: type.notNull() }
        const wrong =
          use === 'key'
            ? defineModel({ table: 'items', columns, primaryKey: ['id', 'doc'] })
            : defineModel({
                table: 'items',
                columns,
                primaryKey: ['id'],
                onConflict: 'update',
                version: 'doc',
              })
        const message = expect.stringMatching(/column doc .*json/)
        await expect(sink.prepare(wrong)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', message })
      }
      expect(await target.query("SELECT to_regclass('items') AS made")).toEqual([{ made: null }])
    },
  )

  it('a table that is not logged is refused', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await target.query('CREATE UNLOGGED TABLE items (id integer PRIMARY KEY, note text)')
    await expect(sink.prepare(model)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringContaining('not logged'),
    })
  })

  it.for([
    ['ALTER TABLE items RENAME note TO other', 'ALTER TABLE items RENAME other TO note', 'SCHEMA_MISMATCH'],
    ['ALTER TABLE items RENAME TO others', 'ALTER TABLE others RENAME TO items', 'SCHEMA_MISMATCH'],
    [
      `CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '42501'; END $$;
       CREATE TRIGGER forbid BEFORE INSERT ON items EXECUTE FUNCTION forbid()`,
      'DROP FUNCTION forbid CASCADE',
      'SINK_REFUSED',
    ],
  ] as const)(
    'what fails without any row makes no reject, and nothing is left of the batch: %s',
    async ([spoil, mend, code]) => {
      await using target = await openPostgres()
      for (const onConflict of ['error', 'update', 'merge'] as const) {
        await using sink = target.open()
        const own = defineModel({
          table: 'items',
          columns: { id: integer().notNull(), note: text() },
          primaryKey: ['id'],
          onConflict,
        })
        await sink.prepare(own)
        // Where rows are updated, the conflict sends the next batches through the staging table.
        const first =
          onConflict === 'update'
            ? [
                { key: 'first', records },
                { key: 'again', records },
              ]
            : []
        if (first.length > 0) await write(sink, own, first)
        await target.query(spoil)
        for (const some of [records, [['9', 'x']]])
          await expect(write(sink, own, [{ key: 'a', records: some }])).rejects.toMatchObject({ code })
        expect(await allRejects(sink)).toEqual([])
        await target.query(mend)
        expect(await write(sink, own, [{ key: onConflict, records }])).toEqual([applied(3)])
      }
    },
  )

  it('a row that a trigger silently leaves out is a reject', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await sink.prepare(model)
    await target.query(`CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER drop_row BEFORE INSERT ON items FOR EACH ROW WHEN (new.id = 2) EXECUTE FUNCTION drop_row()`)
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(2, 1)])
    expect(await allRejects(sink)).toMatchObject([{ record: 1, code: 'TRIGGER_RAISED' }])
    expect(await numbers(target, 'items')).toEqual([1, 3])
  })

  it('a row that a trigger silently leaves out of an update is a reject', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    const columns = { id: integer().notNull(), note: text() }
    const upsert = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'update' })
    await sink.prepare(upsert)
    await write(sink, upsert, [{ key: 'a', records: [...records, ['4', 'x']] }])
    await target.query(`CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER drop_new BEFORE INSERT ON items FOR EACH ROW WHEN (new.id IN (2, 5)) EXECUTE FUNCTION drop_row();
      CREATE TRIGGER drop_old BEFORE UPDATE ON items FOR EACH ROW WHEN (new.id = 3) EXECUTE FUNCTION drop_row()`)
    const again = [1, 2, 3, 4, 5, 6].map((id) => [`${id}`, 'y'])
    expect(await write(sink, upsert, [{ key: 'b', records: again }])).toEqual([applied(3, 3)])
    expect((await allRejects(sink)).map(({ record, code }) => [record, code])).toEqual(
      [1, 2, 4].map((row) => [row, 'TRIGGER_RAISED']),
    )
    expect(await idsWhere(target, 'items', "note = 'y'")).toEqual([1, 4, 6])
  })

  it('whatever the database lowers synchronous_commit to, batches and dead letters are committed durably', async () => {
    await using target = await openPostgres()
    await target.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`,
    )
    await using sink = target.open()
    await sink.prepare(model)
    await target.query(`CREATE TABLE seen (setting text);
      CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN new; END $$;
      CREATE TRIGGER look AFTER INSERT ON items EXECUTE FUNCTION look();
      CREATE TRIGGER look AFTER INSERT ON lading.dead_letter EXECUTE FUNCTION look()`)
    await write(sink, model, [{ key: 'a', records }])
    await sink.ledger.bury(letterOf({ key: 'b', records }))
    expect(await target.query('SELECT setting FROM seen')).toEqual([{ setting: 'on' }, { setting: 'on' }])
  })

  it('a database whose default isolation is serializable is prepared and loaded by several at once', async () => {
    await using target = await openPostgres()
    await target.query(`DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`)
    const upsert = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), note: text() },
      primaryKey: ['id'],
      onConflict: 'update',
    })
    const sinks = Array.from({ length: 4 }, () => target.open())
    await Promise.all(sinks.map((sink) => sink.prepare(upsert)))
    for (let round = 0; round < 10; round++) {
      const verdicts = await Promise.all(
        sinks.map((sink) => write(sink, upsert, [{ key: `${round}`, records }])),
      )
      expect(verdicts.flat().filter(({ kind }) => kind === 'applied')).toHaveLength(1)
    }
    for (const sink of sinks) await sink[Symbol.asyncDispose]()
  })

  it('a row that the schema, the search path and the letter case name apart goes to the table of the model', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    await target.query(
      `CREATE SCHEMA "Other"; CREATE TABLE "Other"."Items" (id integer PRIMARY KEY); CREATE TABLE items (id integer PRIMARY KEY)`,
    )
    const other = defineModel({
      schema: 'Other',
      table: 'Items',
      columns: { id: integer().notNull() },
      primaryKey: ['id'],
      onConflict: 'skip',
    })
    await sink.prepare(other)
    expect(await write(sink, other, [{ key: 'a', records: [['1'], ['1']] }])).toEqual([applied(1, 0, 1)])
    expect(await numbers(target, '"Other"."Items"')).toEqual([1])
    expect(await numbers(target, 'items')).toEqual([])
  })

  it('rows with a type that lading does not know travel as text', async () => {
    await using target = await openPostgres()
    await using sink = target.open()
    const types = defineModel({
      table: 'items',
      columns: { id: integer(), net: custom('inet'), span: custom('int4range') },
    })
    await sink.prepare(types)
    const batch = batchOf(sink, types, [
      {
        key: 'a',
        records: [
          ['1', '10.0.0.0/8', '[1,5)'],
          ['2', null, 'empty'],
        ],
      },
    ])
    expect(await sink.write(batch)).toEqual([applied(2)])
    expect(await target.query('SELECT net::text, span::text FROM items ORDER BY id')).toEqual([
      { net: '10.0.0.0/8', span: '[1,5)' },
      { net: null, span: 'empty' },
    ])
  })
})
