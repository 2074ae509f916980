/** Rows that MariaDB refuses with errors and warnings that say little, and what of it is the fault of the table. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { integer, text, timestamptz } from '../../src/model/columns.ts'
import { type ConflictPolicy, defineModel } from '../../src/model/model.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { allRejects, applied, loadOf, numbers, type Texts, write } from '../contract/sink/target.ts'
import { openMysql } from './mysql-target.ts'

const itemsOf = (onConflict: ConflictPolicy) =>
  defineModel({
    table: 'items',
    columns: { id: integer().notNull(), note: text() },
    primaryKey: ['id'],
    onConflict,
  })

const table = 'CREATE TABLE items (id int PRIMARY KEY, note varchar(9))'
const trigger = (condition: string, signal: string) =>
  `CREATE TRIGGER refuses BEFORE INSERT ON items FOR EACH ROW IF ${condition} THEN SIGNAL SQLSTATE ${signal}; END IF`
/** ER_UNKNOWN_ERROR, which says nothing of a row. */
const unknownError = "'HY000' SET MYSQL_ERRNO = 1105, MESSAGE_TEXT = 'no'"

const rejected = async (sink: Sink) =>
  (await allRejects(sink)).map(({ record, code, detail }) => [record, code, detail])

/** After it, rows of the model go through a staging table. */
async function meetKnownKey(sink: Sink, model: ReturnType<typeof itemsOf>): Promise<void> {
  const records = [['9', 'x']]
  for (const key of ['first', 'again']) await write(sink, model, [{ key, records }])
}

describeMariadb('what MariaDB refuses', () => {
  it.for(['error', 'update'] as const)(
    'an error that may be of the row or of the table is of the row where others are taken: onConflict %s',
    async (onConflict) => {
      await using target = await openMysql()
      await target.query(`${table}; ${trigger("NEW.note = 'bad'", unknownError)}`)
      await using sink = target.open()
      const model = itemsOf(onConflict)
      await sink.prepare(model)
      if (onConflict === 'update') await meetKnownKey(sink, model)
      const records = Array.from({ length: 9 }, (_, n) => [String(n), n === 4 ? 'bad' : 'good'])
      expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(8, 1)])
      expect(await rejected(sink)).toEqual([[4, 'TRIGGER_RAISED', 'no (1105)']])
      const there = onConflict === 'update' ? [0, 1, 2, 3, 5, 6, 7, 8, 9] : [0, 1, 2, 3, 5, 6, 7, 8]
      expect(await numbers(target, 'items')).toEqual(there)
    },
  )

  it('an error that refuses every row of two loads is the fault of the table, and rejects none of the second', async () => {
    await using target = await openMysql()
    await target.query(`${table}; ${trigger('true', unknownError)}`)
    await using sink = target.open()
    const model = itemsOf('error')
    await sink.prepare(model)
    const delivery = (n: number) => ({ key: `${n}`, records: [[`${n}`, 'x']], load: loadOf(1, 1) })
    expect(await write(sink, model, [delivery(1)])).toEqual([applied(0, 1)])
    await expect(write(sink, model, [delivery(2)])).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/^every row is refused with the same error.*: error 1105$/),
    })
    expect(await rejected(sink)).toHaveLength(1)
  })

  it('parts whose rows may be skipped are placed one by one where a rule of the table refuses a row', async () => {
    await using target = await openMysql()
    await target.query("CREATE TABLE items (id int PRIMARY KEY, note varchar(9) CHECK (note <> 'bad'))")
    await using sink = target.open()
    const model = itemsOf('skip')
    await sink.prepare(model)
    const part = (key: string, ...records: Texts[]) => ({ key, records })
    const parts = [part('a', ['1', 'good'], ['2', 'bad']), part('b', ['3', 'good'])]
    expect(await write(sink, model, parts)).toEqual([applied(1, 1), applied(1)])
    expect(await rejected(sink)).toEqual([[1, 'CONSTRAINT_CHECK', expect.any(String)]])
  })

  it('a value that the staging table cannot keep is refused as by the table itself', async () => {
    await using target = await openMysql()
    await target.query('CREATE TABLE events (id int PRIMARY KEY, at timestamp(6) NULL)')
    const model = defineModel({
      table: 'events',
      columns: { id: integer().notNull(), at: timestamptz() },
      primaryKey: ['id'],
      onConflict: 'update',
    })
    await using sink = target.open()
    await sink.prepare(model)
    for (const key of ['first', 'again']) await write(sink, model, [{ key, records: [['9', null]] }])
    const records = [
      ['1', '2024-01-01T00:00:00Z'],
      ['2', '2050-01-01T00:00:00Z'],
    ]
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(1, 1)])
    expect(await rejected(sink)).toEqual([[1, 'VALUE_REFUSED', expect.stringMatching(/\(1264\)$/)]])
  })

  it('a key that another session inserts while rows are on their way is updated like one that was there', async () => {
    await using target = await openMysql()
    await target.query(
      `${table}; CREATE TRIGGER gate BEFORE INSERT ON items FOR EACH ROW
         SET @passed = IF(NEW.id = 1, GET_LOCK(concat('gate of ', DATABASE()), 60), 0)`,
    )
    await using sink = target.open()
    const model = itemsOf('update')
    await sink.prepare(model)
    await meetKnownKey(sink, model)
    await target.query("DO GET_LOCK(concat('gate of ', DATABASE()), 0)")
    const records = [
      ['1', 'ours'],
      ['2', 'ours'],
    ]
    const writing = write(sink, model, [{ key: 'a', records }])
    const waiting =
      "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock' AND db = DATABASE()"
    while ((await target.query(waiting)).length === 0) await sleep(5)
    await target.query("INSERT INTO items VALUES (2, 'theirs'); DO RELEASE_ALL_LOCKS()")
    expect(await writing).toEqual([applied(2)])
    expect(await target.query('SELECT id, note FROM items WHERE id < 9 ORDER BY id')).toEqual([
      { id: 1, note: 'ours' },
      { id: 2, note: 'ours' },
    ])
  })
})
