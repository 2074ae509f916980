/** The second of the replaced systems: login events from SQS, masked, into PostgreSQL. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { createConsumer, openQueue, openSink, sha256, userLogins } from '../../src/index.ts'
import { Folder } from '../cli/run.ts'
import { query } from '../support/fixture.ts'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { sqsEnvironment, useSqs } from '../../tooling/servers/sqs.ts'

const { server, freshSqsUrl } = useSqs()

const count = 100

const login = (n: number) => ({
  user_id: `user-${n}`,
  app_version: n === 0 ? '2.3.0' : `${n % 7}.${n}.1`,
  device_type: n % 2 === 0 ? 'android' : 'iOS',
  ip: n === 0 ? '199.172.111.135' : `10.20.30.${n}`,
  locale: n % 5 === 1 ? null : 'RU',
  device_id: n === 0 ? '593-47-5928' : `100-20-${3000 + n}`,
})

/** As any producer sends them, with nothing of ours in them. */
async function sendLogins(url: string): Promise<void> {
  for (let first = 0; first < count; first += 10) {
    const Entries = Array.from({ length: 10 }, (_, i) => ({
      Id: String(i),
      MessageBody: JSON.stringify(login(first + i)),
    }))
    await server().call('SendMessageBatch', { QueueUrl: url, Entries })
  }
}

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex')

describePostgres('PostgreSQL', () => {
  it('100 logins in an SQS queue are 100 masked rows, the queue is empty, and the exit code is 0', async () => {
    await using database = await freshDatabase()
    await using folder = await Folder.make()
    const url = await freshSqsUrl()
    await sendLogins(url)
    const env = {
      ...sqsEnvironment,
      LADING_QUEUE: url,
      LADING_TO: database.url,
      LADING_MODEL: 'user_logins',
      TZ: 'Asia/Taipei',
    }
    const run = await folder.run(['consume', '--until-empty', '--json'], { env })
    expect(run.code, run.err).toBe(0)
    expect(JSON.parse(run.out)).toMatchObject({
      messages: count,
      loaded: count,
      rejected: 0,
      deadMessages: 0,
    })
    expect(run.err).toMatch(/^warning: .*sha256|reversible/m)

    const rows = await query<Record<string, unknown>>(
      database.url,
      'SELECT * FROM user_logins ORDER BY user_id',
    )
    expect(rows).toHaveLength(count)
    expect(rows[0]).toMatchObject({
      user_id: 'user-0',
      device_type: 'android',
      masked_ip: 'a6d0e2f27f6111e10b06790db42f34123e724aa0fd24b280f4a0ef5ee986784c',
      masked_device_id: '4f00c1a807b673887c7af517d0df68e6b41aecf8cbec26c71fe4c580664669ed',
      locale: 'RU',
      app_version: 2,
      app_version_full: '2.3.0',
    })
    for (const row of rows) {
      const { ip, device_id, locale } = login(Number(String(row['user_id']).slice(5)))
      expect([row['masked_ip'], row['masked_device_id'], row['locale']]).toEqual([
        hashed(ip),
        hashed(device_id),
        locale,
      ])
    }
    const [days] = await query(
      database.url,
      `SELECT count(*) FILTER (WHERE create_date = (received_at AT TIME ZONE 'UTC')::date)::int AS right, count(DISTINCT event_id)::int AS events
       FROM user_logins`,
    )
    expect(days).toEqual({ right: count, events: count })

    await using queue = await openQueue(url)
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
    const again = await folder.run(['consume', '--until-empty', '--json'], { env })
    expect([again.code, JSON.parse(again.out)]).toMatchObject([0, { messages: 0, loaded: 0 }])
    expect(await query(database.url, 'SELECT count(*)::int AS n FROM user_logins')).toEqual([{ n: count }])
  })

  it('generated logins, sent twice as after a redrive under new message ids, take effect once, and the broken ones are dead letters', async () => {
    await using database = await freshDatabase()
    await using folder = await Folder.make()
    const url = await freshSqsUrl()
    const env = { ...sqsEnvironment, LADING_QUEUE: url, LADING_TO: database.url, LADING_MODEL: 'user_logins' }
    for (let sent = 0; sent < 2; sent++) {
      const generated = await folder.run(
        ['generate', 'logins', '--count', '200', '--seed', '5', '--broken', '0.1', '--queue', url],
        {
          env,
        },
      )
      expect(generated.code, generated.err).toBe(0)
    }
    const run = await folder.run(['consume', '--until-empty', '--json'], { env })
    expect(run.code, run.err).toBe(3)
    const tally = JSON.parse(run.out) as {
      messages: number
      loaded: number
      deadMessages: number
      duplicates: number
    }
    expect(tally.messages).toBe(400)
    expect(tally.loaded).toBeGreaterThan(100)
    expect(tally.loaded * 2 + tally.deadMessages).toBe(400)
    const [{ rows, letters } = {}] = await query<{ rows: number; letters: number }>(
      database.url,
      "SELECT (SELECT count(*)::int FROM user_logins) AS rows, (SELECT count(*)::int FROM lading.dead_letter WHERE state = 'dead') AS letters",
    )
    expect(rows).toBe(tally.loaded)
    expect((rows ?? 0) + (letters ?? 0)).toBe(200)
  })
})

it('100 logins in an SQS queue load into SQLite in memory, as a unit test would do it', async () => {
  const url = await freshSqsUrl()
  await sendLogins(url)
  await using queue = await openQueue(url)
  await using sink = await openSink('sqlite::memory:')
  const consumer = createConsumer({ queue, model: userLogins({ mask: sha256() }), sink })
  expect(await consumer.run({ batches: 1 })).toMatchObject({ deadMessages: 0, rejected: 0 })
  await consumer.run({ untilEmpty: true })
  expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  expect(await consumer.run({ untilEmpty: true })).toMatchObject({ messages: 0, loaded: 0 })
})
