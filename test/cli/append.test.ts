import { appendFile, copyFile, readFile, rename, rm, truncate, utimes } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, pasted, type Run } from './run.ts'

const head = 't,note\n'
const lines = (...ids: readonly number[]) => ids.map((id) => `${id},note of ${id}\n`).join('')

const log = (...ids: readonly number[]): Promise<Folder> => Folder.make({ 'app.csv': head + lines(...ids) })

const append = (folder: Folder, ...more: string[]): Promise<Run> =>
  folder.lading('load', 'app.csv', '--append', ...more)

const ids = (folder: Folder): number[] =>
  folder.sql<{ t: number }>('SELECT t FROM app ORDER BY t').map(({ t }) => t)

const loads = async (run: Promise<Run>, records: number) => {
  const { code, out, err } = await run
  expect({ code, now: /this run loaded (\d+)/.exec(out)?.[1] }, err).toEqual({
    code: 0,
    now: String(records),
  })
  return err
}

describe.concurrent('a file that grows', () => {
  it('is loaded as far as its records have an end, and the rest is said and waits', async () => {
    await using folder = await log(1, 2)
    await appendFile(folder.at('app.csv'), '3,no')
    expect(await loads(append(folder), 2)).toContain(
      'app.csv: 1 incomplete record of 4 bytes waits at line 4',
    )
    expect(await loads(append(folder), 0)).toMatch(
      /skipped app\.csv: nothing was added behind byte \d+ .*; app\.csv: 1 incomplete/,
    )
    await appendFile(folder.at('app.csv'), `te\n${lines(4)}5,last`)
    expect(await loads(append(folder), 2)).toContain('of 6 bytes waits at line 6')
    await loads(append(folder, '--ended'), 1)
    expect(ids(folder)).toEqual([1, 2, 3, 4, 5])
    expect((await folder.lading('verify', 'app.csv')).out).toMatch(/all +5 +5 +0/)
    // A record that was loaded without a line end and goes on is another one.
    await appendFile(folder.at('app.csv'), ' word\n')
    expectError(await append(folder), 'SOURCE_DIFFERS', 65, /goes on behind byte/)
  })

  it('is continued by another machine that has the ledger alone, and by a whole load only where nothing is doubled', async () => {
    await using folder = await log(1, 2)
    await loads(folder.lading('load', 'app.csv'), 2)
    await appendFile(folder.at('app.csv'), lines(3))
    expectError(await folder.lading('load', 'app.csv'), 'SOURCE_GROWN', 65, /--append .*--again/)
    expect((await folder.lading('verify')).code).toBe(0)
    await rm(folder.at('.lading'), { recursive: true })
    await loads(append(folder), 1)
    await rm(folder.at('.lading'), { recursive: true })
    expect(await loads(folder.lading('load', 'app.csv'), 0)).toContain('is loaded already')
    await loads(append(folder), 0)
    expect(ids(folder)).toEqual([1, 2, 3])
  })

  it.each(['DROP TABLE app', 'DELETE FROM app'])(
    'is missed after %s, and loaded from scratch by what is printed',
    async (removal) => {
      await using folder = await log(1, 2)
      await loads(append(folder), 2)
      await appendFile(folder.at('app.csv'), lines(3))
      await loads(append(folder), 1)
      folder.sql(removal)
      const missed =
        /^table app WAS EMPTY, though 3 records had been loaded into it before; to load from scratch: (.*)$/m
      const again = await append(folder)
      expect(again.out).toMatch(missed)
      expect(again.out).not.toContain('empty it again')
      await appendFile(folder.at('app.csv'), lines(4))
      const more = await append(folder)
      expect(more.out).toMatch(missed)
      expect(more.out).toContain('from scratch: empty it again, then lading load app.csv --fresh\n')
      expect(ids(folder)).toEqual([4])
      await appendFile(folder.at('app.csv'), lines(5))
      expect((await append(folder)).out).not.toContain('WAS EMPTY')
      folder.sql('DELETE FROM app')
      expect(await folder.paste(pasted(again.out, 'load'))).toMatchObject({ code: 0 })
      expect(ids(folder)).toEqual([1, 2, 3, 4, 5])
    },
  )

  it('that logrotate moves away, copies and empties, or compresses is loaded to its end, and the new one from its beginning', async () => {
    await using folder = await log(1, 2)
    const path = folder.at('app.csv')
    await loads(append(folder), 2)
    await appendFile(path, lines(3))
    await rename(path, folder.at('app.csv.1'))
    await folder.write('app.csv', head + lines(4))
    expect(await loads(append(folder), 2)).toContain('app.csv was rotated: what it held is in ')
    await appendFile(path, lines(5))
    await rename(folder.at('app.csv.1'), folder.at('app.csv.2'))
    await copyFile(path, folder.at('app.csv.1'))
    await truncate(path)
    await loads(append(folder), 1)
    await appendFile(path, head + lines(6))
    await loads(append(folder), 1)
    await appendFile(path, `${lines(7)}8,end`)
    await folder.write('app.csv-20260131.gz', gzipSync(await readFile(path)))
    // Its content is that of an earlier turn.
    await folder.write('app.csv', head + lines(4))
    await loads(append(folder), 3)
    await appendFile(path, lines(5, 9))
    await loads(append(folder), 2)
    expect(ids(folder)).toEqual([1, 2, 3, 4, 4, 5, 5, 6, 7, 8, 9])
  })

  it('that was rotated several times since it was loaded says what is not loaded, and loads nothing twice', async () => {
    await using folder = await log(1)
    const path = folder.at('app.csv')
    await loads(append(folder), 1)
    await appendFile(path, lines(2))
    await rename(path, folder.at('app.csv.2'))
    await folder.write('app.csv.1', head + lines(3))
    // No two files of a rotation are of one moment, but they may be here.
    await utimes(folder.at('app.csv.2'), 1_700_000_000, 1_700_000_000)
    await folder.write('app.csv', head + lines(4))
    expect(await loads(append(folder), 2)).toMatch(
      /app\.csv\.1 is younger than .*app\.csv\.2, and nothing of it is loaded/,
    )
    expect(await loads(append(folder), 0)).not.toContain('is younger')
    await loads(folder.lading('load', 'app.csv.1', '--table', 'app'), 1)
    expect(ids(folder)).toEqual([1, 2, 3, 4])
  })

  it('of which the beginning is another one is refused, with the bytes that differ, until a person says that it was begun anew', async () => {
    await using folder = await log(1, 2)
    await loads(append(folder), 2)
    await appendFile(folder.at('app.csv'), lines(3))
    await loads(append(folder), 1)
    await copyFile(folder.at('app.csv'), folder.at('app.csv.1'))
    const content = await readFile(folder.at('app.csv'), 'utf8')
    await folder.write('app.csv', `${content.replace('of 3', 'of x')}${lines(4)}`)
    expectError(
      await append(folder),
      'SOURCE_DIFFERS',
      65,
      /bytes 31 to 42 of the 43 that were loaded are others now/,
    )
    await folder.write('app.csv', head + lines(5))
    await rm(folder.at('app.csv.1'))
    expectError(
      await append(folder),
      'SOURCE_DIFFERS',
      65,
      'it has 19 bytes, and 43 were loaded',
      '--rotated',
    )
    await loads(append(folder, '--rotated'), 1)
    expect(ids(folder)).toEqual([1, 2, 3, 5])
  })

  it('of JSON, from standard input, or with lines at its end that are none, is refused', async () => {
    await using folder = await log(1)
    await folder.write('app.json', '[{"t":1}]\n')
    expectError(await folder.lading('load', 'app.json', '--append'), 'SOURCE_MALFORMED', 65)
    expectError(
      await folder.lading('load', 'app.json', '--append', '--format', 'json'),
      'USAGE',
      64,
      'NDJSON',
    )
    expectError(await append(folder, '--footer-lines', '1'), 'USAGE', 64)
    expectError(await folder.lading('load', '-', '--append', '--table', 'x'), 'USAGE', 64, 'standard input')
    expectError(await folder.lading('load', 'app.csv', '--ended'), 'USAGE', 64, '--append')
  })

  it('is loaded once by two processes at the same time, while it grows', async () => {
    await using folder = await log(1)
    await loads(append(folder), 1)
    const wanted = [1]
    for (let round = 0; round < 4; round++) {
      const runs = []
      for (let n = 0; n < 2; n++) {
        const id = wanted.length + 1
        wanted.push(id)
        await appendFile(folder.at('app.csv'), lines(id))
        // Each has a queue and plans of its own, as on two machines.
        runs.push(append(folder, '--queue', `embedded:${n}.db`, '--state', `${n}.state`))
      }
      for (const run of await Promise.all(runs)) expect(run.code, run.err).toBe(0)
    }
    await loads(append(folder), 0)
    expect(ids(folder)).toEqual(wanted)
  })
})
