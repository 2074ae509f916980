import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { connect } from 'amqplib'
import { openQueue } from '../../src/index.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { type RabbitServer, startRabbit } from '../../tooling/servers/rabbitmq.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { freePort } from '../../tooling/servers/engine.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { mountSmall, skipLoudly } from '../queue/system.ts'
import { levels, named, Place } from './findings.ts'

const { server, freshSqsUrl } = useSqs()
let place: Place

beforeEach(() => (place = new Place()))
afterEach(() => place[Symbol.dispose]())

const ofQueue = async (queue: string, create = true) =>
  (await place.findings({ queue, create })).filter(({ about }) => about === 'queue')

const message = { key: 'a', body: Buffer.from('{}'), headers: {} }

it('an embedded queue: not made by looking, its messages counted, another database refused', async () => {
  expect(levels(await ofQueue(place.queue), 'fail')).toEqual([])
  expect(existsSync(join(place.folder, 'queue.db'))).toBe(false)
  expect(levels(await ofQueue(place.queue, false), 'fail')).toEqual([expect.stringMatching(/QUEUE_MISSING/)])
  {
    await using queue = await openQueue(place.queue)
    await queue.publish([message, message])
  }
  expect(named(await ofQueue(place.queue), 'queue')).toMatchObject([
    { level: 'note', detail: expect.stringMatching(/^2 messages wait and 0 are/) },
  ])
  writeFileSync(
    join(place.folder, 'other.db'),
    'not a database, and long enough to be read as one'.repeat(20),
  )
  expect(levels(await ofQueue(`embedded:${join(place.folder, 'other.db')}`), 'fail')).toEqual([
    expect.stringMatching(/^queue: QUEUE_CORRUPT/),
  ])
})

it('an embedded queue: a short lease, a newer version and the database of another program', async () => {
  expect(levels(await ofQueue(`${place.queue}?lease=5s`), 'warn')).toEqual([
    expect.stringMatching(/^lease: a consumer that is silent for 5 s/),
  ])
  await (await openQueue(place.queue))[Symbol.asyncDispose]()
  using file = new SqliteFile(join(place.folder, 'queue.db'))
  file.exec('PRAGMA user_version = 99')
  expect(await ofQueue(place.queue)).toContainEqual(
    expect.objectContaining({ level: 'fail', what: 'queue', cure: 'npm install lading@latest' }),
  )
  using other = new SqliteFile(join(place.folder, 'theirs.db'))
  other.exec('CREATE TABLE theirs (id INTEGER)')
  expect(levels(await ofQueue(`embedded:${join(place.folder, 'theirs.db')}`), 'fail')).toEqual([
    expect.stringMatching(/^queue: .*theirs\.db is a database of another program/),
  ])
})

it('an embedded queue where nothing can be written: the folder is said, and the queue not looked for', async (context) => {
  const folder = join(place.folder, 'sealed')
  const mounted = mountSmall(folder, 1024, 'ro')
  if (typeof mounted === 'string') return skipLoudly(context, mounted)
  try {
    expect(await ofQueue(`embedded:${join(folder, 'queue.db')}`)).toMatchObject([
      { level: 'fail', what: 'file', detail: `${folder} cannot be written by this user` },
    ])
  } finally {
    mounted.unmount()
  }
})

it('an embedded queue below a file: nothing can be made there', async () => {
  const file = join(place.folder, 'a file')
  writeFileSync(file, '')
  expect(await ofQueue(`embedded:${join(file, 'below', 'queue.db')}`)).toMatchObject([
    { level: 'fail', what: 'file', detail: `${file} is a file, and no folder` },
  ])
})

it('a queue in memory: that it ends with the process', async () => {
  expect(await ofQueue('memory:')).toMatchObject([
    { level: 'note', what: 'queue', detail: expect.stringContaining('in the memory of one process') },
  ])
})

it('an SQS queue: what its attributes weaken, each with the call that changes it', async () => {
  await server().createQueue('dead')
  const policy = JSON.stringify({ deadLetterTargetArn: server().arn('dead'), maxReceiveCount: '3' })
  const url = await freshSqsUrl({
    VisibilityTimeout: '5',
    MessageRetentionPeriod: '3600',
    MaximumMessageSize: '65536',
    RedrivePolicy: policy,
  })
  const found = await ofQueue(url)
  expect(found.filter(({ level }) => level === 'warn').map(({ what }) => what)).toEqual([
    'VisibilityTimeout',
    'MessageRetentionPeriod',
    'dead-letter queue',
  ])
  for (const [attributes] of found
    .flatMap(({ cure = '' }) => [/--attributes '(.*)'$/.exec(cure)?.slice(1) ?? []])
    .filter(([each]) => each !== undefined))
    await server().call('SetQueueAttributes', { QueueUrl: url, Attributes: JSON.parse(attributes ?? '{}') })
  expect(levels(await ofQueue(url), 'warn')).toEqual([])
  expect(levels(await ofQueue(server().url('missing')), 'fail')).toEqual([
    expect.stringMatching(/^connection: QUEUE_MISSING/),
  ])
})

it('an SQS queue: a long lease, small messages, a delay, an order and a key, and no dead-letter queue', async () => {
  const attributes = {
    FifoQueue: 'true',
    VisibilityTimeout: '7200',
    MaximumMessageSize: '4096',
    DelaySeconds: '3',
    KmsMasterKeyId: 'alias/ours',
  }
  const found = await ofQueue(await freshSqsUrl(attributes, '.fifo'))
  expect(levels(found, 'fail')).toEqual([expect.stringMatching(/^MaximumMessageSize: it is 4,096 bytes/)])
  expect(levels(found, 'note')).toEqual([
    expect.stringMatching(/^VisibilityTimeout: it is 7200 s/),
    expect.stringMatching(/^MessageRetentionPeriod: /),
    expect.stringMatching(/^DelaySeconds: each message waits 3 s/),
    expect.stringMatching(/^FIFO: /),
    expect.stringMatching(/^KMS: messages are encrypted with alias\/ours/),
    expect.stringMatching(/^rights: /),
  ])
  expect(named(found, 'dead-letter queue')).toMatchObject([
    { level: 'ok', detail: expect.stringMatching(/^none: /) },
  ])
})

describeRabbit('a queue of RabbitMQ', () => {
  it('that is not there is not made; one as Lading makes it is sound, and its messages are not delivered', async () => {
    const url = freshQueueUrl()
    expect(levels(await ofQueue(url), 'fail')).toEqual([])
    expect(levels(await ofQueue(url, false), 'fail')).toEqual([expect.stringMatching(/QUEUE_MISSING/)])
    {
      await using queue = await openQueue(url)
      await queue.publish([message])
    }
    const found = await ofQueue(url)
    expect([...levels(found, 'fail'), ...levels(found, 'warn')]).toEqual([])
    expect(named(found, 'arguments')).toMatchObject([{ level: 'ok' }])
    await using queue = await openQueue(url)
    expect(await queue.peek(1)).toMatchObject([{ attempt: 0 }])
  })

  it('that was made otherwise: its arguments are found out, and what they lose', async () => {
    const url = freshQueueUrl()
    const connection = await connect(url)
    const channel = await connection.createChannel()
    const name = new URL(url).searchParams.get('queue') ?? ''
    await channel.assertQueue(name, {
      durable: true,
      arguments: { 'x-queue-type': 'classic', 'x-message-ttl': 60_000, 'x-max-length': 10 },
    })
    const found = await ofQueue(url)
    await channel.deleteQueue(name)
    await connection.close()
    expect(levels(found, 'warn').map((each) => each.split(':')[0])).toEqual([
      'durability',
      'x-message-ttl',
      'x-max-length',
    ])
    expect(levels(found, 'fail')).toEqual([
      expect.stringMatching(/^arguments: QUEUE_REFUSED: .*x-queue-type = "classic"/),
    ])
  })
  it('that others made: what they lose, and what was set aside', async () => {
    const url = freshQueueUrl()
    const connection = await connect(url)
    const channel = await connection.createChannel()
    const name = new URL(url).searchParams.get('queue') ?? ''
    const [weak, single] = [`${name}-weak`, `${name}-single`]
    await channel.assertQueue(weak, {
      durable: false,
      autoDelete: true,
      arguments: { 'x-queue-type': 'classic' },
    })
    await channel.assertQueue(`${weak}.dead`)
    await channel.assertQueue(single, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 5, 'x-single-active-consumer': true },
    })
    await channel.assertQueue(name, { exclusive: true })
    const confirming = await connection.createConfirmChannel()
    confirming.sendToQueue(`${weak}.dead`, Buffer.from('{}'))
    await confirming.waitForConfirms()
    const at = async (queue: string) => ofQueue(url.replace(name, queue), false)
    const found = await at(weak)
    expect(levels(found, 'warn')).toEqual([
      expect.stringMatching(/^dead messages: 1 in /),
      expect.stringMatching(/^durability: the queue is not durable/),
      expect.stringMatching(/^durability: the queue is one that is deleted/),
      expect.stringMatching(/^durability: a classic queue/),
    ])
    expect(levels(found, 'note')).toContainEqual(
      expect.stringMatching(/^arguments: .*was made otherwise .*: not durable, auto-delete, x-queue-type/),
    )
    const limited = await at(single)
    expect(levels(limited, 'warn')).toEqual([expect.stringMatching(/^x-delivery-limit: it is 5: /)])
    expect(named(limited, 'x-single-active-consumer')).toMatchObject([{ level: 'note' }])
    const long = `${name}-${'x'.repeat(180)}`
    await channel.assertQueue(long, { durable: false })
    expect(levels(await at(long), 'note')).toContainEqual(
      expect.stringMatching(/^arguments: .* could not be found out$/),
    )
    expect(named(await at(name), 'queue')).toMatchObject([
      { level: 'note', detail: expect.stringMatching(/^it could not be checked: RESOURCE_LOCKED/) },
    ])
    for (const each of [weak, `${weak}.dead`, single, long]) await channel.deleteQueue(each)
    await connection.close()
  })

  it('on a broker that is not there, or that plain text may reach over a network', async () => {
    const url = freshQueueUrl()
    const away = url.replace(/:\d+\//, `:${await freePort()}/`)
    expect(levels(await ofQueue(away), 'fail')).toEqual([
      expect.stringMatching(/^connection: QUEUE_UNAVAILABLE: .*ECONNREFUSED/),
    ])
    // An address of this machine too, but not by its name.
    const far = url.replace('127.0.0.1', '0.0.0.0')
    expect(named(await ofQueue(far), 'encryption')).toMatchObject([
      { level: 'warn', cure: expect.stringContaining('amqps://') },
    ])
  })
})

describeRabbit('rights of a user of RabbitMQ', () => {
  let broker: RabbitServer

  beforeAll(async () => void (broker = await startRabbit()))
  afterAll(() => broker.stop())

  it('a user without rights gets the permissions with which the queue works', async () => {
    await broker.addUser('me', 'secret', '/', '^$', '^$', '^$')
    const url = `${broker.url.replace('guest:guest', 'me:secret')}?queue=orders`
    const [refused] = (await ofQueue(url)).filter(({ level }) => level === 'fail')
    expect(refused).toMatchObject({
      what: 'rights',
      detail: expect.stringMatching(/configure orders, read orders, .*write amq.default/),
    })
    const [, configure = '', write = '', read = ''] =
      /'me' '(.*)' '(.*)' '(.*)' #/.exec(refused?.cure ?? '') ?? []
    await broker.ctl('set_permissions', '-p', '/', 'me', configure, write, read)
    expect(levels(await ofQueue(url), 'fail')).toEqual([])
    await using queue = await openQueue(url)
    await queue.publish([message])
    expect(await queue.depth()).toMatchObject({ ready: 1 })
  })

  it('arguments that a user may not see are to be looked at there', async () => {
    await using made = await openQueue(`${broker.url}?queue=seen`)
    expect(await made.depth()).toMatchObject({ ready: 0 })
    await broker.addUser('blind', 'secret', '/', '^$', '^$', '.*')
    const url = `${broker.url.replace('guest:guest', 'blind:secret')}?queue=seen`
    expect(named(await ofQueue(url), 'arguments')).toMatchObject([
      { level: 'note', cure: "rabbitmqctl list_queues -p '/' name type durable arguments" },
    ])
  })

  it('a broker that takes nothing now is said', async () => {
    const alarm = '{{resource_limit, memory, node()}, []}'
    await broker.evaluate(`rabbit_alarm:set_alarm(${alarm}).`)
    try {
      const found = await ofQueue(`${broker.url}?queue=alarmed`)
      expect(levels(found, 'warn')).toEqual([expect.stringMatching(/^alarm: the broker takes nothing now/)])
    } finally {
      await broker.evaluate('rabbit_alarm:clear_alarm({resource_limit, memory, node()}).')
    }
  })
})
