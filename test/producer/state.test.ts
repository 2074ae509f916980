import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { planSource } from '../../src/producer/plan.ts'
import { ProducerState } from '../../src/producer/state.ts'
import { sourceAt } from '../../src/source/registry.ts'

/** As version 0.1.0 made it, as far as it matters here. */
const firstVersion = `PRAGMA application_id = 1281648464; PRAGMA user_version = 1;
  CREATE TABLE load (no INTEGER PRIMARY KEY, id TEXT, queue TEXT NOT NULL, pipeline TEXT NOT NULL, path TEXT, name TEXT, target TEXT,
    state TEXT, fields TEXT, model TEXT, sha256 TEXT, bytes INTEGER, plan TEXT, chunks INTEGER, records INTEGER, delimiter TEXT, quote TEXT,
    published_at TEXT, begun_at INTEGER NOT NULL DEFAULT (unixepoch())) STRICT;
  CREATE TABLE again (queue TEXT NOT NULL, pipeline TEXT NOT NULL, salt TEXT NOT NULL, PRIMARY KEY (queue, pipeline)) STRICT, WITHOUT ROWID`

it('goes on with what version 0.1.0 loaded once more on purpose and did not end, into the same database alone', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lading-state-'))
  const path = join(folder.path, 'producer.db')
  {
    using file = new SqliteFile(path)
    file.exec(firstVersion)
    const load = (pipeline: string, target: string | null) =>
      file.run("INSERT INTO load (id, queue, pipeline, target) VALUES ('x', 'queue', ?, ?)", pipeline, target)
    for (const target of [null, '/a.db', '/b.db']) load('loaded', target)
    for (const target of ['/b.db', null]) load('produced', target)
    for (const pipeline of ['loaded', 'produced'])
      file.run("INSERT INTO again VALUES ('queue', ?, ?)", pipeline, `salt of ${pipeline}`)
  }
  const saltOf = (pipeline: string, target?: string) => {
    using state = new ProducerState(path, 'queue', target)
    return state.againSalt(pipeline)
  }
  expect(saltOf('loaded', '/b.db')).toBe('salt of loaded')
  expect(saltOf('produced')).toBe('salt of produced')
  for (const other of [saltOf('loaded'), saltOf('loaded', '/a.db'), saltOf('produced', '/b.db')])
    expect(other).toMatch(/^[0-9a-f]{64}$/)
})

it('finds the loads of version 0.1.0 into a server, whose URL it kept', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lading-state-'))
  const path = join(folder.path, 'producer.db')
  {
    using file = new SqliteFile(path)
    file.exec(firstVersion)
    const urls = [
      'postgres://me@Server:5432/sales',
      'postgresql://server/sales?sslmode=require',
      'postgresql://server:6432/sales',
      'postgresql://',
    ]
    for (const [id, url] of urls.entries())
      file.run("INSERT INTO load (id, queue, pipeline, target) VALUES (?, 'queue', 'p', ?)", String(id), url)
  }
  using state = new ProducerState(path, 'queue', 'postgresql://server/sales')
  expect(state.ids(undefined)).toEqual(['0', '1'])
})

it("reads how the records of a load of version 0.1.0 lie as today's plan of the same file states it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lading-state-'))
  const [path, csv] = ['producer.db', 'x.csv'].map((name) => join(folder.path, name)) as [string, string]
  {
    using file = new SqliteFile(path)
    file.exec(firstVersion)
    const sql = `INSERT INTO load (id, queue, pipeline, path, name, fields, delimiter, quote) VALUES ('x', 'queue', 't', ?, 'x.csv', ?, ';', '''')`
    file.run(sql, csv, JSON.stringify(['b', 'a']))
    file.run("INSERT INTO load (queue, pipeline) VALUES ('queue', 'being planned')")
  }
  await writeFile(csv, 'b;a\n1;2\n')
  const model = defineModel({ table: 't', columns: { a: text(), b: text() } })
  const options = { model, dialect: { delimiter: ';', quote: "'" }, chunkBytes: 8 }
  const { layout } = await planSource(sourceAt(csv, 'x.csv'), options, () => undefined)
  using state = new ProducerState(path, 'queue')
  expect(JSON.stringify(state.find('x')?.layout)).toBe(JSON.stringify(layout))
})
