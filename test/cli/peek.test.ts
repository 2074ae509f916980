import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type Outgoing, openQueue } from '../../src/index.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { sqsEnvironment, useSqs } from '../../tooling/servers/sqs.ts'
import { HttpFiles } from '../../tooling/servers/http-files.ts'
import { expectError, Folder, header, record, records, library } from './run.ts'

const people = `
import { defineModel } from '${library}'
import { text, varchar } from '${library}'
export default defineModel({
  table: 'people',
  columns: { id: text().notNull(), name: text().transform((name) => name[0] + '***'), city: varchar(6) },
})`

interface Seen {
  readonly key: string
  readonly attempt: number
  readonly chunk?: { readonly source: string; readonly pipeline: string }
  readonly outlook: Readonly<Record<string, unknown>>
}

const url = (folder: Folder) => `embedded:${folder.at('.lading/queue.db')}`

async function publish(queueUrl: string, bodies: Readonly<Record<string, unknown>>): Promise<void> {
  await using queue = await openQueue(queueUrl)
  const messages = Object.entries(bodies).map(([key, body]): Outgoing => {
    return { key, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), headers: {} }
  })
  await queue.publish(messages)
}

const mixed = {
  good: { id: 'one', name: 'CANARY-name', city: 'Turku' },
  many: '{"id":"2"}\n{"id":"3","city":"CANARY-city"}\n{"id":"4"}\n{"id":"5"}\n{"id":"6"}\n',
  long: { id: 'three', city: 'CANARY-city' },
  cut: '{"id":"CANARY',
  unknown: { id: 'five', CANARY: 'CANARY' },
}

/** A queue with a chunk of the model records, messages of others, and a chunk of another pipeline. */
async function filled(): Promise<Folder> {
  const folder = await Folder.make({
    'a.csv': header + record(1) + record(2),
    'people.ts': people,
    'p.csv': 'id,name,city\n7,CANARY-name,Oulu\n',
  })
  expect((await folder.lading('produce', 'a.csv')).code).toBe(0)
  await publish(url(folder), mixed)
  expect((await folder.lading('produce', 'p.csv', '--model', './people.ts')).code).toBe(0)
  return folder
}

describe.concurrent('lading peek', () => {
  it('says of each message whose it is and what would become of it, and shows rows as the model makes them', async () => {
    await using folder = await filled()
    const seen = await folder.json<Seen[]>('peek', '--model', './people.ts')
    expect(
      seen.map(({ key, outlook }) => [
        key.replace(/^.*-.*\/0$/, 'chunk'),
        outlook['kind'],
        outlook['code'] ?? outlook['pipeline'],
      ]),
    ).toEqual([
      ['chunk', 'foreign', 'records'],
      ['good', 'rows', undefined],
      ['many', 'rows', undefined],
      ['long', 'dead', 'TOO_LONG'],
      ['cut', 'dead', 'NOT_OURS'],
      ['unknown', 'dead', 'EXTRA_FIELD'],
      ['chunk', 'rows', undefined],
    ])
    expect(seen[0]?.chunk).toMatchObject({ source: 'a.csv', pipeline: 'records', chunk: 0 })
    expect(seen[1]?.outlook).toMatchObject({
      records: 1,
      rejected: 0,
      rows: [{ id: 'one', name: 'C***', city: 'Turku' }],
    })
    expect(seen[2]?.outlook).toMatchObject({
      records: 5,
      rejected: 1,
      rejects: [{ record: 2, line: 2, column: 'city', code: 'TOO_LONG' }],
    })
    expect(seen[2]?.outlook['rows']).toHaveLength(3)
    expect(seen[6]).toMatchObject({
      attempt: 0,
      chunk: { source: 'p.csv' },
      outlook: { rows: [{ id: '7', name: 'C***', city: 'Oulu' }] },
    })
    expect(await folder.json<Seen[]>('peek', '2', '--model', 'records')).toMatchObject([
      { outlook: { records: 2, rows: [{ sensor_id: 'a' }, {}] } },
      { key: 'good' },
    ])
  })

  it('prints the same as tables, and nothing that the model masks or refuses', async () => {
    await using folder = await filled()
    const run = await folder.lading('peek', '--model', './people.ts')
    expect(run.code, run.err).toBe(0)
    expect(run.out).toMatch(/^# +key +bytes +delivered +what +verdict$/m)
    expect(run.out).toMatch(
      /^1 +\S+\/0 +\d+ +0 +chunk 0 of a\.csv, pipeline records +left to the consumer of pipeline records$/m,
    )
    expect(run.out).toMatch(/^3 +many +\d+ +0 +message +4 records for people, 1 rejected$/m)
    expect(run.out).toMatch(
      /^4 +long +\d+ +0 +message +dead letter TOO_LONG: column city: the text is longer than the column allows$/m,
    )
    expect(run.out).toMatch(/^# +id +name +city$/m)
    expect(run.out).toMatch(/^2 +one +C\*\*\* +Turku$/m)
    expect(run.out).toMatch(/^3 +2 +NULL +NULL$/m)
    expect(run.out).toMatch(/^3 +2 +2 +city +TOO_LONG +the text is longer than the column allows$/m)
    for (const format of ['pretty', 'json']) {
      const { out, err } = await folder.lading(
        'peek',
        '--model',
        './people.ts',
        '--json',
        '--log-level',
        'debug',
        '--log-format',
        format,
      )
      expect(run.out + run.err + out + err).not.toContain('CANARY')
    }
  })

  it('changes nothing: what waits, how often it was delivered and what is loaded afterwards stay as they were', async () => {
    await using folder = await filled()
    const status = await folder.lading('status', '--json')
    const files = await readdir(folder.path)
    for (let time = 0; time < 3; time++) expect(await folder.json<Seen[]>('peek', '100')).toHaveLength(7)
    expect(await folder.lading('status', '--json')).toEqual(status)
    expect(await readdir(folder.path)).toEqual(files)
    const consumed = await folder.lading('consume', '--until-empty', '--json', '--model', './people.ts')
    expect(JSON.parse(consumed.out)).toMatchObject({
      messages: 6,
      redelivered: 0,
      loaded: 6,
      rejected: 1,
      deadMessages: 3,
    })
    expect(await folder.json('consume', '--until-empty')).toMatchObject({
      messages: 1,
      redelivered: 0,
      loaded: 2,
    })
    expect(await folder.lading('peek')).toMatchObject({ code: 0, out: 'no messages\n', err: '' })
  })

  it('says of a message whose file cannot be reached for now that it stays', async () => {
    await using folder = await Folder.make()
    let root = ''
    {
      await using files = await HttpFiles.start()
      files.put('/in/a.csv', records(2))
      root = files.url('/in')
      const run = await folder.lading('produce', `${root}/a.csv`, '--carry', 'reference', '--root', root)
      expect(run.code, run.err).toBe(0)
    }
    const { out } = await folder.lading('peek', '--root', root)
    expect(out).toMatch(/stays in the queue, REFERENCE_HOLD: .*a\.csv/)
  })

  it('takes the options of a consumer', async () => {
    await using folder = await Folder.make({ 'people.ts': people })
    await publish(url(folder), { '': { id: 'x', extra: 'y' } })
    const peek = async (...options: string[]) =>
      (await folder.json<Seen[]>('peek', '--model', './people.ts', ...options))[0]?.outlook
    expect(await peek()).toMatchObject({ code: 'KEY_MISSING' })
    expect(await peek('--dedup-key', 'content')).toMatchObject({ code: 'EXTRA_FIELD' })
    expect(await peek('--dedup-key', 'content', '--ignore-extra')).toMatchObject({
      kind: 'rows',
      rows: [{ id: 'x' }],
    })
  })

  it('makes no queue where there is none, and no message of a number that is none', async () => {
    await using folder = await Folder.make()
    expectError(await folder.lading('peek', '--queue', 'embedded:none.db'), 'QUEUE_MISSING', 78, 'none.db')
    expectError(await folder.lading('peek', '0'), 'USAGE', 64)
    expect(await readdir(folder.path)).toEqual([])
  })
})

describeRabbit('RabbitMQ', () => {
  it('shows its messages, gives them back, and says that the look counted as a delivery', async () => {
    await using folder = await Folder.make({ 'people.ts': people })
    const env = { LADING_QUEUE: freshQueueUrl(), LADING_MODEL: './people.ts' }
    await publish(env.LADING_QUEUE, mixed)
    const look = async () => JSON.parse((await folder.run(['peek', '--json'], { env })).out) as Seen[]
    expect((await look()).map(({ key, attempt }) => [key, attempt])).toEqual(
      Object.keys(mixed).map((key) => [key, 0]),
    )
    expect(new Set((await look()).map(({ attempt }) => attempt))).toEqual(new Set([1]))
    const consumed = await folder.run(['consume', '--until-empty', '--json'], { env })
    expect(JSON.parse(consumed.out)).toMatchObject({ messages: 5, loaded: 5, rejected: 1, deadMessages: 3 })
  })
})

describe('SQS', () => {
  const { freshSqsUrl } = useSqs()

  it('shows its messages, masked by the model that ships, and keeps them', async () => {
    await using folder = await Folder.make()
    const env = { ...sqsEnvironment, LADING_QUEUE: await freshSqsUrl(), LADING_MODEL: 'user_logins' }
    const login = {
      user_id: 'u',
      app_version: '2.3.0',
      device_type: 'iOS',
      ip: '203.0.113.7',
      locale: null,
      device_id: '593-47-5928',
    }
    await publish(env.LADING_QUEUE, {
      good: login,
      bad: { ...login, locale: '593-47-5928'.repeat(3) },
      cut: JSON.stringify(login).slice(0, -3),
    })
    const seen = await folder.run(['peek', '--json'], { env })
    const outlooks = new Map((JSON.parse(seen.out) as Seen[]).map(({ key, outlook }) => [key, outlook]))
    expect(Object.fromEntries(outlooks)).toMatchObject({
      good: {
        rows: [
          {
            event_id: 'good',
            user_id: 'u',
            app_version: 2,
            masked_ip: expect.stringMatching(/^[\da-f]{64}$/),
            locale: null,
          },
        ],
      },
      bad: { kind: 'dead', code: 'TOO_LONG' },
      cut: { kind: 'dead', code: 'NOT_OURS' },
    })
    const printed = await folder.run(['peek'], { env })
    expect(seen.out + seen.err + printed.out + printed.err).not.toMatch(/203\.0\.113\.7|593-47-5928/)
    const consumed = await folder.run(['consume', '--until-empty', '--json'], { env })
    expect(JSON.parse(consumed.out)).toMatchObject({ messages: 3, loaded: 1, deadMessages: 2 })
  })
})
