import { SQS } from '@aws-sdk/client-sqs'
import { cp } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import {
  type Environment,
  environmentDefault,
  environmentPaths,
  nameRegion,
} from '../../src/cli/settings/environment.ts'
import { splitScheme } from '../../src/core/url.ts'
import { logins } from '../../src/generate/logins.ts'
import { parseAddress } from '../../src/queue/rabbitmq/address.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { sqsEnvironment, useSqs } from '../../tooling/servers/sqs.ts'
import { expectError, fixtures, Folder, records } from './run.ts'

const textOf = (command: string, option: string, env: Environment) =>
  environmentDefault(command, option, env)?.text
const to = (env: Environment) => textOf('consume', 'to', env)
const queue = (env: Environment) => textOf('consume', 'queue', env)

const secret = 'p@ss/w:rd?#% +&ü'
const encodedSecret = 'p%40ss%2Fw%3Ard%3F%23%25%20%2B%26%C3%BC'

describe('POSTGRES_* is the target', () => {
  it.each<[Environment, string]>([
    [{ POSTGRES_HOST: 'db' }, 'postgresql://postgres:postgres@db:5432/postgres'],
    [{ POSTGRES_DATABASE: 'records' }, 'postgresql://postgres:postgres@localhost:5432/records'],
    [{ POSTGRES_PORT: '5433', POSTGRES_HOST: '' }, 'postgresql://postgres:postgres@localhost:5433/postgres'],
    [{ POSTGRES_HOST: '::1' }, 'postgresql://postgres:postgres@[::1]:5432/postgres'],
    [{ POSTGRES_HOST: '[::1]' }, 'postgresql://postgres:postgres@[::1]:5432/postgres'],
    [
      { POSTGRES_HOST: '/run/postgresql' },
      'postgresql://postgres:postgres@%2Frun%2Fpostgresql:5432/postgres',
    ],
    [
      { POSTGRES_USERNAME: 'a b@c', POSTGRES_PASSWORD: secret, POSTGRES_DATABASE: 'x/y?z' },
      `postgresql://a%20b%40c:${encodedSecret}@localhost:5432/x%2Fy%3Fz`,
    ],
  ])('%j', (env, url) => {
    expect(to(env)).toBe(url)
    expect(splitScheme(url)?.scheme).toBe('postgresql')
  })

  it('alone is no queue, and what is empty or of another kind is no target', () => {
    expect(queue({ POSTGRES_HOST: 'db' })).toBeUndefined()
    expect(
      to({ POSTGRES_HOST: '', POSTGRES_PASSWORD: '', POSTGRES_BATCH_UPSERT_SIZE: '5', RABBITMQ_HOST: 'mq' }),
    ).toBeUndefined()
    expect(to({})).toBeUndefined()
  })
})

describe('RABBITMQ_* is the queue', () => {
  it.each<[Environment, string]>([
    [{ RABBITMQ_HOST: 'mq' }, 'amqp://guest:guest@mq:5672/'],
    [{ RABBITMQ_QUEUE_NAME: 'a b&c' }, 'amqp://guest:guest@localhost:5672/?queue=a%20b%26c'],
    [
      {
        RABBITMQ_HOST: 'mq',
        RABBITMQ_PORT: '5673',
        RABBITMQ_USERNAME: 'me',
        RABBITMQ_PASSWORD: secret,
        RABBITMQ_SOCKET_TIMEOUT: '30',
      },
      `amqp://me:${encodedSecret}@mq:5673/?timeout=30`,
    ],
    [
      { RABBITMQ_HOST: '10.0.0.1', RABBITMQ_QUEUE_NAME: 'q', RABBITMQ_SOCKET_TIMEOUT: '86400' },
      'amqp://guest:guest@10.0.0.1:5672/?queue=q&timeout=60',
    ],
  ])('%j', (env, url) => {
    expect(queue(env)).toBe(url)
    expect(() => parseAddress(url)).not.toThrow()
  })

  it('every part arrives as it was written', () => {
    const env = {
      RABBITMQ_HOST: '::1',
      RABBITMQ_USERNAME: secret,
      RABBITMQ_PASSWORD: secret,
      RABBITMQ_QUEUE_NAME: secret,
    }
    const parts = { host: '::1', port: 5672, user: secret, password: secret, queue: secret, vhost: '/' }
    expect(parseAddress(queue(env) as string)).toMatchObject(parts)
  })

  it('alone is no target, and a time-out alone is no queue', () => {
    expect(to({ RABBITMQ_HOST: 'mq' })).toBeUndefined()
    expect(queue({ RABBITMQ_SOCKET_TIMEOUT: '5', RABBITMQ_POLLING_TIMEOUT: '5' })).toBeUndefined()
  })
})

describe('SQS_URL is the queue, PG_URL the target', () => {
  it('as they are', () => {
    expect(queue({ SQS_URL: 'https://sqs.eu-west-1.amazonaws.com/1/q' })).toBe(
      'https://sqs.eu-west-1.amazonaws.com/1/q',
    )
    expect(to({ PG_URL: 'postgres://a:b@c/d' })).toBe('postgres://a:b@c/d')
    expect([to({ SQS_URL: 'x', PG_URL: '' }), queue({ PG_URL: 'x', SQS_URL: '' })]).toEqual([
      undefined,
      undefined,
    ])
  })

  it.each<[Environment, string, string]>([
    [{ SQS_URL: 'http://CANARY', RABBITMQ_HOST: 'CANARY' }, 'queue', 'RABBITMQ_HOST'],
    [{ SQS_URL: 'http://CANARY', RABBITMQ_PASSWORD: 'CANARY' }, 'queue', 'RABBITMQ_PASSWORD'],
    [{ PG_URL: 'postgres://CANARY', POSTGRES_PASSWORD: 'CANARY' }, 'to', 'POSTGRES_PASSWORD'],
  ])('%j names two places, which is refused', (env, option, other) => {
    const use = () => environmentDefault('consume', option, env)
    const message = expect.stringContaining(`${option === 'to' ? 'PG_URL' : 'SQS_URL'} and ${other} `)
    expect(use).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }))
    expect(use).not.toThrow('CANARY')
    const { [other]: _, ...alone } = env
    expect(
      environmentDefault('consume', option, {
        ...alone,
        RABBITMQ_SOCKET_TIMEOUT: '5',
        POSTGRES_BATCH_UPSERT_SIZE: '5',
      })?.text,
    ).toContain('CANARY')
  })

  it('and no queue into which generated events go', () => {
    expect(environmentDefault('logins', 'queue', { SQS_URL: 'http://x/q' })).toBeUndefined()
  })
})

it.each([
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARNING', 'warn'],
  ['ERROR', 'error'],
  ['CRITICAL', 'error'],
  ['info', 'info'],
  ['Warn', 'warn'],
  [' NOTSET ', 'debug'],
  ['', undefined],
])('LOG_LEVEL=%s is the level %s', (name, level) => {
  for (const command of ['consume', 'peek', 'logins'])
    expect(textOf(command, 'logLevel', { LOG_LEVEL: name })).toBe(level)
})

describe('AWS_DEFAULT_REGION', () => {
  it('is the region where AWS_REGION is none', () => {
    const named = (env: Record<string, string | undefined>) => {
      nameRegion(env)
      return env['AWS_REGION']
    }
    expect(named({ AWS_DEFAULT_REGION: 'eu-west-3' })).toBe('eu-west-3')
    expect(named({ AWS_DEFAULT_REGION: 'eu-west-3', AWS_REGION: '' })).toBe('eu-west-3')
    expect(named({ AWS_DEFAULT_REGION: 'eu-west-3', AWS_REGION: 'us-west-2' })).toBe('us-west-2')
    expect(named({ AWS_DEFAULT_REGION: '' })).toBeUndefined()
  })

  it('is what the SDK finds then, which does not look for it by itself', async () => {
    const { AWS_REGION } = process.env
    Object.assign(process.env, { AWS_DEFAULT_REGION: 'eu-west-3' })
    delete process.env['AWS_REGION']
    try {
      nameRegion(process.env)
      const client = new SQS({})
      expect(await client.config.region()).toBe('eu-west-3')
    } finally {
      delete process.env['AWS_DEFAULT_REGION']
      Object.assign(process.env, { AWS_REGION })
    }
  })
})

it.each([
  ['consume', 'batchMessages', 'POSTGRES_BATCH_UPSERT_SIZE', '500'],
  ['consume', 'idleTimeout', 'RABBITMQ_POLLING_TIMEOUT', '10'],
  ['produce', 'delimiter', 'CSV_PARSER_DELIMITER', ';'],
  ['load', 'delimiter', 'CSV_PARSER_DELIMITER', '\\t'],
  ['sensors', 'sensors', 'GEN_NUM_SENSORS', '3'],
  ['sensors', 'records', 'GEN_NUM_RECORDS', '7'],
  ['sensors', 'interval', 'GEN_RECORD_INTERVAL', '0.5'],
  ['sensors', 'start', 'GEN_START_DATE', '2024-02-29'],
  ['sensors', 'timezone', 'GEN_TIMEZONE', 'Asia/Hong_Kong'],
  ['sensors', 'dir', 'TARGET_FILE_DIR', './records'],
])('for %s, the option %s is %s', (command, option, variable, text) => {
  expect(environmentDefault(command, option, { [variable]: text })).toEqual({ text, variable })
  expect(environmentDefault(command, option, { [variable]: '' })).toBeUndefined()
})

it('an option of the same name that means something else is left alone', () => {
  expect(textOf('load', 'idleTimeout', { RABBITMQ_POLLING_TIMEOUT: '10' })).toBeUndefined()
  expect(textOf('load', 'records', { GEN_NUM_RECORDS: '10' })).toBeUndefined()
})

it.each<[Environment, readonly string[] | undefined]>([
  [{}, undefined],
  [{ TARGET_FILE_DIR: '', TARGET_FILE_EXTENSION: '.csv' }, undefined],
  [{ TARGET_FILE_DIR: './records' }, ['./records']],
  [{ TARGET_FILE_DIR: './records/', TARGET_FILE_EXTENSION: '.csv' }, ['./records/**/*.csv']],
  [{ TARGET_FILE_DIR: '/in', TARGET_FILE_EXTENSION: 'csv.gz' }, ['/in/**/*.csv.gz']],
  [{ TARGET_FILE_DIR: '/in', CSV_PARSER_FILE_EXTENSION: '.txt' }, ['/in/**/*.txt']],
  [
    { TARGET_FILE_DIR: '/in', TARGET_FILE_EXTENSION: '.csv', CSV_PARSER_FILE_EXTENSION: '.txt' },
    ['/in/**/*.csv'],
  ],
])('the files of %j are %j', (env, paths) => expect(environmentPaths(env)).toEqual(paths))

it.each<[Environment, () => unknown]>(
  [
    { POSTGRES_PORT: 'CANARY' },
    { POSTGRES_PORT: '0' },
    { POSTGRES_PORT: 'tcp://CANARY:5432' },
    { POSTGRES_HOST: 'postgresql://me:CANARY@db' },
    { POSTGRES_HOST: 'CANARY:5432' },
    { RABBITMQ_PORT: '65536' },
    { RABBITMQ_HOST: '/run/CANARY' },
    { RABBITMQ_SOCKET_TIMEOUT: 'CANARY', RABBITMQ_HOST: 'mq' },
    { CSV_PARSER_DELIMITER: 'CANARY' },
    { CSV_PARSER_DELIMITER: '\n' },
    { TARGET_FILE_EXTENSION: '*CANARY/', TARGET_FILE_DIR: '.' },
    { LOG_LEVEL: 'CANARY' },
  ].map((env: Environment) => [
    env,
    () =>
      ['to', 'queue', 'delimiter', 'logLevel'].map((option) => environmentDefault('produce', option, env)) &&
      environmentPaths(env),
  ]),
)('%j is refused by the name of the variable, without its value', (env, use) => {
  const variable = Object.keys(env)[0] as string
  expect(use).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(` ${variable} `) }),
  )
  expect(use).not.toThrow('CANARY')
})

describe.concurrent('a run', () => {
  it('takes what neither a flag nor LADING_* nor the configuration says, in this order', async () => {
    await using folder = await Folder.make({
      'a.csv': records(2),
      'c.json': JSON.stringify({ to: 'sqlite:from-config.db' }),
    })
    const env = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '1', POSTGRES_PASSWORD: 'CANARY' }
    const load = ['load', 'a.csv', '--start-timeout', '0.1']
    const old = await folder.run(load, { env })
    expectError(old, 'SINK_UNAVAILABLE', 69)
    expect(old.err).not.toContain('CANARY')
    expect((await folder.run(['--config', 'c.json', ...load], { env })).code).toBe(0)
    expect(
      (
        await folder.run(['--config', 'c.json', ...load], {
          env: { ...env, LADING_TO: 'sqlite:from-env.db' },
        })
      ).code,
    ).toBe(0)
    expect((await folder.run([...load, '--to', 'sqlite:from-flag.db'], { env })).code).toBe(0)
    expect(
      ['from-config.db', 'from-env.db', 'from-flag.db'].map((file) => folder.rows('records', file)),
    ).toEqual([2, 2, 2])
  })

  it('needs a value that it uses to be right, and no other', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2) })
    const env = {
      POSTGRES_PORT: 'CANARY',
      RABBITMQ_PORT: 'CANARY',
      POSTGRES_BATCH_UPSERT_SIZE: '10',
      GEN_NUM_SENSORS: 'CANARY',
    }
    const refused = await folder.run(['load', 'a.csv', '--queue', 'embedded:q.db'], { env })
    expectError(refused, 'CONFIG_INVALID', 78, 'POSTGRES_PORT')
    const sensors = await folder.run(['generate', 'sensors'], { env })
    expectError(sensors, 'CONFIG_INVALID', 78, 'GEN_NUM_SENSORS')
    expect(refused.err + sensors.err).not.toContain('CANARY')
    const run = await folder.run(['load', 'a.csv', '--queue', 'embedded:q.db', '--to', 'sqlite:x.db'], {
      env,
    })
    expect(run.code, run.err).toBe(0)
  })

  it('finds the files below TARGET_FILE_DIR that have the extension, whatever the folder is called', async () => {
    await using folder = await Folder.make({ 'in [1]/b.txt': records(4), 'in [1]/c.csv.gz': 'no gzip' })
    await cp(`${fixtures}/records`, folder.at('in [1]/deep'), { recursive: true })
    const env = { TARGET_FILE_DIR: 'in [1]', TARGET_FILE_EXTENSION: '.csv' }
    const run = await folder.run(['load'], { env })
    expect(run.code, run.err).toBe(0)
    expect(folder.rows()).toBe(50)
    const produced = await folder.run(['produce', 'in [1]/b.txt'], { env })
    expect(produced.out).toBe('published 1 of 1 file with 4 records\n')
  })

  it.each(['load', 'produce'])('of %s without a path and without the variable says so', async (command) => {
    await using folder = await Folder.make()
    const run = await folder.run([command], { env: { TARGET_FILE_EXTENSION: '.csv' } })
    expectError(
      run,
      'USAGE',
      64,
      "missing required argument 'path'",
      'TARGET_FILE_DIR',
      `lading ${command} --help`,
    )
  })

  it('reads the delimiter, and generates what GEN_* says', async () => {
    await using folder = await Folder.make({ 'a.csv': records(2).replaceAll(',', ';') })
    expect((await folder.run(['load', 'a.csv'], { env: { CSV_PARSER_DELIMITER: ';' } })).code).toBe(0)
    const env = {
      GEN_NUM_SENSORS: '10',
      GEN_NUM_RECORDS: '5',
      GEN_START_DATE: '2021-01-01',
      GEN_RECORD_INTERVAL: '1',
      GEN_TIMEZONE: 'Asia/Shanghai',
      TARGET_FILE_DIR: 'made',
      TZ: 'America/New_York',
    }
    const run = await folder.run(['generate', 'sensors'], { env })
    expect(run.out, run.err).toContain('wrote 50 records of 10 sensors to made')
    const again = await folder.run(['load'], { env: { TARGET_FILE_DIR: 'made' } })
    expect(again.code, again.err).toBe(0)
    const [first] = folder.sql<{ at: string }>(
      `SELECT min(record_time) AS at FROM records WHERE sensor_id = 'bdd640fb_0'`,
    )
    expect(Date.parse(first?.at as string)).toBe(Date.parse('2021-01-01T00:00:00+08:00'))
  })

  it('of consumer processes under one load ends when the load does, not when the queue is quiet', async () => {
    await using folder = await Folder.make({ 'a.csv': records(50) })
    const env = { RABBITMQ_POLLING_TIMEOUT: '0.001', POSTGRES_BATCH_UPSERT_SIZE: '1' }
    const run = await folder.run(['load', 'a.csv', '--consumers', '2', '--chunk-bytes', '100'], { env })
    expect(run.code, run.err).toBe(0)
    expect(folder.rows()).toBe(50)
  })

  it('of a consumer ends after RABBITMQ_POLLING_TIMEOUT without a message, and takes no size that is none', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    expect((await folder.lading('produce', 'a.csv')).code).toBe(0)
    const run = await folder.run(['consume'], {
      env: { RABBITMQ_POLLING_TIMEOUT: '0.5', POSTGRES_BATCH_UPSERT_SIZE: '1' },
    })
    expect(run.code, run.err).toBe(0)
    expect(folder.rows()).toBe(3)
    for (const variable of ['RABBITMQ_POLLING_TIMEOUT', 'POSTGRES_BATCH_UPSERT_SIZE']) {
      const refused = await folder.run(['consume'], { env: { [variable]: 'CANARY' } })
      expectError(refused, 'CONFIG_INVALID', 78, variable)
      expect(refused.err).not.toContain('CANARY')
    }
  })

  it('shows no password in its help', async () => {
    await using folder = await Folder.make()
    const env = {
      POSTGRES_PASSWORD: 'CANARY',
      RABBITMQ_PASSWORD: 'CANARY',
      PG_URL: 'x://CANARY',
      SQS_URL: 'x://CANARY',
      AWS_SECRET_ACCESS_KEY: 'CANARY',
    }
    const commands = [
      'load',
      'produce',
      'consume',
      'peek',
      'generate logins',
      'status',
      'verify',
      'rejects list',
      'rejects show',
      'dead list',
      'dead replay',
      '',
    ]
    const helps = commands.map((command) =>
      folder.run([...command.split(' ').filter(Boolean), '--help'], { env }),
    )
    for (const { code, out, err } of await Promise.all(helps)) {
      expect(code).toBe(0)
      expect(out + err).not.toContain('CANARY')
    }
  })
})

describePostgres('PostgreSQL', () => {
  it('is reached by POSTGRES_*', async () => {
    await using folder = await Folder.make({ 'a.csv': records(3) })
    await using database = await freshDatabase()
    const { hostname, port, username, password, pathname } = new URL(database.url)
    const env = {
      POSTGRES_HOST: decodeURIComponent(hostname),
      POSTGRES_PORT: port,
      POSTGRES_USERNAME: decodeURIComponent(username),
      POSTGRES_PASSWORD: decodeURIComponent(password),
      POSTGRES_DATABASE: pathname.slice(1),
    }
    const load = await folder.run(['load', 'a.csv', '--consumers', '2'], { env })
    expect(load.code, load.err).toBe(0)
    const status = await folder.run(['status', '--json'], { env })
    expect(JSON.parse(status.out)).toMatchObject({ loads: [{ records: 3, loaded: 3, open: 0 }] })
  })
})

it('a variable of lading itself that is empty counts as not set', async () => {
  await using folder = await Folder.make({
    'a.csv': 'record_time,sensor_id,value\n2021-01-01T00:00:00Z,a,1\n',
  })
  const run = await folder.run(['load', 'a.csv'], {
    env: { LADING_QUEUE: '', LADING_TO: '', LADING_MODEL: '', LADING_LOG_LEVEL: '' },
  })
  expect(run.code, run.err).toBe(0)
  expect(folder.rows()).toBe(1)
})

describeRabbit('RabbitMQ', () => {
  it('is reached by RABBITMQ_*, from the folder to the end of the last consumer', async () => {
    await using folder = await Folder.make()
    await cp(`${fixtures}/records`, folder.at('in'), { recursive: true })
    const { hostname, port, username, password, searchParams } = new URL(freshQueueUrl())
    const env = {
      RABBITMQ_HOST: hostname,
      RABBITMQ_PORT: port,
      RABBITMQ_USERNAME: decodeURIComponent(username),
      RABBITMQ_PASSWORD: decodeURIComponent(password),
      RABBITMQ_QUEUE_NAME: searchParams.get('queue') as string,
      RABBITMQ_SOCKET_TIMEOUT: '86400',
      RABBITMQ_POLLING_TIMEOUT: '1',
      TARGET_FILE_DIR: 'in',
      TARGET_FILE_EXTENSION: '.csv',
      CSV_PARSER_DELIMITER: ',',
    }
    const produced = await folder.run(['produce'], { env })
    expect(produced.out, produced.err).toBe('published 10 of 10 files with 50 records\n')
    const consumed = await folder.run(['consume'], { env })
    expect(consumed.code, consumed.err).toBe(0)
    expect(folder.rows()).toBe(50)
  })
})

describe('SQS', () => {
  const { freshSqsUrl } = useSqs()
  const env = async () => ({
    ...sqsEnvironment,
    AWS_REGION: '',
    AWS_DEFAULT_REGION: 'eu-west-3',
    SQS_URL: await freshSqsUrl(),
  })

  it('is reached by SQS_URL: login events go in, are seen, and come out as rows', async () => {
    await using folder = await Folder.make()
    const variables = { ...(await env()), LADING_MODEL: 'user_logins', LOG_LEVEL: 'ERROR' }
    const shares = { broken: 0.2, duplicates: 0.2 }
    const generate = [
      'generate',
      'logins',
      '--count',
      '60',
      '--broken',
      '0.2',
      '--duplicates',
      '0.2',
      '--queue',
      '--json',
    ]
    const generated = await folder.run(generate, { env: variables })
    expect(generated.code, generated.err).toBe(0)
    expect(JSON.parse(generated.out)).toMatchObject({ messages: 60, queue: variables.SQS_URL })
    const peeked = await folder.run(['peek', '5', '--json'], { env: variables })
    expect(peeked.code, peeked.err).toBe(0)
    expect(JSON.parse(peeked.out)).toHaveLength(5)
    const consumed = await folder.run(['consume', '--until-empty', '--allow-rejects'], { env: variables })
    expect(consumed).toMatchObject({ code: 0, err: '' })
    const sound = [...logins({ count: 60, seed: 42, ...shares })].filter(({ flaw }) => flaw === undefined)
    const ids = folder
      .sql<{ event_id: string }>('SELECT event_id FROM user_logins')
      .map(({ event_id }) => event_id)
    expect(ids.sort()).toEqual([...new Set(sound.map(({ key }) => key))].sort())
  })

  describePostgres('with PostgreSQL', () => {
    it('and PG_URL are all that the login pipeline needs', async () => {
      await using folder = await Folder.make()
      await using database = await freshDatabase()
      const variables = { ...(await env()), PG_URL: database.url, LADING_MODEL: 'user_logins' }
      expect(
        (await folder.run(['generate', 'logins', '--count', '20', '--queue'], { env: variables })).code,
      ).toBe(0)
      const consumed = await folder.run(['consume', '--until-empty', '--json', '--quiet'], { env: variables })
      expect(consumed.code, consumed.err).toBe(0)
      expect(JSON.parse(consumed.out)).toMatchObject({ loaded: 20, dead: 0 })
    })
  })
})
