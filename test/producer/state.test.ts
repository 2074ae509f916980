import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { ProducerState } from '../../src/producer/state.ts'

/** As version 0.1.0 made it, as far as it matters here. */
const firstVersion = `PRAGMA application_id = 1281648464; PRAGMA user_version = 1;
  CREATE TABLE load (no INTEGER PRIMARY KEY, id TEXT, queue TEXT NOT NULL, pipeline TEXT NOT NULL, target TEXT,
    begun_at INTEGER NOT NULL DEFAULT (unixepoch())) STRICT;
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
