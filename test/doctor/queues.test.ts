import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { connect } from 'amqplib'
import { openQueue } from '../../src/index.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { type RabbitServer, startRabbit } from '../../tooling/servers/rabbitmq.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
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
})
