import { cp, readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectError, fixtures, Folder, records } from './run.ts'

const commands = [
  '',
  'generate',
  'generate sensors',
  'generate logins',
  'load',
  'produce',
  'consume',
  'peek',
  'status',
  'verify',
  'rejects',
  'rejects list',
  'rejects show',
]
const others = ['dead', 'dead list', 'dead show', 'dead replay']

interface Loaded {
  readonly loadedNow: number
  readonly receipts: readonly {
    readonly loadId: string
    readonly open: number
    readonly problems: readonly string[]
  }[]
}

describe.concurrent('help', () => {
  it.each([...commands, ...others])('lading %s --help shows the usage with examples', async (command) => {
    await using folder = await Folder.make()
    const words = command.split(' ').filter((word) => word !== '')
    const help = await folder.lading(...words, '--help')
    expect(help).toMatchObject({ code: 0, err: '' })
    expect(help.out).toContain(`Usage: ${['lading', ...words].join(' ')} `)
    expect(help.out).toMatch(/\nExamples:\n {2}lading \S/)
    // Looking leaves nothing behind.
    expect(await readdir(folder.path)).toEqual([])
  })

  it('--version prints the version, and of the time-zone data by which local times are read', async () => {
    await using folder = await Folder.make()
    expect(await folder.lading('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+ \(time-zone data 20\d\d[a-z]\)\n$/),
      err: '',
    })
  })
})

describe.concurrent('the forms', () => {
  it('load without options puts a folder into ./lading.db through ./.lading/queue.db, and a person reads what became of it', async () => {
    await using folder = await Folder.make()
    await cp(`${fixtures}/records`, folder.at('data'), { recursive: true })
    const run = await folder.lading('load', 'data')
    expect(run.code, run.err).toBe(0)
    expect(run.out).toMatch(/^load +source +records +loaded +rejected +skipped +dead +open$/m)
    expect(run.out).toMatch(/^ +all +50 +50 +0 +0 +0 +0$/m)
    expect(run.out).toContain('every load is complete and adds up\nthis run loaded 50 records\n')
    expect(run.err).toContain('published bdd640fb_0.csv: 5 records in 1 chunk\n')
    expect(folder.rows()).toBe(50)
    expect((await readdir(folder.at('.lading'))).sort()).toEqual(['producer.db', 'queue.db'])

    const verify = await folder.lading('verify')
    expect(verify).toMatchObject({ code: 0, err: '' })
    expect(verify.out).toContain('every load is complete and adds up')
    const status = await folder.lading('status')
    expect(status).toMatchObject({ code: 0, err: '' })
    expect(status.out).toMatch(/^queue: +ready +in flight +dead\n +0 +0 +0$/m)
    for (const list of ['rejects', 'dead'])
      expect(await folder.lading(list, 'list')).toMatchObject({ code: 0, out: expect.stringMatching(/^no /) })
  })

  it('everything that a person reads as a table, a program reads with --json', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    const { loadedNow, receipts } = await folder.json<Loaded>('load', 'a.csv')
    expect([loadedNow, receipts]).toMatchObject([
      3,
      [{ records: 3, loaded: 3, open: 0, problems: [], source: 'a.csv' }],
    ])
    const loadId = receipts[0]?.loadId as string
    expect(await folder.json('verify')).toMatchObject([{ loadId, chunks: 1, chunksDone: 1 }])
    expect(await folder.json('verify', loadId.toUpperCase())).toHaveLength(1)
    expect(await folder.json('status')).toMatchObject({
      queue: { ready: 0, inFlight: 0, dead: 0 },
      loads: [{ loadId }],
    })
    expect(await folder.json('rejects', 'list')).toEqual([])
    expect(await folder.json('dead', 'list')).toEqual([])
    expect(await folder.json('dead', 'replay')).toEqual([])
    expect(
      await folder.json('generate', 'sensors', '--sensors', '2', '--records', '3', '--dir', 'gen'),
    ).toMatchObject({
      files: 2,
      records: 6,
    })
    expect(await folder.json('produce', 'gen')).toMatchObject([
      { records: 3, published: 1 },
      { records: 3, published: 1 },
    ])
    expect(await folder.json('consume', '--until-empty')).toMatchObject({ messages: 2, loaded: 6 })
  })

  it('produce, consume and status work with the queue and the target that they are given, by flag and by environment', async () => {
    await using folder = await Folder.make({ 'a.csv': records(4), 'b.csv': records(2) })
    const produced = await folder.lading(
      'produce',
      'a.csv',
      'b.csv',
      '--model',
      'records',
      '--queue',
      'embedded:q/here.db',
    )
    expect(produced).toMatchObject({ code: 0, out: 'published 2 of 2 files with 6 records\n' })
    const url = ['--queue', 'embedded:q/here.db', '--to', 'sqlite:t/target.db']
    expect(await folder.json('status', ...url)).toMatchObject({
      queue: { ready: 2, inFlight: 0, dead: 0 },
      loads: [],
    })
    // Status only looks.
    expect(await readdir(folder.path)).not.toContain('t')
    const first = await folder.lading('consume', '--model', 'records', ...url, '--batches', '1', '--json')
    expect(first.code, first.err).toBe(0)
    const env = {
      LADING_QUEUE: 'embedded:q/here.db',
      LADING_TO: 'sqlite:t/target.db',
      LADING_MODEL: 'records',
    }
    const rest = await folder.run(['consume', '--until-empty'], { env })
    expect(rest.code, rest.err).toBe(0)
    expect(rest.out).toMatch(/^messages +redelivered +duplicates +retried +dead messages +records +loaded/)
    expect(folder.rows('records', 't/target.db')).toBe(4)
    expect(await readdir(folder.path)).not.toContain('lading.db')
  })

  it('generate sensors writes the ids that the seed stands for', async () => {
    await using folder = await Folder.make()
    const options =
      '--sensors 3 --records 2 --interval 60 --start 2024-02-29 --timezone Asia/Taipei --dir out --seed 42'
    const run = await folder.lading('generate', 'sensors', ...options.split(' '))
    expect(run).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^wrote 6 records of 3 sensors to out \(\d+ bytes\)\n$/),
    })
    expect((await readdir(folder.at('out'))).sort()).toEqual([
      '23b8c1e9_1.csv',
      'bd9c66b3_2.csv',
      'bdd640fb_0.csv',
    ])
    expectError(await folder.lading('generate', 'sensors', '--start', 'then'), 'USAGE', 64, /"then"/)
    expectError(await folder.lading('generate', 'sensors', '--timezone', 'Mars/X'), 'USAGE', 64, /Mars\/X/)
    await folder.write('file', '')
    expectError(
      await folder.lading('generate', 'sensors', '--dir', 'file/x'),
      'OUTPUT_UNWRITABLE',
      73,
      /file\/x/,
    )
  })

  it('two consumer processes load all of it, and only the result comes to standard output', async () => {
    await using folder = await Folder.make()
    await folder.lading('generate', 'sensors', '--sensors', '4', '--records', '500')
    const run = await folder.lading('load', 'data', '--consumers', '2', '--chunk-bytes', '4000', '--json')
    expect(run.code, run.err).toBe(0)
    expect(JSON.parse(run.out)).toMatchObject({ loadedNow: 2000 })
    expect(run.err.trimEnd().split('\n')).toEqual(
      Array.from({ length: 4 }, () => expect.stringMatching(/^published \S+: 500 records in \d+ chunks$/)),
    )
    expect(folder.rows()).toBe(2000)
    const quiet = await folder.lading('load', 'data', '--consumers', '2', '--quiet')
    expect(quiet).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('this run loaded 0 records; 4 of 4 files had been loaded before'),
    })
  })

  it('who stops reading the output gets no stack, and the exit code stays', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    await folder.lading('load', 'a.csv')
    const child = folder.start(['verify', '--json'])
    child.stdout.destroy()
    let err = ''
    child.stderr.on('data', (data) => (err += String(data)))
    expect([await new Promise((resolve) => child.once('close', resolve)), err]).toEqual([0, ''])
  })
})
