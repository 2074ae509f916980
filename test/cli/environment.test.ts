import { SQS } from '@aws-sdk/client-sqs'
import { describe, expect, it } from 'vitest'
import {
  type Environment,
  environmentDefault,
  environmentPaths,
  nameRegion,
} from '../../src/cli/settings/environment.ts'
import { splitScheme } from '../../src/core/url.ts'
import { parseAddress } from '../../src/queue/rabbitmq/address.ts'

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
