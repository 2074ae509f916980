/** Where MariaDB and MySQL look at keys row by row, and commit what makes a table. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { expect, it } from 'vitest'
import { integer, text, varchar } from '../../src/model/columns.ts'
import { defineModel, unique } from '../../src/model/model.ts'
import { MysqlSink } from '../../src/sink/mysql/mysql.ts'
import type { Replacement, Sink } from '../../src/sink/sink.ts'
import { describeMariadb } from '../../tooling/servers/mariadb-database.ts'
import { applied, batchOf, loadOf, numbers, pipeline, write } from '../contract/sink/target.ts'
import { startProxy } from '../support/proxy.ts'
import { type MysqlTarget, openMysql } from './mysql-target.ts'

const columns = { id: integer().notNull(), note: text() }
const model = defineModel({ table: 'items', columns, primaryKey: ['id'] })

async function gather(sink: Sink, given: Replacement, ...ids: readonly number[]) {
  await sink.prepare(given.model)
  const load = loadOf(1, ids.length)
  const records = ids.map((id) => [`${id}`, 'new'])
  const batch = batchOf(sink, given.model, [{ key: `${load.id}/0`, load, records }])
  expect(await sink.write({ ...batch, pipeline: given.pipeline })).toEqual([applied(ids.length)])
  await sink.ledger.fold([load.id])
  return [{ gathered: load.id, id: loadOf(1, ids.length).id }]
}

/** The table with the rows 1 and 2. */
async function filled(target: MysqlTarget, sink: Sink, ...statements: readonly string[]): Promise<void> {
  await sink.prepare(model)
  await write(sink, model, [
    {
      key: 'old',
      records: [
        ['1', 'old'],
        ['2', 'old'],
      ],
    },
  ])
  for (const statement of statements) await target.query(statement)
}

describeMariadb('rows that are replaced in MariaDB', () => {
  it('rows that others refer to are replaced by rows of the same keys; if one would be gone, the old rows stay', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    await filled(
      target,
      sink,
      'CREATE TABLE orders (item INT, FOREIGN KEY (item) REFERENCES items (id))',
      'INSERT INTO orders VALUES (2), (NULL)',
    )
    await using replacement = (await sink.replacing?.(model, pipeline)) as Replacement
    await expect(replacement.take(await gather(sink, replacement, 1, 3))).rejects.toMatchObject({
      code: 'REPLACE_REFUSED',
    })
    expect(await target.query('SELECT id, note FROM items ORDER BY id')).toEqual([
      { id: 1, note: 'old' },
      { id: 2, note: 'old' },
    ])
    await replacement[Symbol.asyncDispose]()
    await using next = (await sink.replacing?.(model, pipeline)) as Replacement
    expect(await next.take(await gather(sink, next, 2, 3))).toEqual({ before: 2, rows: 2 })
    expect(await target.query('SELECT id, note FROM items ORDER BY id')).toEqual([
      { id: 2, note: 'new' },
      { id: 3, note: 'new' },
    ])
    await expect(target.query('DELETE FROM items WHERE id = 2')).rejects.toThrow(/foreign key/)
    await expect(target.query('INSERT INTO orders VALUES (1)')).rejects.toThrow(/foreign key/)
  })

  it('a row that comes back without one of the values that others refer to would be gone', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    const coded = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), note: varchar(9) },
      primaryKey: ['id'],
      indexes: [unique('note')],
    })
    await sink.prepare(coded)
    await write(sink, coded, [{ key: 'old', records: [['1', 'old']] }])
    await target.query(
      `CREATE TABLE orders (item INT, FOREIGN KEY (item) REFERENCES items (id)); INSERT INTO orders VALUES (1);
       CREATE TABLE labels (note varchar(9) COLLATE utf8mb4_nopad_bin, FOREIGN KEY (note) REFERENCES items (note)); INSERT INTO labels VALUES ('old')`,
    )
    await using replacement = (await sink.replacing?.(coded, pipeline)) as Replacement
    await expect(replacement.take(await gather(sink, replacement, 1))).rejects.toMatchObject({
      code: 'REPLACE_REFUSED',
    })
    expect(await target.query('SELECT id, note FROM items')).toEqual([{ id: 1, note: 'old' }])
  })

  it('a table of which a deletion would change other rows, or that our user may not delete from, is refused before anything is made', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    await filled(
      target,
      sink,
      'CREATE TABLE parts (item INT, FOREIGN KEY (item) REFERENCES items (id) ON DELETE SET NULL)',
    )
    const refused = async (asked: Sink, message: RegExp) =>
      await expect(asked.replacing?.(model, pipeline)).rejects.toMatchObject({
        code: 'REPLACE_REFUSED',
        message: expect.stringMatching(message),
      })
    await refused(sink, /rows of table parts refer to it/)
    await target.query('DROP TABLE parts')
    await target.query('ALTER TABLE items ADD above INT, ADD FOREIGN KEY (above) REFERENCES items (id)')
    await refused(sink, /its rows refer to one another/)
    await target.query('ALTER TABLE items DROP FOREIGN KEY items_ibfk_1, DROP above')
    const user = `'u${target.url.slice(-20)}'@'%'`
    await target.query(
      `CREATE USER ${user} IDENTIFIED BY 'pw'; GRANT SELECT, INSERT, UPDATE, CREATE ON * TO ${user}`,
    )
    try {
      const login = { username: `u${target.url.slice(-20)}`, password: 'pw' }
      await using other = new MysqlSink(Object.assign(new URL(target.url), login).href)
      await refused(other, /our user may not delete from it \(GRANT DELETE\)/)
    } finally {
      await target.query(`DROP USER ${user}`)
    }
    await target.query('DROP TABLE items')
    await refused(sink, /it is gone/)
    expect(await target.query("SHOW TABLES LIKE '%replacing%'")).toEqual([])
  })

  it('nobody inserts a row while the rows are replaced, and readers see the old ones', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    await filled(
      target,
      sink,
      "CREATE TRIGGER gate BEFORE INSERT ON items FOR EACH ROW SET @passed = GET_LOCK(concat('gate of ', DATABASE()), 60)",
    )
    await target.query("DO GET_LOCK(concat('gate of ', DATABASE()), 0)")
    await using replacement = (await sink.replacing?.(model, pipeline)) as Replacement
    const taken = replacement.take(await gather(sink, replacement, 4, 5))
    const isAtGate = async () =>
      (
        await target.query(
          "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock' AND db = DATABASE()",
        )
      ).length > 0
    while (!(await isAtGate())) await sleep(5)
    expect(await numbers(target, 'items')).toEqual([1, 2])
    await target.query('SET SESSION innodb_lock_wait_timeout = 1')
    for (const id of [0, 3, 9])
      await expect(target.query(`INSERT INTO items VALUES (${id}, 'late')`)).rejects.toThrow(
        /Lock wait timeout/,
      )
    await target.query('DO RELEASE_ALL_LOCKS()')
    expect(await taken).toEqual({ before: 2, rows: 2 })
    expect(await numbers(target, 'items')).toEqual([4, 5])
  })

  it('foreign keys of the table reject a record of the replacement, and its rows are not replaced by half', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    await filled(
      target,
      sink,
      'CREATE TABLE kinds (id INT PRIMARY KEY)',
      'INSERT INTO kinds VALUES (1), (2), (3), (4)',
      'ALTER TABLE items ADD FOREIGN KEY (id) REFERENCES kinds (id)',
    )
    await using replacement = (await sink.replacing?.(model, pipeline)) as Replacement
    const loads = await gather(sink, replacement, 3, 4)
    const other = batchOf(sink, replacement.model, [{ key: 'other', records: [['7', 'new']] }])
    expect(await sink.write({ ...other, pipeline: replacement.pipeline })).toEqual([applied(0, 1)])
    expect(await replacement.take(loads)).toEqual({ before: 2, rows: 2 })
    expect(await numbers(target, 'items')).toEqual([3, 4])
  })

  it('a connection that is lost before anything is replaced is told as that', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    await filled(target, sink)
    const swallowReply = (sent: Buffer) => sent.includes('WHERE false')
    await using proxy = await startProxy(target.url, { swallowReply })
    await using through = new MysqlSink(proxy.url)
    const error: unknown = await through.replacing(model, pipeline).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'SINK_UNAVAILABLE',
      message: expect.stringMatching(/ECONNRESET|closed/),
    })
  })

  it('what a run that was killed has left is removed by the next one', async () => {
    await using target = await openMysql()
    await using sink = target.open()
    await filled(target, sink)
    const lost = (await sink.replacing?.(model, pipeline)) as Replacement
    await gather(sink, lost, 5)
    const client = await createConnection(target.url)
    const [sessions] = await client.query(
      'SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()',
    )
    for (const { id } of sessions as { readonly id: number }[])
      if (id !== target.client.threadId) await client.query(`KILL ${id}`)
    await client.end()
    await using other = target.open()
    await other.prepare(model)
    await using next = (await other.replacing?.(model, pipeline)) as Replacement
    expect(await target.query("SHOW TABLES LIKE '%replacing%'")).toHaveLength(1)
    expect(await next.take(await gather(other, next, 6))).toEqual({ before: 2, rows: 1 })
    await next[Symbol.asyncDispose]()
    expect(await target.query("SHOW TABLES LIKE '%replacing%'")).toEqual([])
    expect(await sink.ledger.receipts({})).toHaveLength(1)
    await expect(lost.take([])).rejects.toMatchObject({ code: 'REPLACE_REFUSED' })
    await lost[Symbol.asyncDispose]()
  })
})
