/** What runs of the command take from their environment. */
import { cp } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { logins } from '../../src/generate/logins.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { sqsEnvironment, useSqs } from '../../tooling/servers/sqs.ts'
import { expectError, fixtures, Folder, records } from './run.ts'

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
      expect(JSON.parse(consumed.out)).toMatchObject({ loaded: 20, deadMessages: 0 })
    })
  })
})
