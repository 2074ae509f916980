import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Command } from 'commander'
import { program } from '../../src/cli/main.ts'
import { levelOf } from '../../src/cli/terminal/report.ts'
import { runHere } from './printed.ts'
import { expectError, Folder, header, record, records } from './run.ts'

interface Line {
  readonly time: string
  readonly level: string
  readonly type: string
  readonly [field: string]: unknown
}

/** Each line of standard error, which must be an object by itself. */
const linesOf = (err: string) =>
  err
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line)

const names = (command: Command): string[][] =>
  command.commands.flatMap((child) =>
    child.commands.length === 0 ? [[child.name()]] : names(child).map((rest) => [child.name(), ...rest]),
  )

const whole = await program()
const json = ['--log-format', 'json'] as const
const nowhere = ['--to', 'postgresql://me:CANARY@127.0.0.1:1/none', '--start-timeout', '0.4'] as const
const bad = header + record(1) + 'then,a,CANARY\n'

describe('every command', () => {
  const commands = names(whole)

  it('is among them', () => {
    const lines = commands.map((words) => words.join(' '))
    expect(lines).toEqual(
      expect.arrayContaining(['load', 'consume', 'peek', 'rejects list', 'generate logins', 'dead replay']),
    )
    expect(lines.length).toBeGreaterThan(12)
  })

  it.each(commands.map((words) => words.join(' ')))('takes the level and the format: %s', async (line) => {
    const run = await runHere([...line.split(' '), '--quiet', ...json, '--log-level', 'none'])
    expect(linesOf(run.err)).toMatchObject([
      { level: 'error', type: 'error', code: 'USAGE', message: expect.stringContaining('none') },
    ])
    expect(run).toMatchObject({ code: 64, out: '' })
  })
})

describe.concurrent('as JSON', () => {
  it('each event is one object on a line of standard error, with its time, level, type and fields; the result is where it was', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3), 'b.csv': bad })
    const run = await folder.lading('load', 'a.csv', 'b.csv', '--json', ...json, '--log-level', 'debug')
    expect(run.code).toBe(3)
    const lines = linesOf(run.err)
    for (const { time } of lines) expect(new Date(time).toISOString()).toBe(time)
    expect(lines).toMatchObject([
      { level: 'debug', type: 'found', files: 2 },
      { level: 'debug', type: 'planning', source: 'a.csv', bytes: 0 },
      { level: 'debug', type: 'planning', source: 'b.csv' },
      { level: 'debug', type: 'planned', source: 'a.csv', records: 3, chunks: 1 },
      { level: 'debug', type: 'planned', source: 'b.csv' },
      { level: 'debug', type: 'window', messages: 2 },
      { level: 'info', type: 'published', source: 'a.csv', loadId: expect.stringMatching(/^[\da-f-]{36}$/) },
      { level: 'info', type: 'published', source: 'b.csv' },
      { level: 'debug', type: 'batch', loaded: 4, rejected: 1 },
      { level: 'debug', type: 'receipt', source: 'a.csv', records: 3, loaded: 3 },
      { level: 'debug', type: 'receipt', source: 'b.csv', records: 2, loaded: 1, rejected: 1 },
    ])
    expect(JSON.parse(run.out)).toMatchObject({ loadedNow: 4 })
  })

  it('an error is one object with its code and what to do, whether a command fails or was never understood', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    // Long enough for a second attempt on a slow machine.
    const failed = await folder.lading('load', 'a.csv', ...nowhere, '--start-timeout', '3', ...json)
    expect(failed).toMatchObject({ code: 69, out: '' })
    const [waiting, ...more] = linesOf(failed.err)
    const advice = 'start it, or correct --to'
    expect(waiting).toMatchObject({
      level: 'warn',
      type: 'waiting',
      code: 'SINK_UNAVAILABLE',
      attempt: 1,
      advice,
      message: expect.stringContaining('127.0.0.1:1'),
    })
    expect(more.at(-1)).toMatchObject({ level: 'error', type: 'error', code: 'SINK_UNAVAILABLE', advice })
    for (const words of [
      ['load', '--bogus', ...json],
      ['--bogus', '--log-format=json'],
      ['rejects', 'show', 'x', ...json],
    ]) {
      const run = await folder.lading(...words)
      expect(linesOf(run.err)).toMatchObject([
        { level: 'error', type: 'error', code: 'USAGE', advice: expect.stringContaining('--help') },
      ])
    }
    const config = await folder.run(['--config', 'none.json', 'verify'], {
      env: { LADING_LOG_FORMAT: 'json' },
    })
    expect(linesOf(config.err)).toMatchObject([{ code: 'CONFIG_INVALID' }])
  })

  it('consumer processes write in the format and to the level of the command that started them', async () => {
    await using folder = await Folder.make({ 'a.csv': records(50) })
    const load = ['load', 'a.csv', '--consumers', '2', '--chunk-bytes', '100']
    const run = await folder.run([...load, '--log-level', 'debug'], {
      env: { LADING_LOG_FORMAT: 'json', LADING_LOG_LEVEL: 'error' },
    })
    expect(run.code, run.err).toBe(0)
    const batches = linesOf(run.err).filter(({ type }) => type === 'batch')
    expect(batches.reduce((sum, { loaded }) => sum + (loaded as number), 0)).toBe(50)
    const quiet = await folder.run([...load, '--again', '--quiet'], { env: { LADING_LOG_LEVEL: 'debug' } })
    expect(quiet).toMatchObject({ code: 0, err: '' })
  })

  it('neither a secret nor data of a record is in it, and nothing that steers a terminal', async () => {
    await using folder = await Folder.make({
      'a.csv': bad,
      'c\u001b\u009b\u202e.csv': records(1),
      'model.ts': 'throw new Error("at amqp://me:CANARY@host/ \\u009b")',
    })
    const runs = await Promise.all([
      folder.lading('load', 'a.csv', 'c\u001b\u009b\u202e.csv', ...json, '--log-level', 'debug'),
      folder.lading('load', 'a.csv', ...nowhere, ...json),
      folder.lading('load', 'amqp://me:CANARY@host/x', ...json),
      folder.lading('verify', 'amqp://me:CANARY@host/x', ...json),
      folder.lading('status', '--model', 'x', 'amqp://me:CANARY@host/x', ...json),
      folder.lading('consume', '--model', './model.ts', ...json),
    ])
    for (const { err } of runs) {
      expect(linesOf(err).length).toBeGreaterThan(0)
      // oxlint-disable-next-line no-control-regex
      expect(err).not.toMatch(/CANARY|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
    }
    expect(linesOf(runs[0]?.err ?? '').map(({ source }) => source)).toContain('c\u001b\u009b\u202e.csv')
  })
})

describe.concurrent('a level', () => {
  it.each([
    ['error', []],
    ['warn', ['dead']],
    ['info', ['dead', 'foreign', 'published', 'skipped']],
    [
      'debug',
      [
        'batch',
        'dead',
        'foreign',
        'found',
        'planned',
        'planning',
        'published',
        'receipt',
        'skipped',
        'window',
      ],
    ],
  ])('%s lets through %j', async (level, types) => {
    await using folder = await Folder.make({ 'a.csv': records(1), 'b.csv': records(2) })
    expect((await folder.lading('produce', 'b.csv', '--pipeline', 'other')).code).toBe(0)
    expect((await folder.lading('generate', 'logins', '--count', '1', '--queue')).code).toBe(0)
    expect((await folder.lading('load', 'a.csv', '--quiet')).err).toBe('')
    const seen = new Set<string>()
    for (const command of [
      ['load', 'a.csv'],
      ['load', 'b.csv'],
      ['consume', '--until-empty', '--allow-rejects'],
    ]) {
      const run = await folder.lading(...command, ...json, '--log-level', level)
      for (const line of linesOf(run.err)) seen.add(line.type)
    }
    expect([...seen].sort()).toEqual(types)
  })

  it('belongs to each event, and no event is as bad as an error', () => {
    expect(Object.values(levelOf)).not.toContain('error')
    expect(levelOf).toMatchObject({ waiting: 'warn', published: 'info', batch: 'debug' })
  })

  it('comes from the option, else LADING_LOG_LEVEL, else the configuration, else LOG_LEVEL, else it is info', async () => {
    await using folder = await Folder.make({
      'a.csv': records(1),
      'c.json': '{"logLevel":"error"}',
      'd.json': '{"quiet":true}',
    })
    let made = 0
    const types = async (args: string[], env: Record<string, string> = {}) => {
      const anew = [`embedded:queue-${++made}.db`, '--state', `state-${made}.db`]
      const run = await folder.run([...args, 'a.csv', ...json, '--queue', ...anew], { env })
      expect(run.code, run.err).toBe(0)
      return linesOf(run.err).map(({ type }) => type)
    }
    const [quiet, usual, all] = [[], ['published'], ['found', 'planning', 'planned', 'window', 'published']]
    expect(await types(['produce'])).toEqual(usual)
    expect(await types(['produce'], { LOG_LEVEL: 'DEBUG' })).toEqual(all)
    expect(await types(['produce'], { LOG_LEVEL: '' })).toEqual(usual)
    expect(await types(['produce'], { LOG_LEVEL: 'Warning' })).toEqual(quiet)
    expect(await types(['produce'], { LOG_LEVEL: 'CRITICAL' })).toEqual(quiet)
    for (const file of ['c.json', 'd.json']) {
      expect(await types(['--config', file, 'produce'], { LOG_LEVEL: 'DEBUG' })).toEqual(quiet)
      expect(await types(['--config', file, 'produce'], { LADING_LOG_LEVEL: 'info' })).toEqual(usual)
      expect(await types(['--config', file, 'produce', '--log-level', 'debug'])).toEqual(all)
    }
    expect(await types(['produce', '--log-level', 'error'], { LADING_LOG_LEVEL: 'debug' })).toEqual(quiet)
    expect(await types(['produce', '--quiet'], { LADING_LOG_LEVEL: 'debug' })).toEqual(quiet)
    expect(await types(['produce', '--quiet', '--log-level', 'debug'])).toEqual(all)
    expect(await types(['produce'], { LADING_LOG_LEVEL: 'debug', LOG_LEVEL: 'ERROR' })).toEqual(all)
  })

  it('of another name than loggers have is refused by the name of the variable', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    const run = await folder.run(['load', 'a.csv'], { env: { LOG_LEVEL: 'CANARY' } })
    expectError(run, 'CONFIG_INVALID', 78, 'LOG_LEVEL')
    expect(run.err).not.toContain('CANARY')
  })
})

it('for people it is a line for each file, and with debug one for each step', async () => {
  await using folder = await Folder.make({ 'a.csv': records(3) })
  const run = await folder.lading('load', 'a.csv', '--log-level', 'debug')
  expect(run.err.replaceAll(/(Ms) \d+/g, '$1 0')).toBe(
    [
      'found 1 file of 103 bytes',
      'reading a.csv: 0 bytes',
      'planned a.csv: 3 records in 1 chunk',
      'window: messages 1, bytes 75, publishMs 0',
      'published a.csv: 3 records in 1 chunk',
      'batch: messages 1, redelivered 0, duplicates 0, retried 0, deadMessages 0, records 3, loaded 3, rejected 0, skipped 0, bytes 75, writeMs 0, settleMs 0',
      'receipt of a.csv: records 3, loaded 3, rejected 0, skipped 0, dead 0',
      '',
    ].join('\n'),
  )
})

it('the receipt says how long it took, and of what was rejected where to look first, without what the records hold', async () => {
  await using folder = await Folder.make({
    'a.csv': bad,
    'b.csv': header + 'CANARY,a,1\nCANARY,b,1\nCANARY,c,1\n',
  })
  const child = folder.start(['load', 'a.csv', 'b.csv'])
  expect(await text(child.stdout)).toMatch(/^this run loaded 1 record in \d+\.\d s( \(\d+ records\/s\))?$/m)
  const run = await folder.lading('verify')
  const rejects = run.out.split('\n').filter((line) => /^ {2}\S/.test(line))
  const reason = expect.stringMatching(/^ {2}b\.csv:[234]: BAD_TIMESTAMP in record_time: not a timestamp/)
  expect(rejects).toHaveLength(3)
  expect(rejects).toContainEqual(reason)
  expect(run.out).toContain('4 records rejected: lading rejects list\n')
  expect(run.out).not.toContain('CANARY')
  const [{ loadId: one }] = JSON.parse((await folder.lading('verify', '--json')).out) as [{ loadId: string }]
  expect((await folder.lading('verify', one)).out).toContain(
    `rejected: lading rejects list --load ${one.slice(0, 8)}\n`,
  )
})
