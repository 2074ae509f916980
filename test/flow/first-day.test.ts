/** What others made is loaded by one command, without a line of code: into a new table, and into one that exists. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { Folder } from '../cli/run.ts'
import { query } from '../support/fixture.ts'
import { type FirstDay, firstDay, type Row } from './first-day.ts'

async function load(folder: Folder, { file, content, options }: FirstDay, to: string): Promise<void> {
  await folder.write(file, content)
  const run = await folder.lading('load', file, ...options, '--to', to)
  expect(run.code, run.err).toBe(0)
  expect(run.out).toContain('every load is complete and adds up')
}

/** Survey questions, boxes of maps, years: names that databases do not take, or that differ in case alone. */
const question = 'Which of these answers, all of which are rather long, do you agree with? ['
const odd = [`${question}1]`, `${question}2]`, 'first name', 'First Name', '%', 'xmin', '2021', '2020']
const oddNames = `${odd.map((name) => `"${name}"`).join(',')}\n${odd.map((_, index) => index).join(',')}\n`

async function loadOddNames(to: string, rows: (folder: Folder) => Promise<readonly object[]>): Promise<void> {
  await using folder = await Folder.make({ 'odd.csv': oddNames })
  for (const options of [[], ['--again']]) {
    const run = await folder.lading('load', 'odd.csv', ...options, '--to', to)
    expect(run.code, run.err).toBe(0)
  }
  const found = (await rows(folder)).map((row) => Object.values(row).map(Number).toSorted())
  expect(found).toEqual([odd, odd].map((names) => [...names.keys()]))
}

/** The columns that are expected, as texts. */
const picked = (rows: readonly Row[], expected: readonly Row[]): Row[] =>
  rows.map((row, index) =>
    Object.fromEntries(Object.keys(expected[index] ?? row).map((name) => [name, row[name] ?? null])),
  )

function sqliteRows(path: string, { table, key }: FirstDay): Row[] {
  using file = new DatabaseSync(path)
  const statement = file.prepare(`SELECT * FROM ${table} ORDER BY CAST(${key} AS integer), ${key}`)
  statement.setReadBigInts(true)
  return statement
    .all()
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]),
      ),
    )
}

const postgresRows = async (url: string, { table, key }: FirstDay): Promise<Row[]> => {
  const texts = `(SELECT jsonb_object_agg(name, value) FROM jsonb_each_text(to_jsonb(t)) AS each (name, value))`
  const sql = `SELECT ${texts} AS row FROM ${table} t ORDER BY ${key}`
  return (await query<{ row: Row }>(url, sql)).map(({ row }) => row)
}

describe('SQLite', () => {
  it.for(firstDay)('$title: into a new table', async (day) => {
    await using folder = await Folder.make()
    await load(folder, day, 'sqlite:new.db')
    expect(picked(sqliteRows(folder.at('new.db'), day), day.fresh)).toEqual(day.fresh)
  })

  it.for(firstDay)('$title: into a table that exists', async (day) => {
    await using folder = await Folder.make()
    using file = new DatabaseSync(folder.at('old.db'))
    file.exec(`CREATE TABLE ${day.table} (${day.columns.sqlite})`)
    await load(folder, day, 'sqlite:old.db')
    const expected = day.existing?.sqlite ?? day.fresh
    expect(picked(sqliteRows(folder.at('old.db'), day), expected)).toEqual(expected)
  })

  it('finds the columns that it has made for odd names again', async () =>
    loadOddNames('sqlite:new.db', async (folder) => folder.sql('SELECT * FROM odd', 'new.db')))
})

describePostgres('PostgreSQL', () => {
  it.for(firstDay)('$title: into a new table', async (day) => {
    await using folder = await Folder.make()
    await using database = await freshDatabase()
    await load(folder, day, database.url)
    expect(picked(await postgresRows(database.url, day), day.fresh)).toEqual(day.fresh)
    const columns = await query<{ name: string; type: string }>(
      database.url,
      `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
       WHERE attrelid = '${day.table}'::regclass AND attnum > 0`,
    )
    const types = Object.fromEntries(columns.map(({ name, type }) => [name, type]))
    expect(types).toMatchObject(day.types)
  })

  it.for(firstDay)('$title: into a table that exists', async (day) => {
    await using folder = await Folder.make()
    await using database = await freshDatabase()
    await query(database.url, `CREATE TABLE ${day.table} (${day.columns.postgres})`)
    await load(folder, day, database.url)
    const expected = day.existing?.postgres ?? day.fresh
    expect(picked(await postgresRows(database.url, day), expected)).toEqual(expected)
  })

  it('finds the columns that it has made for odd names again', async () => {
    await using database = await freshDatabase()
    await loadOddNames(database.url, async () => query(database.url, 'SELECT * FROM odd'))
  })
})
