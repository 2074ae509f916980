/** What the doctor says of a table in PostgreSQL, and of the ledger beside it. */
import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { integer, text } from '../../src/model/columns.ts'
import { btree } from '../../src/model/declared.ts'
import { defineModel } from '../../src/model/model.ts'
import { openSink } from '../../src/sink/registry.ts'
import { describePostgres } from '../../tooling/servers/database.ts'
import { levels, named, usePostgres } from './findings.ts'

const lines = (n: number, id: (row: number) => number = (row) => row + 1) => [
  'id,note',
  ...Array.from({ length: n }, (_, row) => `${id(row)},note ${(row * 7919) % 10_007}`),
]

describePostgres('doctor of a table in PostgreSQL', () => {
  const at = usePostgres()
  const { sql } = at
  const findings = (options: Parameters<typeof at.place.findings>[0] = {}) =>
    at.place.findings({ to: at.url, ...options })

  it('without a file, rows of the table are what is measured; of a table that is not there, nothing is', async () => {
    await sql(
      'CREATE TABLE items (id bigint PRIMARY KEY, note text); INSERT INTO items SELECT g, $$a$$ FROM generate_series(1, 400) g; ANALYZE items',
    )
    const [speed] = named(await findings({ table: { table: 'items' } }), 'speed')
    expect(speed?.detail).toContain('measured with 400 rows of the table')
    const absent = await findings({ table: { table: 'absent' } })
    expect(named(absent, 'table')).toMatchObject([{ detail: 'there is no table absent yet' }])
    expect(named(absent, 'speed')).toEqual([])
  })

  it('a table that a model would make is measured with its indexes', async () => {
    const model = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), note: text() },
      primaryKey: ['id'],
      indexes: [btree('note')],
    })
    const found = await findings({ model, paths: [at.place.file('items.csv', lines(200))] })
    expect(named(found, 'speed')[0]?.costs?.map(({ what }) => what)).toContain('index items_note_idx (note)')
  })

  it('where a round takes longer than may be, fewer records are measured', async () => {
    await sql('CREATE TABLE items (id bigint PRIMARY KEY, note text)')
    const paths = [at.place.file('items.csv', lines(1_000))]
    const [speed] = named(await findings({ paths, measureMs: 0.5 }), 'speed')
    const [, records] = /measured with the first (\d+) records? of the file/.exec(speed?.detail ?? '') ?? []
    expect(Number(records)).toBeLessThanOrEqual(500)
  })

  it('what a view takes is not measured, and that its rows are inserted is said', async () => {
    await sql(`CREATE TABLE kept (id bigint, note text); CREATE VIEW items AS SELECT * FROM kept; CREATE VIEW plain AS SELECT * FROM kept;
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO kept VALUES (NEW.*); RETURN NEW; END $$;
      CREATE TRIGGER keeping INSTEAD OF INSERT ON items FOR EACH ROW EXECUTE FUNCTION keep()`)
    const found = await findings({ paths: [at.place.file('items.csv', lines(200))] })
    expect(levels(found, 'fail')).toEqual([])
    expect(named(found, 'rows')).toMatchObject([{ level: 'note' }])
    expect(named(found, 'speed')).toEqual([])
    expect(levels(await findings({ table: { table: 'plain' } }), 'fail')).toEqual([
      expect.stringMatching(/^table: public.plain is no ordinary or partitioned table/),
    ])
  })

  it('records that are too few once those that the table refuses are left out are not measured', async () => {
    await sql('CREATE TABLE items (id bigint PRIMARY KEY, note text)')
    const found = await findings({
      paths: [
        at.place.file(
          'items.csv',
          lines(200, (row) => row % 50),
        ),
      ],
    })
    expect(named(found, 'keys')).toHaveLength(1)
    expect(named(found, 'speed')).toMatchObject([
      { detail: expect.stringMatching(/^50 records are too little/) },
    ])
  })

  it.each([
    ['of a column that the table fills itself', 'rank > 0 OR id < 0', 'CONSTRAINT_CHECK'],
    ['that cannot be computed', '1 / (id - 7) < 9', 'VALUE_REFUSED'],
  ])('a check %s shows as what refuses the records, without a value', async (_, check, code) => {
    await sql(`CREATE TABLE items (id bigint PRIMARY KEY, note text, rank int DEFAULT 0, CHECK (${check}))`)
    const found = await findings({ paths: [at.place.file('items.csv', lines(200))] })
    expect(named(found, 'speed')).toMatchObject([
      { detail: `it could not be measured: the table refuses a record with ${code}` },
    ])
  })

  it('a hash index is advised against only where many rows share a value', async () => {
    await sql(`CREATE TABLE items (id bigint, note text);
      CREATE INDEX by_note ON items USING hash (note); CREATE INDEX by_lower ON items USING hash (lower(note))`)
    const found = await findings({ paths: [at.place.file('items.csv', lines(200))] })
    expect(named(found, 'speed')[0]?.costs).toHaveLength(3)
    expect(named(found, 'hash index')).toEqual([])
  })

  it('each column of a model that does not fit, with its cure, and a key that nothing guards', async () => {
    await sql('CREATE TABLE items (id bigint, amount numeric(4, 2) NOT NULL)')
    const model = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), note: text() },
      primaryKey: ['id'],
    })
    const found = await findings({ model })
    expect(named(found, 'columns').map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^SCHEMA_MISMATCH: table items: .*\bid\b/),
      expect.stringMatching(/note/),
      expect.stringMatching(/amount/),
    ])
    const [key] = named(found, 'key')
    expect(key).toMatchObject({ level: 'warn' })
    await sql(key?.cure ?? '')
    expect(named(await findings({ model }), 'key')).toEqual([])
  })

  it('a BRIN index over rows that lie in no order', async () => {
    await sql(`CREATE TABLE items (id bigint, note text); CREATE INDEX by_id ON items USING brin (id);
      INSERT INTO items SELECT (g * 7919) % 10007, 'a' FROM generate_series(1, 1000) g; ANALYZE items`)
    expect(named(await findings({ table: { table: 'items' } }), 'BRIN index')).toMatchObject([
      { detail: expect.stringMatching(/^rows do not lie in the order of id .* so by_id excludes little/) },
    ])
  })

  it('a schema that is not there, and a search path that leads nowhere', async () => {
    const paths = [at.place.file('items.csv', lines(2))]
    const [absent] = named(
      await findings({ table: { schema: 'shop', table: 'items' }, paths }),
      'rights',
    ).filter(({ about }) => about === 'table')
    expect(absent).toMatchObject({ level: 'fail', detail: 'there is no schema shop' })
    await sql(absent?.cure ?? '')
    expect(levels(await findings({ table: { schema: 'shop', table: 'items' }, paths }), 'fail')).toEqual([])
    const nowhere = `${at.url}?options=-c%20search_path%3Dnowhere`
    expect(levels(await findings({ to: nowhere, paths }), 'fail')).toContainEqual(
      expect.stringMatching(/^rights: no schema of the search path \(nowhere\) can be used/),
    )
  })

  it('what the ledger says of other versions, of loads that are open and of indexes that are away', async () => {
    const model = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), note: text() },
      primaryKey: ['id'],
    })
    {
      await using sink = await openSink(at.url)
      await sink.prepare(model, { deferIndexes: 'begin' })
    }
    const ledger = async () =>
      named(await findings(), 'ledger').map(({ level, detail }) => `${level} ${detail}`)
    expect(await ledger()).toEqual([
      expect.stringMatching(/^warn the indexes of items are away: a load is at work, or was interrupted/),
    ])
    await sql('DELETE FROM lading.deferred')
    expect(await ledger()).toEqual([expect.stringMatching(/^ok version \d+, every load is complete/)])
    await sql(
      "INSERT INTO lading.load (id, pipeline, source, sha256, bytes, plan, records, chunks) VALUES (gen_random_uuid(), 'p', 's', '', 0, '', 1, 1)",
    )
    expect(await ledger()).toEqual([expect.stringMatching(/^note 1 load is not complete/)])
    await sql('INSERT INTO lading.migration VALUES (99)')
    expect(await ledger()).toEqual([expect.stringMatching(/^fail LEDGER_NEWER: it has version 99/)])
    await sql('DELETE FROM lading.migration WHERE version > 1')
    expect(await ledger()).toEqual([expect.stringMatching(/^note it has version 1: the next command/)])
    const other = new URL(at.url)
    other.username = `reader_${randomUUID().slice(0, 8)}`
    await sql(`CREATE ROLE ${other.username} LOGIN`)
    const ofOther = async () => {
      const found = (await findings({ to: other.href })).filter(({ about }) => about === 'database')
      return [named(found, 'ledger'), named(found, 'rights').map(({ cure }) => cure?.replace(/ TO .*/, ''))]
    }
    expect(await ofOther()).toEqual([
      [],
      ['GRANT USAGE ON SCHEMA lading', 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lading'],
    ])
    await sql(
      `GRANT USAGE ON SCHEMA lading TO ${other.username}; GRANT ALL ON ALL TABLES IN SCHEMA lading TO ${other.username}`,
    )
    expect(await ofOther()).toEqual([[expect.anything()], ['lading status # as the owner']])
    await sql(`DROP OWNED BY ${other.username}; DROP ROLE ${other.username}`)
  })
})
