import { cp, rename } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { Folder, header, record, records, library } from './run.ts'

const keyless = `
import { defineModel } from '${library}'
import { text } from '${library}'
const cell = () => text()
export default defineModel({ table: 'lines', columns: { record_time: cell(), sensor_id: cell(), value: cell() } })`

describe.concurrent('the same file twice', () => {
  it('loads nothing the second time and says why, wherever it lies', async () => {
    await using folder = await Folder.make({ 'here/a.csv': records(3), 'model.ts': keyless })
    const load = (path: string, ...more: string[]) =>
      folder.lading('load', path, '--model', './model.ts', ...more)
    expect((await load('here')).out).toContain('this run loaded 3 records\n')
    await cp(folder.at('here'), folder.at('there'), { recursive: true })
    for (const path of ['here/a.csv', 'there']) {
      const run = await load(path)
      expect(run).toMatchObject({
        code: 0,
        out: expect.stringContaining('this run loaded 0 records; 1 of 1 file had been loaded before'),
      })
      expect(run.err).toMatch(
        /^skipped a\.csv: the same name and content is loaded already \(load [0-9a-f-]{36}\); --again loads it a second time\n$/,
      )
    }
    expect(folder.rows('lines')).toBe(3)
    expect((await load('here', '--again')).out).toContain('this run loaded 3 records\n')
    expect((await load('here', '--again')).out).toContain('this run loaded 3 records\n')
    expect(folder.rows('lines')).toBe(9)
    expect((await load('here')).out).toContain('this run loaded 0 records')
  })

  it('says that it was loaded as another format, and the command that reads it anew does', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    expect(await folder.lading('load', 'a.csv', '--format', 'ndjson')).toMatchObject({ code: 3 })
    const again = await folder.lading('load', 'a.csv')
    expect(again.err).toMatch(
      /, with another reading \(--format \(ndjson then, csv now\)\): load --fresh reads it anew; --again/,
    )
    expect((await folder.lading('load', 'a.csv', '--fresh')).out).toContain('this run loaded 3 records\n')
    expect(folder.rows('records')).toBe(3)
  })

  it('is a new load when its content or its name is another', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3), 'model.ts': keyless })
    const load = (path: string) => folder.json<{ loadedNow: number }>('load', path, '--model', './model.ts')
    expect(await load('a.csv')).toMatchObject({ loadedNow: 3 })
    await folder.write('a.csv', header + [3, 2, 1, 0].map((n) => record(n)).join(''))
    expect(await load('a.csv')).toMatchObject({ loadedNow: 4 })
    await rename(folder.at('a.csv'), folder.at('b.csv'))
    expect(await load('b.csv')).toMatchObject({ loadedNow: 4 })
    expect(folder.rows('lines')).toBe(11)
  })

  it('on purpose, where the model updates, counts as loaded and makes no second row', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    await folder.lading('load', 'a.csv')
    expect(await folder.json('load', 'a.csv', '--again')).toMatchObject({ loadedNow: 3 })
    expect(folder.rows()).toBe(3)
  })

  it('is published once to one queue, and a second queue is a matter of its own', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    expect((await folder.lading('produce', 'a.csv')).out).toBe('published 1 of 1 file with 3 records\n')
    const second = await folder.lading('produce', 'a.csv')
    expect(second).toMatchObject({ code: 0, out: 'published 0 of 1 file with 0 records\n' })
    expect(second.err).toMatch(
      /^skipped a\.csv: .* was published to this queue at 20\S+ \(load \S+\); .*--again loads it a second time\n$/,
    )
    expect((await folder.lading('produce', 'a.csv', '--queue', 'embedded:other.db')).out).toContain(
      'published 1 of 1',
    )
    expect(await folder.json('status')).toMatchObject({ queue: { ready: 1 } })
    // The load finds what the queue holds already, and counts it once.
    expect(await folder.json('load', 'a.csv')).toMatchObject({
      loadedNow: 3,
      receipts: [{ loaded: 3, open: 0 }],
    })
  })
})
