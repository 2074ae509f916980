import { describe, expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { widthOf } from '../../src/cli/terminal/width.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { expectError, Folder, header, record, records, library } from './run.ts'

const strict = `
import { defineModel } from '${library}'
import { integer } from '${library}'
export default defineModel({ table: 'numbers', columns: { n: integer(), m: integer() } })`

/** The commands that a run printed for a person to paste. */
const commandsOf = (out: string): string[] =>
  out.split('\n').flatMap((line) => /lading .*$/.exec(line)?.[0] ?? [])

describe.concurrent('a command that is printed', () => {
  it('by doctor loads the same files into the same table, also where the last run named the database', async () => {
    await using folder = await Folder.make({ 'in 1.csv': 'id;n\n1;2\n2;x\n' })
    const how = ['--table', 'my numbers', '--delimiter', ';', '--columns', 'n:integer']
    await folder.lading('load', 'in 1.csv', '--to', 'sqlite:mine.db', ...how)
    const found = await folder.lading('doctor', 'in 1.csv', '--table', 'my numbers', '--delimiter', ';')
    const [dry = '', again = ''] = commandsOf(found.out)
    const options = "--to sqlite:mine.db --delimiter ';' --table 'my numbers'"
    expect([dry, again]).toEqual(
      ['--dry-run', '--again'].map((option) => `lading load 'in 1.csv' ${option} ${options}`),
    )
    expect((await folder.paste(dry)).out).toContain('would go to table my numbers')
    expect((await folder.paste(again)).code).toBe(3)
    expect(folder.sql('SELECT n FROM "my numbers"', 'mine.db')).toEqual([{ n: 2 }, { n: 2 }])
  })

  it('replays what was rejected before as the second load says that its records are loaded', async () => {
    await using folder = await Folder.make({ 'k.csv': 'id,note\n1,a\n1,b\n' })
    await folder.lading('load', 'k.csv', '--table', 'kept', '--key', 'id')
    const how = ['--table', 'kept', '--key', 'id', '--on-conflict', 'update']
    const [replay = ''] = commandsOf((await folder.lading('load', 'k.csv', ...how)).out).slice(-1)
    expect(await folder.paste(replay)).toMatchObject({ code: 0, out: '1: loaded\n' })
    expect(folder.sql('SELECT note FROM kept')).toEqual([{ note: 'b' }])
  })

  it('repeats nothing of an option that the pipeline of the configuration states not to be used', async () => {
    const kept = { paths: 'k.csv', table: 'kept', key: 'id', money: false }
    await using folder = await Folder.make({
      'k.csv': 'id,note\n1,a\n1,b\n',
      'lading.config.json': JSON.stringify({ pipelines: { kept } }),
    })
    await folder.lading('run', 'kept')
    const [replay = ''] = commandsOf((await folder.lading('run', 'kept')).out).slice(-1)
    expect(replay).toMatch(/^lading rejects replay .*--key id/)
    expect(replay).not.toContain('money')
    expect((await folder.paste(replay)).out).toMatch(/^1: still rejected/)
  })

  it('works when it is pasted: it repeats the database, the model, the queue and the pipeline', async () => {
    await using folder = await Folder.make({ 'bad.csv': 'n,m\n1,x\n2,y\n3,3\n', "my model's.ts": strict })
    const where = ['--to', 'sqlite:my data.db', '--queue', 'embedded:q.db']
    const how = ['--model', "./my model's.ts", '--pipeline', 'mine']
    const loaded = await folder.lading('load', 'bad.csv', ...where, ...how)
    const [list = ''] = commandsOf(loaded.out)
    expect(list).toMatch(/^lading rejects list --load [0-9a-f]{8} --to 'sqlite:my data.db'$/)
    expect(await folder.paste(list)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^2 +bad\.csv:3:3 /m),
    })
    const shown = commandsOf((await folder.lading('rejects', 'show', '1', '--to', 'sqlite:my data.db')).out)
    expect(shown.slice(0, 2)).toEqual(
      ['edit', 'replay'].map((what) => `lading rejects ${what} 1 --to 'sqlite:my data.db'`),
    )
    const [, , others = ''] = shown
    expect((await folder.paste(others)).out.split('\n')).toHaveLength(4)
    const to = ['--to', 'sqlite:my data.db', '--model', "./my model's.ts"]
    const [replay = ''] = commandsOf(
      (await folder.lading('rejects', 'edit', '1', '--record', '1,1', ...to)).out,
    )
    expect(await folder.paste(replay)).toMatchObject({ code: 0, out: '1: loaded\n' })
    await folder.lading(
      'produce',
      'bad.csv',
      '--model',
      "./my model's.ts",
      '--queue',
      'embedded:q.db',
      '--pipeline',
      'open',
    )
    const [republish = ''] = commandsOf((await folder.lading('verify', ...where, '--pipeline', 'open')).out)
    const again = await folder.paste(republish)
    expect(again.err).not.toContain('error')
    expect(again).toMatchObject({ code: 1, out: expect.stringContaining('without a verdict') })
  })

  it('never holds a password: a variable stands for the URL', async () => {
    await using folder = await Folder.make({
      'a.csv': records(1),
      'c.json': '{"queue":"amqp://me:CANARY@127.0.0.1:1/"}',
    })
    await folder.lading('produce', 'a.csv')
    const run = await folder.lading(
      '--config',
      'c.json',
      'verify',
      '--to',
      'sqlite:new.db?password=CANARY',
      '--republish-missing',
      '--start-timeout',
      '0.1',
    )
    expect(run.out + run.err).not.toContain('CANARY')
    expect(commandsOf(run.out)).toEqual([
      'lading verify --republish-missing --to "$LADING_TO" --config c.json',
    ])
  })
})

describe.concurrent('a load', () => {
  it('is named by the beginning of its id or by its file; who may be meant is said', async () => {
    await using folder = await Folder.make({
      'in/a.csv': header + record(1, 'x'),
      'b.csv': header + record(2, 'x'),
    })
    const [a] = (await folder.lading('load', 'in/a.csv', 'b.csv', '--json')).out.match(
      /(?<="loadId": ")[0-9a-f-]+/g,
    ) as string[]
    const listed = (name: string) => folder.json<{ source: string }[]>('rejects', 'list', '--load', name)
    for (const name of ['a.csv', './in/a.csv', a?.slice(0, 8), a?.slice(0, 8).toUpperCase()])
      expect((await listed(name as string)).map(({ source }) => source)).toEqual(['a.csv'])
    expect((await folder.lading('verify', 'b.csv')).out).toMatch(/^[0-9a-f]{8} +b\.csv +1 +0 +1 /m)
    expectError(await folder.lading('verify', 'c.csv'), 'NOT_FOUND', 66, 'c.csv')
    expectError(
      await folder.lading('rejects', 'list', '--load', 'c.csv'),
      'NOT_FOUND',
      66,
      'there is no load c.csv in the ledger',
    )
    await folder.write('b.csv', header + record(3, 'x'))
    await folder.lading('load', 'b.csv')
    expect((await listed('b.csv')).map(({ source }) => source)).toEqual(['b.csv', 'b.csv'])
    await folder.lading('produce', 'in/a.csv', '--pipeline', 'planned')
    expect((await folder.lading('verify', 'in/a.csv', '--pipeline', 'planned')).code).toBe(66)
    await folder.write('waiting.csv', records(2))
    await folder.lading('produce', 'waiting.csv')
    expect(await folder.lading('verify', 'waiting.csv')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/waiting\.csv +2 .* 2$/m),
    })
    await folder.write('more/b.csv', header + record(4, 'x'))
    await folder.lading('load', '.')
    expectError(
      await folder.lading('rejects', 'discard', '--load', 'more/b.csv'),
      'USAGE',
      64,
      /3 loads match more\/b\.csv; .*[0-9a-f]{8} \(b\.csv, 20/,
    )
  })
})

describe.concurrent('receipts, rejects and dead letters', () => {
  it('fit 80 columns, and of many files those are shown that need a look', async () => {
    const name = (n: number) => `a-rather-long-name-of-a-file-as-machines-give-them-${n}-of-a-day.csv`
    const file = (n: number) => [
      name(n),
      header + record(n, n === 7 ? 'much too long to be a number, and longer still '.repeat(3) : n),
    ]
    await using folder = await Folder.make(Object.fromEntries(Array.from({ length: 22 }, (_, n) => file(n))))
    {
      await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
      await queue.publish([{ key: 'k'.repeat(100), body: Buffer.from('no JSON'), headers: {} }])
    }
    const run = await folder.lading('load', '.', '--allow-rejects')
    const [, ...rows] = run.out.split('\n')
    expect(rows.slice(0, 3)).toMatchObject([
      expect.stringMatching(/^[0-9a-f]{8} {2}a-rather\S*…\S*-of-a-day\.csv +1 +0 +1 +0 +0 +0$/),
      expect.stringMatching(/^… +21 more +21 +21 +0 +0 +0 +0$/),
      expect.stringMatching(/^ +all +22 +21 +1 +0 +0 +0$/),
    ])
    expect(rows[3]).toBe('1 load needs attention; --json shows every load')
    expect(run.err.match(/published a-rather/g)).toHaveLength(20)
    expect(run.err).toContain('further files are not listed')
    await folder.lading('consume', '--until-empty')
    const lists = [
      run,
      ...(await Promise.all(['rejects', 'dead'].map((kind) => folder.lading(kind, 'list')))),
    ]
    const show = await folder.lading('rejects', 'show', '1')
    const printed = [...lists, show]
      .flatMap(({ out }) => out.split('\n'))
      .filter((line) => !line.includes('lading '))
    expect(printed.filter((line) => widthOf(line) > 80)).toEqual([])
    expect(lists[2]?.out).toMatch(/^1 +message:k+…k+ +dead/m)
  })
})

describe.concurrent('verify', () => {
  it('counts what was not loaded of messages, until it is discarded', async () => {
    await using folder = await Folder.make()
    {
      await using queue = await openQueue(`embedded:${folder.at('.lading/queue.db')}`)
      const rows = [1, 2].map((n) =>
        JSON.stringify({ record_time: `2021-01-01T00:00:0${n}Z`, sensor_id: 'a', value: n === 1 ? 1 : 'x' }),
      )
      await queue.publish([
        { key: 'one', body: Buffer.from(rows.join('\n')), headers: {} },
        { key: 'two', body: Buffer.from('no JSON'), headers: {} },
      ])
    }
    expect((await folder.lading('consume', '--until-empty')).code).toBe(3)
    const said =
      '1 record of messages rejected: lading rejects list\n1 message in dead letters: lading dead list\n'
    expect(await folder.lading('verify')).toMatchObject({ code: 3, out: `no load yet\n${said}` })
    expect(await folder.lading('verify', '--json')).toMatchObject({ code: 3, out: '[]\n', err: said })
    expect((await folder.lading('verify', '--allow-rejects')).code).toBe(0)
    expect((await folder.lading('verify', '--pipeline', 'other')).code).toBe(0)
    expect(await folder.json('status')).toMatchObject({ messages: { openRejects: 1, openDeadLetters: 1 } })
    expect((await folder.lading('status')).out).toContain(said)
    await folder.lading('rejects', 'discard', '1')
    await folder.lading('dead', 'discard', '1')
    expect(await folder.lading('verify')).toMatchObject({
      code: 0,
      out: expect.stringContaining('1 record of messages rejected, and discarded'),
    })
  })

  it('of rejects that were discarded says so, and has nothing left to point to', async () => {
    await using folder = await Folder.make({ 'a.csv': header + record(1, 'x') + record(2, 'x') + record(3) })
    await folder.lading('load', 'a.csv')
    await folder.lading('rejects', 'discard', '1')
    const one = await folder.lading('verify')
    expect(one.code).toBe(3)
    expect(one.out).toMatch(/^2 records rejected \(1 discarded\): lading rejects list --load/m)
    expect(one.out).toContain('  a.csv:3: BAD_NUMBER')
    await folder.lading('rejects', 'discard', '2')
    const none = await folder.lading('verify')
    expect(none).toMatchObject({
      code: 0,
      out: expect.stringContaining('2 records rejected, and discarded\n'),
    })
    expect(none.out).toMatch(/a\.csv +3 +1 +2 +0 +0 +0\n/)
  })
})

describePostgres('PostgreSQL', () => {
  it('a command that is printed has no password of its own and works where LADING_TO is set', async () => {
    await using database = await freshDatabase()
    await using folder = await Folder.make({ 'a.csv': header + record(1, 'x') })
    const url = new URL(database.url)
    url.password = 'CANARY'
    const run = await folder.lading('load', 'a.csv', '--to', url.href)
    expect(run.out + run.err).not.toContain('CANARY')
    const [list = ''] = commandsOf(run.out)
    expect(list).toMatch(/--to "\$LADING_TO"$/)
    expect((await folder.paste(list, { LADING_TO: database.url })).out).toMatch(/^1 +a\.csv:2/m)
    expectError(await folder.paste(list), 'USAGE', 64)
    expect((await folder.run(['verify'], { env: { LADING_TO: database.url } })).out).toMatch(
      /rejects list --load [0-9a-f]{8}$/m,
    )
  })
})
