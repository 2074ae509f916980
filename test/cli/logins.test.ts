import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { logins } from '../../src/generate/logins.ts'
import { expectError, Folder } from './run.ts'

interface Totals {
  readonly messages: number
  readonly broken: number
  readonly duplicates: number
  readonly bytes?: number
}

const options = ['--count', '50', '--broken', '0.3', '--duplicates', '0.2', '--seed', '7']
const made = [...logins({ count: 50, broken: 0.3, duplicates: 0.2, seed: 7 })]

describe.concurrent('lading generate logins', () => {
  it('writes 100 events that all fit into ./logins.ndjson, and says so', async () => {
    await using folder = await Folder.make()
    const run = await folder.lading('generate', 'logins')
    expect(run).toMatchObject({ code: 0, err: '' })
    expect(run.out).toMatch(
      /^wrote 100 login events, 0 broken and 0 repeated, to \.\/logins\.ndjson \([\d,]+ bytes\)\n$/,
    )
    expect(await folder.lines('logins.ndjson')).toEqual(
      [...logins({ count: 100, seed: 42 })].map(({ body }) => body),
    )
    expect(await readdir(folder.path)).toEqual(['logins.ndjson'])
  })

  it('writes as many, as broken and as often as it is told, into the file that it is told', async () => {
    await using folder = await Folder.make()
    const totals = await folder.json<Totals>('generate', 'logins', ...options, '--to-file', 'there.ndjson')
    const written = await readFile(folder.at('there.ndjson'))
    expect(written.toString().trimEnd().split('\n')).toEqual(made.map(({ body }) => body))
    expect(totals).toEqual({
      messages: 50,
      broken: made.filter(({ flaw, isRepeated }) => flaw !== undefined && !isRepeated).length,
      duplicates: made.filter(({ isRepeated }) => isRepeated).length,
      bytes: written.length,
      file: 'there.ndjson',
    })
  })

  it('publishes each event under its id, so that a repeated one takes effect once', async () => {
    await using folder = await Folder.make()
    const queue = 'embedded:events.db'
    const run = await folder.lading('generate', 'logins', ...options, '--queue', queue)
    expect(run.out).toMatch(
      /^published 50 login events, \d+ broken and \d+ repeated, to embedded:events\.db\n$/,
    )
    expect(await readdir(folder.path)).toEqual(['events.db'])
    const seen = await folder.json<{ key: string }[]>('peek', '100', '--queue', queue)
    expect(seen.map(({ key }) => key)).toEqual(made.map(({ key }) => key))
    const consume = [
      'consume',
      '--until-empty',
      '--model',
      'user_logins',
      '--allow-rejects',
      '--queue',
      queue,
    ]
    expect((await folder.lading(...consume)).code).toBe(0)
    const sound = new Set(made.filter(({ flaw }) => flaw === undefined).map(({ key }) => key))
    expect(folder.rows('user_logins')).toBe(sound.size)
  })

  it('publishes more than a window holds', async () => {
    await using folder = await Folder.make()
    const queue = ['--queue', 'embedded:events.db']
    await folder.lading('generate', 'logins', '--count', '600', ...queue)
    expect(await folder.json('status', ...queue)).toMatchObject({
      queue: { ready: expect.any(Number) as number },
    })
    expect(folder.sql<{ n: number }>('SELECT count(*) AS n FROM message', 'events.db')[0]?.n).toBeGreaterThan(
      590,
    )
  })

  it('puts nothing into a queue that nobody named on this command line', async () => {
    await using folder = await Folder.make({ 'c.json': '{"queue":"embedded:mine.db"}' })
    const env = { LADING_QUEUE: 'embedded:mine.db', SQS_URL: 'http://127.0.0.1:1/0/mine' }
    expect(
      (await folder.run(['--config', 'c.json', 'generate', 'logins', '--count', '1'], { env })).code,
    ).toBe(0)
    expect((await readdir(folder.path)).sort()).toEqual(['c.json', 'logins.ndjson'])
    expect((await folder.run(['generate', 'logins', '--count', '1', '--queue'], { env })).out).toContain(
      'to embedded:mine.db\n',
    )
  })

  it.each([
    ['--broken', '1.5'],
    ['--duplicates', ''],
    ['--count', '-1'],
    ['--to-file', 'a', '--queue', 'embedded:q.db'],
  ])('refuses %s %s', async (...words) => {
    await using folder = await Folder.make()
    expectError(await folder.lading('generate', 'logins', ...words), 'USAGE', 64)
    expect(await readdir(folder.path)).toEqual([])
  })

  it('says which file cannot be written', async () => {
    await using folder = await Folder.make()
    expectError(
      await folder.lading('generate', 'logins', '--to-file', 'none/x'),
      'OUTPUT_UNWRITABLE',
      73,
      'none/x',
    )
  })
})
