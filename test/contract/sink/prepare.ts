import { expect, it } from 'vitest'
import { array, btree, bytea, defineModel, enumeration, integer, type Model, text, unique } from 'lading'
import type { Dialect, OpenSqlTarget } from './sql.ts'
import { applied, entries, numbers, write } from './target.ts'

const items = (more: Partial<Pick<Model, 'onConflict'>> = {}) =>
  defineModel({
    table: 'items',
    columns: { id: integer().notNull(), note: text() },
    primaryKey: ['id'],
    onConflict: more.onConflict ?? 'error',
  })

const misfits = [
  { name: 'a column is missing', table: 'id integer PRIMARY KEY', problem: /note/ },
  { name: 'a column has another type', table: 'id integer PRIMARY KEY, note integer', problem: /note/ },
  {
    name: 'a column that needs a value is unknown to the model',
    table: 'id integer PRIMARY KEY, note text, extra text NOT NULL',
    problem: /extra/,
  },
  {
    name: 'the key is a column that the model does not know',
    table: 'id integer, note text, extra KEYTEXT NOT NULL PRIMARY KEY',
    problem: /extra/,
  },
  {
    name: 'an upsert finds no unique key',
    table: 'id integer NOT NULL, note text',
    problem: /["`]id["`]/,
    onConflict: 'update' as const,
  },
  {
    name: 'an upsert finds a unique key of more columns',
    table: 'id integer, note KEYTEXT, PRIMARY KEY (id, note)',
    problem: /["`]id["`]/,
    onConflict: 'skip' as const,
  },
]

const created = ({ strict, keyText }: Dialect, columns: string): string =>
  `CREATE TABLE items (${columns.replace('KEYTEXT', keyText)})${strict}`

export function preparing(open: OpenSqlTarget): void {
  it('the ledger, the table and its indexes are made once, however often a sink is prepared', async () => {
    await using target = await open()
    await using sink = target.open()
    const columns = { id: integer().notNull(), note: text() }
    const indexes = [btree('note'), unique('note', 'id')]
    const indexed = () =>
      defineModel({ table: 'items', columns, primaryKey: ['id'], indexes, onConflict: 'update' })
    for (const model of [indexed(), indexed()]) {
      await sink.prepare()
      await sink.prepare(model)
      await sink.prepare(model)
    }
    expect(await write(sink, indexed(), [{ key: 'a', records: [['1', 'x']] }])).toEqual([applied(1)])
  })

  it('indexes are made whose columns read the same when they are joined', async () => {
    await using target = await open()
    await using sink = target.open()
    const columns = { a: integer(), b: integer(), a_b: integer() }
    const indexes = [btree('a_b'), btree('a', 'b'), unique('a', 'b'), btree('a', 'b')]
    await sink.prepare(defineModel({ table: 't', columns, indexes }))
    await sink.prepare(defineModel({ table: 't_a', columns: { b: integer() }, indexes: [btree('b')] }))
  })

  it('the table takes no value but those of an enumeration, and its defaults are those of the model', async () => {
    await using target = await open()
    await using sink = target.open()
    const columns = {
      id: integer().notNull(),
      state: enumeration('open', "it's").default('open'),
      data: bytea({ encoding: 'base64' }).default('AP8='),
      numbers: array(integer()).default('[1, null]'),
    }
    await sink.prepare(defineModel({ table: 'states', columns }))
    await target.query(
      "INSERT INTO states (id) VALUES (1); INSERT INTO states (id, state) VALUES (2, 'it''s')",
    )
    await expect(target.query("INSERT INTO states (id, state) VALUES (3, 'closed')")).rejects.toThrow()
    expect(await target.texts('states', 'state', 'enumeration')).toEqual(['open', "it's"])
    expect((await target.texts('states', 'data', 'bytes'))[0]).toBe('\\x00ff')
    expect((await target.texts('states', 'numbers', 'array'))[0]).toBe('{1,NULL}')
  })

  it('several sinks that prepare at the same time all succeed', async () => {
    await using target = await open()
    const sinks = Array.from({ length: 4 }, () => target.open())
    await Promise.all(sinks.map((sink) => sink.prepare(items({ onConflict: 'update' }))))
    await Promise.all(sinks.map((sink) => sink[Symbol.asyncDispose]()))
    expect(await numbers(target, 'items')).toEqual([])
    expect(await entries(target)).toEqual([])
  })

  it.for(misfits)(
    'a table that does not fit is refused by name: $name',
    async ({ table, problem, onConflict }) => {
      await using target = await open()
      await using sink = target.open()
      await target.query(created(target.dialect, table))
      const refused = expect.objectContaining({
        code: 'SCHEMA_MISMATCH',
        message: expect.stringMatching(problem),
      })
      await expect(sink.prepare(items(onConflict ? { onConflict } : {}))).rejects.toEqual(refused)
    },
  )

  it.for([
    ['id integer NOT NULL, note text', true],
    ['id integer NOT NULL PRIMARY KEY, note text', false],
    ['id integer NOT NULL, note text, UNIQUE (id)', false],
    ['id integer NOT NULL, note KEYTEXT, UNIQUE (id, note)', true],
  ] as const)(
    'a table that nothing keeps from holding a key twice is known for it: %s is %s',
    async ([table, keyless]) => {
      await using target = await open()
      await using sink = target.open()
      await target.query(created(target.dialect, table))
      const model = defineModel({
        table: 'items',
        columns: { id: integer().notNull(), note: text() },
        primaryKey: ['id'],
      })
      expect(await sink.prepare(model)).toMatchObject({ keyless })
    },
  )

  const wrong = () =>
    defineModel({ table: 'items', columns: { id: integer().notNull(), note: integer() }, primaryKey: ['id'] })

  it('an empty table that lading made is made again when its model is corrected', async () => {
    await using target = await open()
    await using first = target.open()
    expect(await first.prepare(wrong())).toMatchObject({ remade: false })
    await first[Symbol.asyncDispose]()
    await using sink = target.open()
    const columns = { id: integer().notNull(), note: text() }
    const right = defineModel({ table: 'items', columns, primaryKey: ['id'], indexes: [btree('note')] })
    expect(await sink.prepare(right)).toMatchObject({ remade: true })
    await using again = target.open()
    expect(await again.prepare(right)).toMatchObject({ remade: false })
    expect(await write(sink, right, [{ key: 'a', records: [['1', 'x']] }])).toEqual([applied(1)])
  })

  it.for([
    'INSERT INTO items VALUES (1, 1)',
    'CREATE INDEX mine ON items (note)',
    'ALTER TABLE items ADD COLUMN more text',
    'CREATE VIEW seen AS SELECT id FROM items',
    'CREATE TABLE others (id integer REFERENCES items (id))',
    'DROP TABLE items; CREATE TABLE items (id integer NOT NULL PRIMARY KEY, note integer)',
  ])('a table that is not as lading made it is left alone: %s', async (change) => {
    await using target = await open()
    await using first = target.open()
    await first.prepare(wrong())
    await first[Symbol.asyncDispose]()
    await target.query(change.replace(/^DROP.*/, (sql) => sql + target.dialect.strict))
    await using sink = target.open()
    await expect(sink.prepare(items())).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/column note is/),
    })
  })

  it('a column in which the table alone takes no NULL is told, unless a trigger may fill it', async () => {
    await using target = await open()
    await target.query(
      `CREATE TABLE items (id integer NOT NULL PRIMARY KEY, note text NOT NULL DEFAULT 'x')${target.dialect.strict}`,
    )
    await using sink = target.open()
    expect(await sink.prepare(items())).toMatchObject({ notNull: ['note'] })
    if (target.dialect.refuse === undefined) return
    await target.query(target.dialect.refuse('items', 'BEFORE', "new.note = 'bad'"))
    await using later = target.open()
    expect(await later.prepare(items())).toMatchObject({ notNull: [] })
  })

  it('a table that has more than the model knows, none of it required, fits', async () => {
    await using target = await open()
    await using sink = target.open()
    const more = `extra text, stamp text NOT NULL DEFAULT 'now', twice integer ${target.dialect.computed} GENERATED ALWAYS AS (id * 2) STORED`
    await target.query(
      `CREATE TABLE items (note text, id integer NOT NULL UNIQUE, ${more})${target.dialect.strict}`,
    )
    await sink.prepare(items({ onConflict: 'skip' }))
    expect(
      await write(sink, items({ onConflict: 'skip' }), [
        {
          key: 'a',
          records: [
            ['7', 'x'],
            ['7', 'y'],
          ],
        },
      ]),
    ).toEqual([applied(1, 0, 1)])
    expect(await numbers(target, 'items', 'twice')).toEqual([14])
  })

  it('a view is refused', async () => {
    await using target = await open()
    await using sink = target.open()
    await target.query(`CREATE VIEW items AS SELECT 1 AS id, 'x' AS note`)
    await expect(sink.prepare(items())).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' })
  })

  it('a ledger that a newer version made is refused', async () => {
    await using target = await open()
    {
      await using first = target.open()
      await first.prepare()
    }
    await target.query(`INSERT INTO ${target.dialect.ledger('migration')} VALUES (1000)`)
    await using sink = target.open()
    await expect(sink.prepare()).rejects.toMatchObject({ code: 'LEDGER_NEWER' })
  })

  it('names are only names, whatever they hold', async () => {
    await using target = await open()
    await using sink = target.open()
    const table = `it's "; DROP TABLE items; --`
    const model = defineModel({
      table,
      columns: { 'a "key"': integer().notNull(), "'; --": text(), __proto__x: text() },
      primaryKey: ['a "key"'],
      indexes: [btree("'; --")],
      onConflict: 'update',
    })
    await sink.prepare(model)
    const records = [
      ['1', 'x', 'z'],
      ['1', 'y', 'z'],
    ]
    await write(sink, model, [{ key: 'a', records }])
    const rows = await target.query(`SELECT "'; --" AS note FROM "${table.replaceAll('"', '""')}"`)
    expect(rows).toEqual([{ note: 'y' }])
  })
}
