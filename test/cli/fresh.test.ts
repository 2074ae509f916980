/** The loop of a first day: load, look, change the table, the model or the file, and load again. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { expectError, Folder, header, library, pasted, record, records } from './run.ts'

const model = (columns: string, key = '') => `
import { appendFileSync } from 'node:fs'
import { defineModel } from '${library}'
import { integer, text } from '${library}'
const slow = (value: string) => {
  if (process.env.SLOW === undefined) return value
  appendFileSync('busy', '.\\n')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  return value
}
export default defineModel({ table: 'people', columns: { ${columns} }, ${key} })`

const keyless = model('name: text().notNull(), city: text().transform(slow)')
const people = 'name,city\nAnna,Bonn\nTim,Ulm\n'

/** A database that a test changes by hand. */
interface Place extends AsyncDisposable {
  readonly to: string
  sql(statement: string): Promise<void>
  rows(): Promise<number>
}

async function sqlitePlace(folder: Folder): Promise<Place> {
  const sql = async (statement: string) => {
    const database = new DatabaseSync(folder.at('people.db'))
    database.exec(statement)
    database.close()
  }
  const rows = async () => folder.rows('people', 'people.db')
  return { to: 'sqlite:people.db', sql, rows, [Symbol.asyncDispose]: () => Promise.resolve() }
}

async function postgresPlace(): Promise<Place> {
  const database = await freshDatabase()
  const client = new Client({ connectionString: database.url })
  await client.connect()
  return {
    to: database.url,
    sql: async (statement) => void (await client.query(statement)),
    rows: async () => Number((await client.query('SELECT count(*) FROM people')).rows[0].count),
    [Symbol.asyncDispose]: async () => {
      await client.end()
      await database.drop()
    },
  }
}

/** Runs a slow load and stops it when some of its chunks are loaded, and others wait in the queue. */
async function interrupted(
  folder: Folder,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = folder.start(args, { ...env, SLOW: '1' })
  const closed = once(child, 'close')
  await expect.poll(async () => (await folder.lines('busy')).length, { timeout: 20_000 }).toBeGreaterThan(6)
  child.kill('SIGINT')
  expect(await closed).toEqual([75, null])
}

function loop(open: (folder: Folder) => Promise<Place>): void {
  it('rows that were dropped or deleted are missed, and the command that is printed loads them from scratch, rejects included', async () => {
    await using folder = await Folder.make({ 'a.csv': `${people},Kiel\n`, 'model.ts': keyless })
    await using place = await open(folder)
    const env = { LADING_MODEL: './model.ts', LADING_TO: place.to }
    const load = async (...options: string[]) =>
      folder.run(['load', 'a.csv', '--allow-rejects', ...options], { env })
    await load()
    for (const removal of ['DROP TABLE people', 'DELETE FROM people']) {
      await place.sql(removal)
      const again = await load()
      expect(again.out).toContain(
        'table people WAS EMPTY, though 2 records had been loaded into it before; to load from scratch: ',
      )
      expect(await place.rows()).toBe(0)
      expect(await folder.paste(pasted(again.out, 'load'), env)).toMatchObject({
        code: 0,
        out: expect.stringContaining('this run loaded 2 records'),
      })
      expect(await place.rows()).toBe(2)
      expect((await load()).out).not.toContain('WAS EMPTY')
    }
    expect((await folder.run(['rejects', 'list'], { env })).out.trimEnd().split('\n')).toHaveLength(2)
    // The rows are there, and nothing tells them from those that would come.
    const refused = await load('--fresh')
    expectError(refused, 'TABLE_NOT_EMPTY', 65, 'table people holds rows, and 2 rows')
    expect(await place.rows()).toBe(2)
    expect((await folder.run(['verify', '--allow-rejects'], { env })).out).toMatch(
      /a\.csv +3 +2 +1 +0 +0 +0\n/,
    )
  })

  it('an interrupted load from scratch is gone on with by the same command, and the next one begins anew', async () => {
    await using folder = await Folder.make({
      'a.csv': `name,city\n${'Anna,Bonn\n'.repeat(40)}`,
      'model.ts': keyless,
    })
    await using place = await open(folder)
    const env = { LADING_MODEL: './model.ts', LADING_TO: place.to }
    const args = ['load', 'a.csv', '--chunk-bytes', '30', '--batch-messages', '1']
    await folder.run(args, { env })
    await place.sql('DELETE FROM people')
    await interrupted(folder, [...args, '--fresh'], env)
    const before = await place.rows()
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(40)
    expect((await folder.run([...args, '--fresh'], { env })).code).toBe(0)
    expect(await place.rows()).toBe(40)
    expectError(await folder.run([...args, '--fresh'], { env }), 'TABLE_NOT_EMPTY', 65)
  })
}

describe('SQLite', () => loop(sqlitePlace))
describePostgres('PostgreSQL', () => loop(postgresPlace))

describe.concurrent('a load from scratch', () => {
  it('goes over rows of the same key, and does not go with --again', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    await folder.lading('load', 'a.csv')
    expect(await folder.json('load', 'a.csv', '--fresh')).toMatchObject({ loadedNow: 3, emptied: [] })
    expect(folder.rows()).toBe(3)
    expect(await folder.json('verify')).toMatchObject([{ records: 3, loaded: 3 }])
    expectError(await folder.lading('load', 'a.csv', '--fresh', '--again'), 'USAGE', 64)
  })

  it('loads each record once, although chunks of the load still wait in the queue', async () => {
    await using folder = await Folder.make({
      'a.csv': `name,city\n${'Anna,Bonn\n'.repeat(40)}`,
      'model.ts': keyless,
    })
    await using place = await sqlitePlace(folder)
    const env = { LADING_MODEL: './model.ts', LADING_TO: place.to }
    const args = ['load', 'a.csv', '--chunk-bytes', '30', '--batch-messages', '1']
    await interrupted(folder, args, env)
    await place.sql('DELETE FROM people')
    expect((await folder.run([...args, '--fresh'], { env })).out).toContain('this run loaded 40 records')
    expect(await place.rows()).toBe(40)
  })

  it('takes another model, and what was begun in another database does not stand in the way', async () => {
    await using folder = await Folder.make({
      'a.csv': people,
      'one.ts': keyless,
      'two.ts': model('name: text(), city: text()'),
    })
    await using place = await sqlitePlace(folder)
    const load = (...more: string[]) => folder.lading('load', 'a.csv', '--to', place.to, ...more)
    await load('--model', './one.ts')
    await place.sql('DELETE FROM people')
    expect(await load('--model', './two.ts', '--fresh')).toMatchObject({
      code: 0,
      out: expect.stringContaining('this run loaded 2 records'),
    })
    expect(
      (await folder.lading('load', 'a.csv', '--model', './one.ts', '--to', 'sqlite:other.db')).code,
    ).toBe(0)
  })
})

describe.concurrent('the same file', () => {
  it('of which all records were rejected names the replay, which loads them with the corrected model', async () => {
    await using folder = await Folder.make({
      'a.csv': people,
      'wrong.ts': model('name: text(), city: integer()'),
      'right.ts': keyless,
    })
    expect((await folder.lading('load', 'a.csv', '--model', './wrong.ts', '--to', 'sqlite:a.db')).code).toBe(
      3,
    )
    const database = new DatabaseSync(folder.at('a.db'))
    database.exec('DROP TABLE people')
    database.close()
    const again = await folder.lading('load', 'a.csv', '--model', './right.ts', '--to', 'sqlite:a.db')
    expect(again.out).toContain(
      '2 records of these loads were rejected before; after correcting the model, the table or the options: ',
    )
    expect(await folder.paste(pasted(again.out, 'rejects replay'))).toMatchObject({ code: 0 })
    expect(folder.rows('people', 'a.db')).toBe(2)
    expect(
      (await folder.lading('load', 'a.csv', '--model', './right.ts', '--to', 'sqlite:a.db')).out,
    ).not.toContain('rejected;')
  })

  it('with other content is said, with what was loaded before and what becomes of rows that stand in both', async () => {
    const german = Buffer.from('name,city\nAnna,Bonn\nJ\xf6rg,K\xf6ln\nTim,Ulm\nPia,M\xfcnchen\n', 'latin1')
    await using folder = await Folder.make({ 'de.csv': german, 'model.ts': keyless })
    const load = (...more: string[]) => folder.lading('load', 'de.csv', '--model', './model.ts', ...more)
    expect((await load()).err).not.toContain('warning')
    await folder.write('de.csv', (await readFile(folder.at('de.csv'))).toString('latin1'))
    const twice = await load()
    expect(twice.err).toMatch(
      /warning: de\.csv was loaded before with other content \(20\S+ \S+ UTC, 2 rows, 2 rejected, load [0-9a-f]{8}\); table people has no key, so rows that stand in both are there twice; .*rejects edit/,
    )
    expect((await load()).err).not.toContain('warning')
    expect((await load('--again')).err).not.toContain('warning')
    expect((await load('--to', 'sqlite:other.db')).err).not.toContain('warning')
    // A key makes it harmless, and of many files the first are named.
    for (const n of [1, 2]) {
      for (let file = 0; file < 7; file++) await folder.write(`many/${file}.csv`, header + record(file, n))
      const run = await folder.lading('load', 'many')
      const warnings = run.err.split('\n').filter((line) => line.includes('warning'))
      expect(warnings).toHaveLength(n === 1 ? 0 : 6)
      if (n === 2) expect(warnings[0]).toContain('1 row, 0 rejected')
      if (n === 2)
        expect(warnings.at(-1)).toMatch(
          /2 more of the files were loaded before with other content; rows of the same key are updated$/,
        )
    }
  })
})
