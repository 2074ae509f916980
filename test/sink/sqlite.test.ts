import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Column, custom, integer, json, numeric, text } from '../../src/model/columns.ts'
import { btree, defineModel } from '../../src/model/model.ts'
import { SqliteSink } from '../../src/sink/sqlite/sqlite.ts'
import { sqlSinkContract } from '../contract/sink/sink.ts'
import { idsWhere } from '../contract/sink/sql.ts'
import { allRejects, applied, entries, numbers, replay, write } from '../contract/sink/target.ts'
import { openSqlite } from './sqlite-target.ts'

sqlSinkContract('SQLite', () => openSqlite())

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
})
const records = [1, 2, 3, 4].map((id) => [`${id}`, 'x'])

describe('SQLite', () => {
  it('processes that load the same batches at the same time apply each once', async () => {
    await using target = await openSqlite()
    const child = fileURLToPath(new URL('sqlite-child.ts', import.meta.url))
    const run = () =>
      promisify(execFile)(process.execPath, [
        '--disable-warning=ExperimentalWarning',
        child,
        target.path,
        '40',
      ])
    const counts = (await Promise.all([run(), run(), run()])).map(({ stdout }) => Number(stdout))
    expect(counts.reduce((sum, each) => sum + each)).toBe(120)
    expect(await numbers(target, 'events')).toEqual(Array.from({ length: 120 }, (_, id) => id))
  })

  it('a file that another process keeps locked is busy, and nothing is left of the batch', async () => {
    await using target = await openSqlite()
    await using sink = new SqliteSink(target.path, { busyMs: 1 })
    await sink.prepare(model)
    await target.query('BEGIN IMMEDIATE')
    await expect(write(sink, model, [{ key: 'a', records }])).rejects.toMatchObject({ code: 'SINK_BUSY' })
    await target.query('ROLLBACK')
    expect(await entries(target)).toEqual([])
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(4)])
  })

  it.for(['BEFORE', 'AFTER'])(
    'a row for which a trigger rolls the transaction back is a reject, and costs no other: %s',
    async (when) => {
      await using target = await openSqlite()
      await using sink = target.open()
      await sink.prepare(model)
      await target.query(
        `CREATE TRIGGER t ${when} INSERT ON items WHEN new.id IN (2, 4) BEGIN SELECT RAISE(ROLLBACK, 'no'); END`,
      )
      expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(2, 2)])
      const rejects = await allRejects(sink)
      expect(rejects.map(({ code, record }) => [record, code])).toEqual(
        [1, 3].map((row) => [row, 'TRIGGER_RAISED']),
      )
      expect(await numbers(target, 'items')).toEqual([1, 3])
      const again = rejects.map(({ id }, index) => ({ id, record: [index === 0 ? '2' : '5', 'x'] }))
      expect(await replay(sink, model, again)).toMatchObject([
        { kind: 'refused', code: 'TRIGGER_RAISED' },
        { kind: 'applied', loaded: 1 },
      ])
      expect(await numbers(target, 'items')).toEqual([1, 3, 5])
    },
  )

  it('a trigger that rolls the transaction back again and again leaves nothing, neither before nor after it', async () => {
    await using target = await openSqlite()
    await using sink = target.open()
    await sink.prepare(model)
    await target.query(
      "CREATE TRIGGER t BEFORE INSERT ON items WHEN new.id > 1 BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
    )
    const many = Array.from({ length: 200 }, (_, id) => [`${id}`, 'x'])
    await expect(write(sink, model, [{ key: 'a', records: many }])).rejects.toMatchObject({
      code: 'SINK_FAILED',
    })
    expect(await numbers(target, 'items')).toEqual([])
    expect(await entries(target)).toEqual([])
  })

  it.for([
    [
      'a CHECK',
      "CREATE TABLE items (id integer PRIMARY KEY, note text CHECK (json_extract(note, '$.a') > 0)) STRICT",
    ],
    [
      'a generated column',
      "CREATE TABLE items (id integer PRIMARY KEY, note text, a integer GENERATED ALWAYS AS (json_extract(note, '$.a')) STORED) STRICT",
    ],
    [
      'an index',
      "CREATE TABLE items (id integer PRIMARY KEY, note text) STRICT; CREATE INDEX a ON items (json_extract(note, '$.a'))",
    ],
    [
      'a partial index',
      "CREATE TABLE items (id integer PRIMARY KEY, note text) STRICT; CREATE INDEX a ON items (id) WHERE note ->> '$.a' > 0",
    ],
    [
      'a trigger',
      `CREATE TABLE items (id integer PRIMARY KEY, note text) STRICT; CREATE TABLE log (a integer);
       CREATE TRIGGER t AFTER INSERT ON items BEGIN INSERT INTO log VALUES (1); SELECT json_extract(new.note, '$.a'); END`,
    ],
  ] as const)('a row for which an expression fails is a reject, and costs no other: %s', async ([, sql]) => {
    await using target = await openSqlite()
    await using sink = target.open()
    await target.query(sql)
    await sink.prepare(model)
    const some = Array.from({ length: 40 }, (_, id) => [`${id}`, id === 20 || id === 35 ? '{' : '{"a":1}'])
    expect(await write(sink, model, [{ key: 'a', records: some }])).toEqual([applied(38, 2)])
    expect((await allRejects(sink)).map(({ code, record }) => [record, code])).toEqual(
      [20, 35].map((row) => [row, 'TRIGGER_RAISED']),
    )
    expect(await numbers(target, 'items')).toEqual(
      some.map((_, id) => id).filter((id) => id !== 20 && id !== 35),
    )
    if (sql.includes('log')) expect(await numbers(target, 'log', 'a')).toHaveLength(38)
    const [first, second] = await allRejects(sink)
    const again = [
      { id: first?.id, record: ['20', '{'] },
      { id: second?.id, record: ['35', '{"a":1}'] },
    ]
    expect(await replay(sink, model, again)).toMatchObject([
      { kind: 'refused', code: 'TRIGGER_RAISED' },
      { kind: 'applied', loaded: 1 },
    ])
    expect(await allRejects(sink)).toMatchObject([{ id: first?.id }])
  })

  it('a trigger that SQLite cannot compile is the fault of the schema, however many rows there are', async () => {
    await using target = await openSqlite()
    await using sink = target.open()
    await sink.prepare(model)
    await write(sink, model, [{ key: 'a', records }])
    await target.query('CREATE TRIGGER t AFTER INSERT ON items BEGIN INSERT INTO nowhere VALUES (1); END')
    for (const some of [[['9', 'x']], records])
      await expect(write(sink, model, [{ key: 'b', records: some }])).rejects.toMatchObject({
        code: 'SCHEMA_MISMATCH',
      })
    expect(await allRejects(sink)).toEqual([])
  })

  it.for(['BEFORE', 'AFTER'])(
    'a row that a trigger refuses by any other RAISE is a reject, and leaves no trace: %s',
    async (when) => {
      await using target = await openSqlite()
      await using sink = target.open()
      await sink.prepare(model)
      const raise = (id: number, how: string) =>
        `CREATE TRIGGER t${id} ${when} INSERT ON items WHEN new.id = ${id} BEGIN INSERT INTO log VALUES (${id}); SELECT RAISE(${how}); END;`
      const ignore = when === 'BEFORE' ? 'IGNORE' : "ABORT, 'no'"
      await target.query(
        `CREATE TABLE log (id integer); ${raise(1, ignore)} ${raise(2, "FAIL, 'no'")} ${raise(3, "ABORT, 'no'")}`,
      )
      expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(1, 3)])
      expect((await allRejects(sink)).map(({ code, record }) => [record, code])).toEqual(
        [0, 1, 2].map((row) => [row, 'TRIGGER_RAISED']),
      )
      expect(await numbers(target, 'items')).toEqual([4])
    },
  )

  it('a row that a trigger silently leaves out of an update is a reject', async () => {
    await using target = await openSqlite()
    await using sink = target.open()
    const columns = { id: integer().notNull(), note: text() }
    const upsert = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'update' })
    await sink.prepare(upsert)
    await write(sink, upsert, [{ key: 'a', records }])
    await target.query(`CREATE TRIGGER drop_new BEFORE INSERT ON items WHEN new.id IN (2, 5) BEGIN SELECT RAISE(IGNORE); END;
      CREATE TRIGGER drop_old BEFORE UPDATE ON items WHEN new.id = 3 BEGIN SELECT RAISE(IGNORE); END`)
    const again = [1, 2, 3, 4, 5, 6].map((id) => [`${id}`, 'y'])
    expect(await write(sink, upsert, [{ key: 'b', records: again }])).toEqual([applied(3, 3)])
    expect((await allRejects(sink)).map(({ record, code }) => [record, code])).toEqual(
      [1, 2, 4].map((row) => [row, 'TRIGGER_RAISED']),
    )
    expect(await idsWhere(target, 'items', "note = 'y'")).toEqual([1, 4, 6])
  })

  it.for(['REPLACE', 'IGNORE', 'ROLLBACK', 'FAIL'])(
    "the model's conflict policy holds, not the table's own ON CONFLICT %s",
    async (clause) => {
      await using target = await openSqlite()
      await using sink = target.open()
      await target.query(
        `CREATE TABLE items (id integer PRIMARY KEY ON CONFLICT ${clause}, note text NOT NULL ON CONFLICT ${clause}) STRICT`,
      )
      await sink.prepare(model)
      const batch = [
        {
          key: 'a',
          records: [
            ['1', 'first'],
            ['1', 'second'],
            ['2', null],
            ['3', 'x'],
          ],
        },
      ]
      expect(await write(sink, model, batch)).toEqual([applied(2, 2)])
      expect(await target.query('SELECT * FROM items')).toEqual([
        { id: 1, note: 'first' },
        { id: 3, note: 'x' },
      ])
    },
  )

  it.for([
    ['CREATE TABLE items (id integer PRIMARY KEY, note text)', /STRICT/],
    ['CREATE TABLE items (id any PRIMARY KEY, note text) STRICT', /id/],
    ['CREATE TABLE items (id integer, note text, extra integer, PRIMARY KEY (id, extra)) STRICT', /extra/],
  ] as const)('a table that would change values, or needs others, is refused: %s', async ([sql, message]) => {
    await using target = await openSqlite()
    await using sink = target.open()
    await target.query(sql)
    await expect(sink.prepare(model)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(message),
    })
  })

  const comparedAsText: readonly (readonly [string, Column])[] = [
    ['numeric', numeric(5, 2)],
    ['json', json()],
    ['custom', custom('inet')],
  ]

  it.for(comparedAsText)(
    'a key or version of type %s, which SQLite would compare as text, is refused',
    async ([, type]) => {
      await using target = await openSqlite()
      await using sink = target.open()
      const columns = { id: integer().notNull(), value: type.notNull() }
      const key = defineModel({ table: 'items', columns, primaryKey: ['id', 'value'] })
      const version = defineModel({
        table: 'items',
        columns,
        primaryKey: ['id'],
        onConflict: 'update',
        version: 'value',
      })
      for (const [wrong, use] of [
        [key, 'primaryKey'],
        [version, 'version'],
      ] as const) {
        const message = expect.stringMatching(`column value .* as text .* ${use}`)
        await expect(sink.prepare(wrong)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', message })
      }
      await sink.prepare(defineModel({ table: 'items', columns, primaryKey: ['id'] }))
    },
  )

  it('names of indexes are the same in every file', async () => {
    const names = async () => {
      await using target = await openSqlite()
      await using sink = target.open()
      const columns = { id: integer().notNull(), note: text() }
      await sink.prepare(
        defineModel({ table: 'items', columns, indexes: [btree('note'), btree('id', 'note')] }),
      )
      return await target.query(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'items%' ORDER BY name",
      )
    }
    const [first, second] = [await names(), await names()]
    expect(first).toHaveLength(2)
    expect(second).toEqual(first)
  })

  it('a table whose rowid the model does not know fits', async () => {
    await using target = await openSqlite()
    await using sink = target.open()
    await target.query('CREATE TABLE items (nr INTEGER PRIMARY KEY, id int NOT NULL, note any) STRICT')
    await sink.prepare(model)
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(4)])
  })

  it('a file that is no database is refused and stays as it is; a folder cannot be opened', async () => {
    await using target = await openSqlite()
    const folder = dirname(target.path)
    await writeFile(join(folder, 'notes.txt'), 'not a database, '.repeat(100))
    await mkdir(join(folder, 'folder'))
    await using notes = new SqliteSink(join(folder, 'notes.txt'))
    await expect(notes.prepare()).rejects.toMatchObject({ code: 'SINK_CORRUPT' })
    await using directory = new SqliteSink(join(folder, 'folder'))
    await expect(directory.prepare()).rejects.toMatchObject({ code: 'SINK_REFUSED' })
  })

  it('the folder of a new file is made', async () => {
    await using target = await openSqlite()
    await using sink = new SqliteSink(join(dirname(target.path), 'a', 'b', 'new.db'))
    await sink.prepare(model)
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(4)])
  })
})
