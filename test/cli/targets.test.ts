import { mkdir, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { expectError, Folder, records } from './run.ts'

const make = () => Folder.make({ 'a.csv': records(2), file: 'x', junk: 'this is no database, just text' })

function sqlite(folder: Folder, name: string, sql: string): void {
  const database = new DatabaseSync(folder.at(name))
  database.exec(sql)
  database.close()
}

describe.concurrent('a file that is not what it should be stops the command and stays as it is', () => {
  it.each<[string[], Code, number]>([
    [['--to', 'sqlite:junk'], 'SINK_CORRUPT', 78],
    [['--queue', 'embedded:junk'], 'QUEUE_CORRUPT', 78],
    [['--state', 'junk'], 'STATE_INVALID', 78],
    [['--queue', 'embedded:other.db'], 'QUEUE_CORRUPT', 78],
    [['--state', 'other.db'], 'STATE_INVALID', 78],
    [['--queue', 'embedded:file/q.db'], 'QUEUE_REFUSED', 78],
    [['--state', 'file/s.db'], 'OUTPUT_UNWRITABLE', 73],
    [['--state', 'folder'], 'OUTPUT_UNWRITABLE', 73],
  ])('%j', async (options, code, exit) => {
    await using folder = await make()
    await mkdir(folder.at('folder'))
    sqlite(folder, 'other.db', 'CREATE TABLE mine (x)')
    const name = options[1]?.replace(/^\w+:/, '') as string
    expectError(await folder.lading('load', 'a.csv', ...options), code, exit, name)
    expect(folder.sql('SELECT name FROM sqlite_schema', 'other.db')).toEqual([{ name: 'mine' }])
  })

  it('a queue is so before any record is looked at', async () => {
    await using folder = await make()
    await writeFile(folder.at('sales.csv'), 'id,n\n1,2\n2,3\n3,4\nTotal,9\n')
    expectError(await folder.lading('load', 'sales.csv', '--queue', 'embedded:junk'), 'QUEUE_CORRUPT', 78)
    expectError(await folder.lading('load', 'sales.csv'), 'SOURCE_UNDECIDED', 65)
  })

  it('a queue, a ledger or a state that a newer lading made is left alone', async () => {
    await using folder = await make()
    expect((await folder.lading('load', 'a.csv')).code).toBe(0)
    sqlite(folder, '.lading/queue.db', 'PRAGMA user_version = 99')
    for (const command of [
      ['load', 'a.csv'],
      ['produce', 'a.csv'],
      ['consume', '--until-empty'],
      ['status'],
    ]) {
      expectError(await folder.lading(...command), 'QUEUE_NEWER', 78, 'queue.db', 'upgrade lading')
    }
    const elsewhere = ['--queue', 'embedded:q.db']
    sqlite(folder, '.lading/producer.db', 'PRAGMA user_version = 99')
    expectError(await folder.lading('load', 'a.csv', ...elsewhere), 'STATE_INVALID', 78, 'newer version')
    sqlite(folder, 'lading.db', 'INSERT INTO lading_migration VALUES (99)')
    for (const command of [
      ['load', 'a.csv', ...elsewhere, '--state', 'own.db'],
      ['verify'],
      ['rejects', 'list'],
      ['dead', 'list'],
      ['consume', '--until-empty', ...elsewhere],
    ]) {
      expectError(await folder.lading(...command), 'LEDGER_NEWER', 78, 'upgrade lading')
    }
  })

  it('a table that does not fit the model is refused by name', async () => {
    await using folder = await make()
    sqlite(folder, 'lading.db', 'CREATE TABLE records (record_time TEXT, sensor_id TEXT) STRICT')
    expectError(
      await folder.lading('load', 'a.csv'),
      'SCHEMA_MISMATCH',
      78,
      'table records: it has no column value',
    )
  })
})

describe.concurrent('a database that is down', () => {
  it.each([
    ['load', 'a.csv'],
    ['consume', '--until-empty'],
  ])('%s waits for it as long as --start-timeout says, says so, and exits with 69', async (...command) => {
    await using folder = await make()
    const run = await folder.lading(
      ...command,
      '--to',
      'postgresql://127.0.0.1:1/none',
      '--start-timeout',
      '5',
    )
    expectError(run, 'SINK_UNAVAILABLE', 69, 'ECONNREFUSED 127.0.0.1:1', 'start it, or correct --to')
    expect(run.err).toMatch(
      /^waiting [\d.]+ m?s \(attempt 1\): SINK_UNAVAILABLE: .*ECONNREFUSED 127\.0\.0\.1:1/,
    )
  })

  it('is no reason to publish: the queue stays empty', async () => {
    await using folder = await make()
    await folder.lading('load', 'a.csv', '--to', 'postgresql://127.0.0.1:1/none', '--start-timeout', '0.1')
    expect(await folder.json('status')).toMatchObject({ queue: { ready: 0 } })
  })
})

describePostgres('PostgreSQL', () => {
  it('takes the records of two consumer processes, and its ledger answers every command', async () => {
    await using database = await freshDatabase()
    await using folder = await Folder.make({ 'a.csv': records(5), 'bad.csv': `${records(1)}then,a,1\n` })
    const to = ['--to', database.url]
    const run = await folder.lading('load', 'a.csv', 'bad.csv', '--consumers', '2', ...to)
    expect(run.code, run.err).toBe(3)
    expect(run.out).toContain('this run loaded 6 records')
    expect(await folder.json('rejects', 'list', ...to)).toMatchObject([
      { source: 'bad.csv', line: 3, column: 'record_time' },
    ])
    expect((await folder.lading('verify', ...to)).code).toBe(3)
    expect(await folder.json('dead', 'list', ...to)).toEqual([])
    const again = await folder.lading('load', 'a.csv', 'bad.csv', '--allow-rejects', ...to)
    expect(again).toMatchObject({
      code: 0,
      out: expect.stringContaining('this run loaded 0 records; 2 of 2 files had been loaded before'),
    })
  })

  it('without the database, or without such a user, refuses at once', async () => {
    await using database = await freshDatabase()
    await using folder = await make()
    const nowhere = new URL(database.url)
    nowhere.pathname = '/no_such_database'
    expectError(
      await folder.lading('load', 'a.csv', '--to', nowhere.href),
      'SINK_REFUSED',
      78,
      'no_such_database',
    )
    const nobody = new URL(database.url)
    Object.assign(nobody, { username: 'no_such_user', password: 'CANARY-pw' })
    const run = await folder.lading('load', 'a.csv', '--to', nobody.href)
    expectError(run, 'SINK_REFUSED', 78, 'correct --to')
    expect(run.out + run.err).not.toContain('CANARY')
  })

  it('names the right that is missing by the GRANT that gives it, one after the other until the load works', async () => {
    await using database = await freshDatabase()
    await using folder = await make()
    await using admin = await connected(database.url)
    const role = `role "${randomUUID()}"`
    const quoted = admin.client.escapeIdentifier(role)
    await admin.client.query(`CREATE ROLE ${quoted} LOGIN`)
    const url = new URL(database.url)
    url.username = encodeURIComponent(role)
    const granted: string[] = []
    for (const load of [
      ['load', 'a.csv'],
      ['load', 'a.csv', '--again'],
    ]) {
      let run = await folder.lading(...load, '--to', url.href)
      while (run.code === 78 && granted.length < 6) {
        const [, grant = ''] = /; (GRANT .+) allows it \(/.exec(run.err) ?? []
        expect(grant, run.err).toMatch(/^GRANT [A-Z, ]+ ON (DATABASE|SCHEMA|TABLE) \w+ TO "role ""/)
        await admin.client.query(grant)
        granted.push(grant.replace(/lading_test_\w+/, 'it').replace(/ TO .*/, ''))
        run = await folder.lading(...load, '--to', url.href)
      }
      expect(run.code, run.err).toBe(0)
      await admin.client.query(`ALTER TABLE records OWNER TO CURRENT_USER`)
    }
    const table = 'GRANT SELECT, INSERT, UPDATE ON TABLE records'
    expect(granted).toEqual(['GRANT CREATE ON DATABASE it', 'GRANT USAGE, CREATE ON SCHEMA public', table])
    await admin.client.query(`DROP OWNED BY ${quoted} CASCADE; DROP ROLE ${quoted}`)
  })

  it('without TLS is not waited for, and sslmode is taken without a warning of the driver', async () => {
    await using database = await freshDatabase()
    await using folder = await make()
    const run = await folder.lading('load', 'a.csv', '--to', `${database.url}?sslmode=require`)
    expectError(run, 'SINK_REFUSED', 78, 'does not support SSL connections; leave sslmode out')
    expect(run.err.trim().split('\n')).toHaveLength(1)
  })
})

async function connected(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return { client, [Symbol.asyncDispose]: () => client.end() }
}
