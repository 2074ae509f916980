/** What a queue of RabbitMQ meets rarely: ends of connections, queues that are deleted, sizes that change. */
import { expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { ignoreEvents } from '../../src/core/events.ts'
import { parseAddress } from '../../src/queue/rabbitmq/address.ts'
import { Connection } from '../../src/queue/rabbitmq/connection.ts'
import { queueError } from '../../src/queue/rabbitmq/errors.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { keysOf } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { startProxy } from '../support/proxy.ts'
import { externalClient } from './external-client.ts'

const done = { kind: 'done' } as const

it('an error of ours stays what it is, and what a broker does not find for a while is waited for', () => {
  const ours = new LadingError('QUEUE_HOLD', 'says the test')
  expect(queueError(ours, 'here')).toBe(ours)
  const away = Object.assign(new Error('NOT_FOUND - home node of durable queue is down'), { code: 404 })
  expect(queueError(away, 'here')).toMatchObject({
    code: 'QUEUE_UNAVAILABLE',
    message: 'here: home node of durable queue is down',
  })
})

describeRabbit('a queue of RabbitMQ', () => {
  it('on a connection that has ended is not to be had, and closing it again does nothing', async () => {
    await using proxy = await startProxy(freshQueueUrl())
    const connection = await Connection.open(parseAddress(proxy.url), 'test', ignoreEvents, false)
    const epoch = await connection.channel()
    const ended = Promise.withResolvers<void>()
    epoch.onEnd(ended.resolve)
    proxy.reset()
    await ended.promise
    await expect(connection.channel()).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await connection.close()
    expect(connection.isUsable).toBe(false)
  })

  it('on a connection that ends while it is closed is closed, and says nothing', async () => {
    const closing = Buffer.of(0, 20, 0, 40)
    const swallowReply = (sent: Buffer) => sent.includes(closing)
    await using proxy = await startProxy(freshQueueUrl(), { swallowReply })
    const connection = await Connection.open(parseAddress(proxy.url), 'test', ignoreEvents, false)
    await connection.channel()
    await connection.close()
    expect(connection.isUsable).toBe(false)
  })

  it('that is polled says that its connection has ended while a message is held', async () => {
    await using proxy = await startProxy(`${freshQueueUrl()}&receive=poll`)
    await using queue = await openQueue(proxy.url)
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue, 1)
    await reader.take(1)
    proxy.reset()
    await expect(reader.take(1)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
  })

  it('that was deleted is made again when it is counted, by who may make it', async () => {
    const url = freshQueueUrl()
    await using queue = await openQueue(url)
    await using user = await openQueue(url, { create: false })
    await using other = await externalClient(url)
    await other.channel.deleteQueue(other.queue)
    await expect(user.depth()).rejects.toMatchObject({ code: 'QUEUE_MISSING' })
    expect(await queue.depth()).toMatchObject({ ready: 0, dead: 0 })
    expect(await user.depth()).toMatchObject({ ready: 0, dead: 0 })
  })

  it('has a message once that was to be sent again later when the connection ended', async () => {
    const url = freshQueueUrl()
    await using made = await externalClient(url)
    // There is no queue for what comes later.
    await made.channel.assertQueue(made.queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await using proxy = await startProxy(url)
    await using queue = await openQueue(proxy.url, { create: false })
    await using other = await openQueue(url, { create: false })
    await other.publish([messageOf('a', 0)])
    const delivery = await new Reader(queue).takeOne()
    const settled = delivery.settle({ kind: 'release', afterMs: 3_600_000 })
    proxy.reset()
    await settled
    expect(keysOf(await new Reader(other).drain(1))).toEqual(['a/0'])
  })

  it('at an address that is not known to be of this machine is told to be read by others', async () => {
    await using queue = await openQueue(freshQueueUrl().replace('127.0.0.1', '0.0.0.0'))
    expect(queue.traits.warnings).toEqual([expect.stringMatching(/^amqp:\/\/ sends .* as plain text/)])
  })

  it('whose messages grow is asked for fewer of them', async () => {
    await using queue = await openQueue(freshQueueUrl())
    const reader = new Reader(queue, 400)
    await queue.publish(messagesOf('a', 0, 800))
    await reader.drain(800)
    const body = Buffer.alloc(100_000, 'x')
    const large = (name: string, n: number) =>
      Array.from({ length: n }, (_, i) => ({ key: `${name}/${i}`, body, headers: {} }))
    for (let n = 0; n < 4; n++) {
      await queue.publish(large(`grown-${n}`, 100))
      await reader.drain(100)
    }
    await queue.publish(large('held', 400))
    const held = await reader.takeAvailable()
    expect(held.length).toBeLessThan(300)
    await Promise.all(held.map((delivery) => delivery.settle(done)))
    await reader.drain(400 - held.length)
  })
})
