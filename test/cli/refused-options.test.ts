import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectError, Folder, records } from './run.ts'

const make = () => Folder.make({ 'a.csv': records(1) })

describe.concurrent('the command line', () => {
  it.each([
    [['frob'], "unknown command 'frob'", 'lading --help'],
    [['load'], "missing required argument 'path'", 'lading load --help'],
    [['load', 'a.csv', '--frob'], "unknown option '--frob'", 'lading load --help'],
    [['load', 'a.csv', '--consumers', '0'], 'whole number of 1 or more', 'lading load --help'],
    [
      ['load', 'a.csv', '--consumers', '100000'],
      'At most \\d+ on this machine, 8 for each of its \\d+ cores',
      'lading load --help',
    ],
    [['consume', '--concurrency', '100000'], 'At most \\d+ on this machine', 'lading consume --help'],
    [['load', 'a.csv', '--start-timeout', 'soon'], 'Not a number above 0', 'lading load --help'],
    [['load', 'a.csv', '--delimiter', 'ab'], 'must be one ASCII character', 'see --help'],
    [['load', 'a.csv', '--format', 'ndjson', '--delimiter', ';'], '--delimiter.* is for CSV', 'see --help'],
    [['load', 'a.csv', '--format', 'json', '--quote', "'"], '--quote.* is for CSV', 'see --help'],
    [['produce', 'a.csv', '--format', 'ndjson', '--no-header'], '--no-header.* is for CSV', 'see --help'],
    [['load', 'a.csv', '--delimiter', '"'], 'the same character', 'see --help'],
    [['consume', '--until-empty', '--batches', '2'], 'cannot be used with', 'lading consume --help'],
    [
      ['consume', '--concurrency', '2', '--batches', '1'],
      '--concurrency cannot be used with --batches',
      'see --help',
    ],
    [['load', 'a.csv', '--watch', '--settle', 'soon'], 'Not a number of 0 or more', 'lading load --help'],
    [['load', 'a.csv', '--watch', '--done', 'away'], 'Not keep, delete or move:FOLDER', 'lading load --help'],
    [['load', 'a.csv', '--key', 'id,,n'], 'separated by commas, and not id,,n', 'see --help'],
    [
      ['load', 'a.csv', '--columns', 'id:bigint,n'],
      '--columns is FIELD:TYPE.* not id:bigint,n',
      'see --help',
    ],
    [['load', 'a.csv', '--columns', 'n:text,n:date'], '--columns states the type of n twice', 'see --help'],
    [['init'], 'name either a file or, with --from-table, a database', 'see --help'],
    [['init', 'a.csv', '--from-table', 'sqlite:x.db'], 'name either a file or', 'see --help'],
    [['init', '--from-table', 'sqlite:x.db'], '--from-table needs --table', 'see --help'],
    [['inspect', '-'], 'standard input cannot be read twice', 'see --help'],
    [['load', 'a.csv', '--done', 'move:loaded'], '--done needs --watch', 'see --help'],
    [['load', 'a.csv', '--settle', '5'], '--settle needs --watch', 'see --help'],
    [['load', 'a.csv', '--ended'], '--ended needs --append', 'see --help'],
    [['produce', 'a.csv', '--http-linger'], '--http-linger needs --http', 'see --help'],
    [['consume', '--dedup-key', 'id'], 'Not message-id, content or field:NAME', 'lading consume --help'],
    [
      ['dead', 'replay', '--dedup-key', 'field:'],
      'Not message-id, content or field:NAME',
      'lading dead replay --help',
    ],
    [['verify', ''], 'beginning of its id', 'lading verify --help'],
    [['rejects', 'list', '--load', ''], 'beginning of its id', 'lading rejects list --help'],
    [['dead', 'show', 'x'], 'whole number', 'lading dead show --help'],
    [
      ['load', 'a.csv', '--to', 'sqlite:x.db', '--queue', 'embedded:./x.db'],
      'the same file x.db|the same file ./x.db',
      'see --help',
    ],
  ])('%j exits with 64, names the fault and where help is', async (args, fault, help) => {
    await using folder = await make()
    expectError(await folder.lading(...args), 'USAGE', 64, new RegExp(fault), help)
    expect((await readdir(folder.path)).filter((name) => name !== '.lading')).toEqual(['a.csv'])
  })

  it.each([
    ['load', 'a.csv', '--to'],
    ['consume', '--until-empty', '--to'],
    ['verify', '--to'],
    ['load', 'a.csv', '--queue'],
  ])('a URL that names no database or queue exits with 64: %s %s %s', async (...args) => {
    await using folder = await make()
    for (const [url, fault] of [
      ['', 'URL is empty'],
      ['nope', 'URL has no scheme'],
      ['oracle:x', "is known for 'oracle:'"],
    ] as const)
      expectError(await folder.lading(...args.filter(Boolean), url), 'USAGE', 64, fault)
  })

  it('a command that only looks says so when there is nothing to look at, and makes no file', async () => {
    await using folder = await make()
    const looks = ['verify', 'rejects list', 'rejects show 1', 'dead list', 'dead show 1', 'dead replay']
    for (const run of await Promise.all(
      looks.map((look) => folder.lading(...look.split(' '), '--to', 'sqlite:typo.db')),
    )) {
      expectError(run, 'SOURCE_MISSING', 66, 'there is no database typo.db')
    }
    expect(await readdir(folder.path)).toEqual(['a.csv'])
  })

  it('what is not in the ledger is not found', async () => {
    await using folder = await make()
    await folder.lading('load', 'a.csv')
    const unknown = '11111111-1111-1111-1111-111111111111'
    for (const look of [
      ['verify', unknown],
      ['verify', 'none.csv'],
      ['rejects', 'show', '9'],
      ['dead', 'show', '9'],
      ['dead', 'replay', '9'],
    ]) {
      expectError(await folder.lading(...look), 'NOT_FOUND', 66)
    }
    const run = await folder.lading('verify', unknown, '--republish-missing')
    expect([run.code, run.err]).toEqual([66, expect.stringContaining('NOT_FOUND')])
  })
})

describe.concurrent('the configuration file', () => {
  it.each([
    ['{"to": 5', 'not valid JSON'],
    ['["a"]', 'not a JSON object'],
    ['{"frob": 5}', 'there is no option frob'],
    ['{"to": ["x"]}', 'to must be text or a number'],
    ['{"chunkBytes": "x"}', 'chunkBytes: Not a whole number'],
    ['{"again": "yes"}', 'again must be true or false'],
    ['{"no-header": true}', 'there is no option no-header'],
  ])('%s is refused by the name of the file', async (content, fault) => {
    await using folder = await make()
    await folder.write('lading.json', content)
    expectError(
      await folder.lading('--config', 'lading.json', 'load', 'a.csv'),
      'CONFIG_INVALID',
      78,
      'lading.json',
      fault,
    )
    expect((await readdir(folder.path)).sort()).toEqual(['a.csv', 'lading.json'])
  })

  it('one that cannot be read is refused', async () => {
    await using folder = await make()
    for (const path of ['nothere.json', '.']) {
      expectError(
        await folder.lading('load', 'a.csv', '--config', path),
        'CONFIG_INVALID',
        78,
        `${path} cannot be read`,
      )
    }
  })

  it('gives what the command line and the environment leave open, to every command that has the option', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1).split('\n')[1] as string })
    await folder.write(
      'c.json',
      JSON.stringify({ to: 'sqlite:from-config.db', header: false, 'chunk-bytes': 1000, batches: 1 }),
    )
    expect((await folder.lading('--config', 'c.json', 'load', 'a.csv')).code).toBe(0)
    expect(folder.rows('records', 'from-config.db')).toBe(1)
    const run = await folder.run(['--config', 'c.json', 'load', 'a.csv'], {
      env: { LADING_TO: 'sqlite:from-env.db' },
    })
    expect(run.code, run.err).toBe(0)
    expect(
      (await folder.lading('--config', 'c.json', 'load', 'a.csv', '--to', 'sqlite:from-flag.db')).code,
    ).toBe(0)
    expect([folder.rows('records', 'from-env.db'), folder.rows('records', 'from-flag.db')]).toEqual([1, 1])
  })
})
