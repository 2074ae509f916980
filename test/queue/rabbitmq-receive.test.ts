import { expect, it } from 'vitest'
import type { Delivery } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { expectWhole, keysOf, sorted } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { mib, externalClient } from './external-client.ts'

const done = { kind: 'done' } as const
const later = (afterMs: number) => ({ kind: 'release', afterMs }) as const

describeRabbit('what was received from RabbitMQ', () => {
  it.each(['', '&type=classic', '&receive=poll'])(
    'and given back for later comes unchanged, as the same attempt and not before (%s)',
    async (kind) => {
      await using queue = await openQueue(freshQueueUrl() + kind)
      await queue.publish([messageOf('a', 7)])
      const reader = new Reader(queue)
      for (let round = 0; round < 2; round++) {
        const delivery = await reader.takeOne()
        expect(delivery.attempt).toBe(1)
        expectWhole(delivery)
        const releasedAt = Date.now()
        await delivery.settle(later(300))
        await expect.poll(() => queue.depth()).toMatchObject({ ready: 1, dead: 0 })
        const next = await reader.takeOne()
        expect(Date.now() - releasedAt).toBeGreaterThanOrEqual(300)
        await next.settle(later(0))
      }
      const [last] = await reader.take(1)
      expectWhole(last ?? messageOf('none', 0))
      await last?.settle({ kind: 'retry', afterMs: 100, code: 'SINK_BUSY' })
      const retried = await reader.takeOne()
      expect(retried.attempt).toBe(2)
      expectWhole(retried)
    },
  )

  it('and given back for later stays away too where we may not make a queue for it', async () => {
    const url = freshQueueUrl()
    await using other = await externalClient(url)
    await other.channel.assertQueue(other.queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await using queue = await openQueue(url, { create: false })
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    const delivery = await reader.takeOne()
    const releasedAt = Date.now()
    const [next] = await Promise.all([reader.takeOne(), delivery.settle(later(300))])
    expect(Date.now() - releasedAt).toBeGreaterThanOrEqual(300)
    expectWhole(next)
    expect(next.attempt).toBe(1)
  })

  it('and given back at once is counted as delivered', async () => {
    await using queue = await openQueue(freshQueueUrl())
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    await (await reader.takeOne()).settle({ kind: 'release' })
    expect((await reader.takeOne()).attempt).toBe(2)
  })

  it('and settled just before the queue is closed stays settled', async () => {
    const url = freshQueueUrl()
    const queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 50))
    const taken = await new Reader(queue).take(50)
    const left = taken.splice(49)
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
    await queue[Symbol.asyncDispose]()
    await using again = await openQueue(url)
    const reader = new Reader(again)
    expect(keysOf(await reader.take(1))).toEqual(keysOf(left))
    expect(await reader.takeAvailable()).toEqual([])
  })

  it.each(['', '&receive=poll'])(
    'and not settled goes to others when the queue is closed (%s)',
    async (kind) => {
      const url = freshQueueUrl() + kind
      const queue = await openQueue(url)
      await queue.publish(messagesOf('a', 0, 30))
      await new Reader(queue, 20).take(1)
      await queue[Symbol.asyncDispose]()
      await using again = await openQueue(url)
      const taken = await new Reader(again).take(30)
      expect(sorted(keysOf(taken))).toEqual(sorted(keysOf(messagesOf('a', 0, 30))))
    },
  )

  it('comes from an external sender too, who states no key and headers of any type', async () => {
    const url = freshQueueUrl()
    await using queue = await openQueue(url)
    await using other = await externalClient(url)
    const headers = {
      text: 'a',
      number: 1.5,
      large: 2 ** 40,
      yes: true,
      nothing: null,
      list: [1, 'b'],
      table: { c: [] },
      bytes: Buffer.from('Łódź'),
      image: Buffer.from([0x89, 0x50, 0x00, 0xff]),
      within: [Buffer.from('a'), { b: Buffer.from([0xff]) }],
      'x-death': 'mine',
    }
    await other.publish('body', { headers, expiration: 60_000, contentType: 'text/csv' })
    const reader = new Reader(queue)
    for (const outcome of [
      later(50),
      later(0),
      { kind: 'retry', afterMs: 50, code: 'SINK_BUSY' } as const,
      done,
    ]) {
      const delivery = await reader.takeOne()
      expect(String(delivery.body)).toBe('body')
      expect({ key: delivery.key, headers: delivery.headers }).toEqual({
        key: '',
        headers: {
          text: 'a',
          number: '1.5',
          large: '1099511627776',
          yes: 'true',
          nothing: 'null',
          list: '[1,"b"]',
          table: '{"c":[]}',
          bytes: 'Łódź',
          image: 'iVAA/w==',
          within: '["a",{"b":"/w=="}]',
        },
      })
      await delivery.settle(outcome)
    }
    await expect.poll(() => queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('a hundred times by processes that died goes out of the way and is kept', async () => {
    const url = freshQueueUrl()
    await using queue = await openQueue(url)
    await using other = await externalClient(url)
    await queue.publish([messageOf('a', 0)])
    await other.channel.consume(other.queue, (message) => message && other.channel.nack(message, false, true))
    const kept = await other.get(`${other.queue}.dead`)
    expect(kept.properties.messageId).toBe('a/0')
    expect(kept.content).toEqual(messageOf('a', 0).body)
    other.channel.nack(kept)
    await expect.poll(() => queue.depth()).toMatchObject({ ready: 0, dead: 1 })
  })

  it('is seen by peek, which counts as a delivery and keeps the order', async () => {
    await using queue = await openQueue(freshQueueUrl())
    await queue.publish(messagesOf('a', 0, 5))
    const seen = await queue.peek(3)
    seen.forEach(expectWhole)
    expect(seen.map(({ key, attempt }) => [key, attempt])).toEqual([0, 1, 2].map((n) => [`a/${n}`, 0]))
    const taken = await new Reader(queue).take(5)
    expect(taken.map(({ key, attempt }) => [key, attempt])).toEqual(
      [0, 1, 2, 3, 4].map((n) => [`a/${n}`, n < 3 ? 2 : 1]),
    )
    expect(await queue.peek(3)).toEqual([])
  })
})

describeRabbit('a consumer of RabbitMQ', () => {
  it.each(['', '&receive=poll'])(
    'holds about 12 MiB of bodies at once, however large its prefetch is (%s)',
    async (kind) => {
      await using queue = await openQueue(freshQueueUrl() + kind)
      const body = Buffer.alloc(mib, 'x')
      await queue.publish(Array.from({ length: 60 }, (_, n) => ({ key: String(n), body, headers: {} })))
      const reader = new Reader(queue, 2_000)
      const keys = new Set<string>()
      for (
        const inHand = await reader.take(12);
        keys.size < 60;
        inHand.push(...((await reader.next()) ?? []))
      ) {
        expect(inHand.length).toBeLessThanOrEqual(24)
        for (const delivery of inHand.splice(0, 4)) {
          keys.add(delivery.key)
          await delivery.settle(done)
        }
      }
      expect(keys.size).toBe(60)
    },
  )

  it.each([
    [100, 100],
    [2_000, 2_000],
    [20_000, 8_000],
  ])(
    'of small messages gets as many at once as a prefetch of %i allows, and never more than %i',
    async (prefetch, most) => {
      await using queue = await openQueue(freshQueueUrl())
      await queue.publish(messagesOf('a', 0, 10_000))
      const reader = new Reader(queue, prefetch)
      const inHand = [...(await reader.take(most)), ...(await reader.takeAvailable())]
      expect(inHand).toHaveLength(most)
      for (let round = 0; round < 20; round++) {
        await Promise.all(inHand.splice(0, most / 2).map((delivery) => delivery.settle(done)))
        inHand.push(...(await reader.takeAvailable()))
        expect(inHand.length).toBeLessThanOrEqual(most)
      }
    },
  )

  it('of mid-sized messages gets as many at once as 12 MiB allow', async () => {
    await using queue = await openQueue(freshQueueUrl())
    const body = Buffer.alloc(mib / 64, 'x')
    for (let n = 0; n < 2; n++)
      await queue.publish(Array.from({ length: 1_000 }, (_, i) => ({ key: `${n}/${i}`, body, headers: {} })))
    const reader = new Reader(queue, 4_000)
    const inHand = await reader.take(385)
    inHand.push(...(await reader.takeAvailable()))
    expect(inHand.length).toBeLessThanOrEqual(768)
  })

  it('that has asked for many small messages holds no more than 48 MiB of large ones that follow, and gives back the others once', async () => {
    await using queue = await openQueue(freshQueueUrl())
    await queue.publish(messagesOf('a', 0, 3_000))
    const reader = new Reader(queue, 4_000)
    const small = await reader.take(3_000)
    for (let n = 0; n < 3; n++) {
      const body = Buffer.alloc(mib, 'x')
      await queue.publish(Array.from({ length: 50 }, (_, i) => ({ key: `${n}/${i}`, body, headers: {} })))
    }
    const bytes = (deliveries: readonly Delivery[]) =>
      deliveries.reduce((sum, { body }) => sum + body.length, 0)
    const large = await reader.takeAvailable()
    expect(bytes(large)).toBeGreaterThan(36 * mib)
    expect(bytes([...small, ...large])).toBeLessThanOrEqual(49 * mib)
    await Promise.all(small.map((delivery) => delivery.settle(done)))
    const keys = new Set(keysOf(large))
    for (const inHand = large; keys.size < 150;) {
      await Promise.all(inHand.splice(0, 4).map((delivery) => delivery.settle(done)))
      const next = (await reader.next()) ?? []
      for (const { key, attempt } of next) {
        expect(keys.has(key), `${key} came twice`).toBe(false)
        expect(attempt).toBeLessThanOrEqual(2)
        keys.add(key)
      }
      inHand.push(...next)
      expect(bytes(inHand)).toBeLessThanOrEqual(49 * mib)
    }
    expect(keys.size).toBe(150)
  })

  it('is not impressed by what an external sender says of attempts and weight', async () => {
    const url = freshQueueUrl()
    await using queue = await openQueue(url)
    await using other = await externalClient(url)
    for (const value of ['Infinity', 1e12, -5, 'many', { very: 'much' }]) {
      await other.publish('x', {
        messageId: String(value),
        headers: { 'lading-attempts': value, 'lading-weight': value },
      })
    }
    for (const { attempt } of await new Reader(queue).drain(5)) expect(attempt).toBeLessThanOrEqual(1_000_001)
    await expect.poll(() => queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('that has nowhere to put a message for later gives it back without the broker counting it', async () => {
    const url = freshQueueUrl()
    await using made = await externalClient(url)
    await made.channel.assertQueue(made.queue, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 3 },
    })
    await using queue = await openQueue(url, { create: false })
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    for (let round = 0; round < 6; round++) {
      const delivery = await reader.takeOne()
      expect(delivery.attempt).toBe(1)
      await delivery.settle({ kind: 'release', afterMs: 20 })
    }
    expectWhole(await reader.takeOne())
  })

  it('fails when the broker ends it, and another one goes on', async () => {
    const url = freshQueueUrl()
    await using queue = await openQueue(url)
    await using other = await externalClient(url)
    const reader = new Reader(queue)
    expect(await reader.next()).toEqual([])
    await other.channel.deleteQueue(other.queue)
    await expect(reader.take(1)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    const next = new Reader(queue)
    expect(await next.next()).toEqual([])
    await queue.publish([messageOf('a', 0)])
    expectWhole(await next.takeOne())
  })
})

describeRabbit('depth', () => {
  it('does not claim to know what is in flight while somebody else consumes', async () => {
    const url = freshQueueUrl()
    await using queue = await openQueue(url)
    await using other = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 10))
    await new Reader(queue, 3).take(3)
    await expect.poll(() => queue.depth()).toEqual({ ready: 7, inFlight: 3, dead: 0 })
    const reader = new Reader(other, 2)
    await reader.take(2)
    await expect.poll(() => queue.depth()).toEqual({ ready: 5, inFlight: undefined, dead: 0 })
    await expect.poll(() => other.depth()).toMatchObject({ inFlight: undefined })
  })

  it('counts what is on its way: nothing is missed between the queue and the one who receives', async () => {
    await using queue = await openQueue(freshQueueUrl())
    await queue.publish(
      Array.from({ length: 12 }, (_, n) => ({ key: String(n), body: Buffer.alloc(mib), headers: {} })),
    )
    const reader = new Reader(queue)
    const taken = reader.take(12)
    let compared = 0
    for (let ready = 12; ready > 0;) {
      const depth = await queue.depth()
      ready = depth.ready
      if (depth.inFlight === undefined) continue
      expect(ready + depth.inFlight).toBeGreaterThanOrEqual(12)
      compared++
    }
    await taken
    expect(compared).toBeGreaterThan(0)
  })
})
