/** By what name a database is known to those who publish for it. */
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSink } from '../../src/sink/registry.ts'

const secret = 'CANARY-pw'
let folder = ''

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'lading-place-')))
})
afterAll(() => rm(folder, { recursive: true }))

async function placeOf(url: string): Promise<string> {
  await using sink = await openSink(url)
  return sink.place
}

it.each([
  [`postgresql://me:${secret}@DB.example:5432/one?sslmode=disable`, 'postgresql://db.example/one'],
  [`postgres://another:${secret}@db.example/one?application_name=x`, 'postgresql://db.example/one'],
  ['postgresql://db.example:5433/one', 'postgresql://db.example:5433/one'],
  ['postgresql://me@db.example/two', 'postgresql://db.example/two'],
  ['postgresql:///one?host=/run/pg', 'postgresql://%2Frun%2Fpg/one'],
  ['postgresql://db.example/we%20ird%2Fx%3Ay%25', 'postgresql://db.example/we%20ird%2Fx%3Ay%25'],
  ['sqlite::memory:', 'sqlite::memory:'],
])('%s is %s: one name for one database, without user, password or options', async (url, place) => {
  expect(await placeOf(url)).toBe(place)
})

it('a SQLite file has one name, however its path is written, and before it is there', async () => {
  await mkdir(join(folder, 'real'))
  await symlink(join(folder, 'real'), join(folder, 'link'))
  const file = join(folder, 'real', 'new', 'x.db')
  for (const path of [
    file,
    relative('.', file),
    join(folder, 'link', 'new', 'x.db'),
    `${folder}/real/../real/new/x.db`,
  ]) {
    expect(await placeOf(`sqlite:${path}`)).toBe(file)
  }
})
