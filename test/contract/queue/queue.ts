/**
 * What every queue promises, as tests that run on any adapter. An adapter's own test calls `queueContract`
 * with a function that makes a queue for it. What an adapter cannot do is listed as a deviation with its
 * reason, never left out.
 */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import type { Delivery, Outcome } from 'lading'
import { processes } from './processes.ts'
import { expectWhole, keysOf, sorted } from './expected.ts'
import { messageOf, messagesOf } from './messages.ts'
import type { Reader } from './reader.ts'
import { type Guarantee, guarantees, type QueueUnderTest, shortLeaseMs } from './guarantee.ts'

const done: Outcome = { kind: 'done' }
const again: Outcome = { kind: 'retry', afterMs: 0, code: 'SINK_BUSY' }
const release: Outcome = { kind: 'release' }

export function queueContract(name: string, underTest: QueueUnderTest): void {
  describe(`${name} as a queue`, () => {
    const { guarantee, unknown } = guarantees(underTest)
    publishing(guarantee)
    settling(guarantee)
    leases(guarantee)
    flow(guarantee)
    looking(guarantee)
    processes(guarantee, underTest.many ?? 20_000)
    it('every deviation names a test', () => expect(unknown()).toEqual([]))
  })
}

function publishing(guarantee: Guarantee): void {
  guarantee(
    'a message is delivered with its key, headers and body as they were published',
    async ({ queue, read }) => {
      const headers = { 'content-type': 'text/csv', ключ: 'значение 😀', empty: '', control: '"\\\n\t\u0001' }
      const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)
      const sent = [
        { key: 'ładunek/😀 1', body: everyByte, headers },
        { key: 'part-of-a-buffer', body: Buffer.from('xxpartxx').subarray(2, 6), headers: {} },
        { key: 'no-body', body: new Uint8Array(), headers: { one: '1' } },
      ]
      await queue.publish(sent)
      const taken = await read().take(3)
      for (const { key, body, headers: expected } of sent) {
        const message = taken.find((delivery) => delivery.key === key)
        expect(message?.headers).toEqual(expected)
        expect(Buffer.from(message?.body ?? 'missing')).toEqual(Buffer.from(body))
        expect(message?.attempt).toBe(1)
      }
    },
  )

  guarantee('a body of 1 MiB or 8 MiB arrives whole, where the queue takes it', async ({ queue, read }) => {
    const sizes = [1, 8].map((mib) => mib * 1024 * 1024).filter((size) => size <= queue.traits.maxBytes)
    const bodies = sizes.map((size) => Buffer.alloc(size, `body of ${size} bytes;`))
    await queue.publish(bodies.map((body) => ({ key: String(body.length), body, headers: {} })))
    for (const { key, body } of await read().take(sizes.length)) {
      const original = bodies.find(({ length }) => length === Number(key)) ?? Buffer.alloc(0)
      expect(Buffer.compare(body, original), key).toBe(0)
    }
  })

  guarantee(
    "a body that is published is its sender's again, whatever he does to it",
    async ({ queue, read }) => {
      const body = Buffer.alloc(Math.min(300_000, queue.traits.maxBytes), 'as it was published')
      const original = Buffer.from(body)
      await queue.publish([{ key: 'reused', body, headers: {} }])
      body.fill('something else')
      const [message] = await read().take(1)
      expect(Buffer.compare(message?.body ?? Buffer.alloc(0), original)).toBe(0)
    },
  )

  guarantee(
    'a body larger than the queue takes is refused, and nothing of it is queued',
    async ({ queue, expectDepth }) => {
      const body = new Uint8Array(queue.traits.maxBytes + 1)
      await expect(queue.publish([{ key: 'large', body, headers: {} }])).rejects.toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
      })
      await expectDepth({ ready: 0, inFlight: 0, dead: 0 })
    },
  )
}

function settling(guarantee: Guarantee): void {
  guarantee(
    'what was settled as done is never delivered again',
    async ({ queue, read, openAgain }) => {
      await queue.publish(messagesOf('a', 0, 2))
      const first = read()
      const [settled, left] = await first.take(2)
      await settled?.settle(done)
      await first.stop()
      await queue[Symbol.asyncDispose]()
      const second = read(10, await openAgain())
      expect(keysOf(await second.take(1))).toEqual([left?.key])
      expect(await second.takeAvailable()).toEqual([])
    },
    shortLeaseMs,
  )

  guarantee(
    'what was settled as retry comes again as the next attempt, not before its delay',
    async ({ queue, read }) => {
      await queue.publish([messageOf('a', 0)])
      const reader = read()
      const delivery = await reader.takeOne()
      const settledAt = Date.now()
      await delivery.settle({ kind: 'retry', afterMs: 1_500, code: 'SINK_BUSY' })
      const next = await reader.takeOne()
      expect(Date.now() - settledAt).toBeGreaterThanOrEqual(1_500)
      expect(next.attempt).toBe(2)
      expectWhole(next)
      await next.settle(again)
      expect((await reader.takeOne()).attempt).toBe(3)
    },
  )

  guarantee('what was given back comes again at once, as the same attempt', async ({ queue, read }) => {
    await queue.publish([messageOf('a', 0)])
    const reader = read()
    await (await reader.takeOne()).settle(release)
    expect((await reader.takeOne()).attempt).toBe(1)
  })

  guarantee('settling twice takes effect once', async ({ queue, read, expectDepth }) => {
    await queue.publish([messageOf('a', 0)])
    const reader = read()
    const delivery = await reader.takeOne()
    await Promise.all([delivery.settle(again), delivery.settle(done)])
    await delivery.settle(release)
    const next = await reader.takeOne()
    expect(next.attempt).toBe(2)
    await delivery.settle(done)
    await next.settle(done)
    await expectDepth({ ready: 0, inFlight: 0, dead: 0 })
  })

  guarantee('settling twice makes room for one more, not two', async ({ queue, read }) => {
    await queue.publish(messagesOf('a', 0, 6))
    const reader = read(2)
    const [first] = await reader.take(2)
    await Promise.all([first?.settle(done), first?.settle(done)])
    await first?.settle(done)
    await reader.takeOne()
    expect(await reader.takeAvailable()).toEqual([])
  })
}

function leases(guarantee: Guarantee): void {
  guarantee(
    'a delivery that is not settled is delivered again as attempt 2',
    async ({ queue, read, openAgain }) => {
      await queue.publish([messageOf('a', 0)])
      const first = read()
      await first.takeOne()
      await first.stop()
      await queue[Symbol.asyncDispose]()
      const next = await read(10, await openAgain()).takeOne()
      expect(next.attempt).toBe(2)
      expectWhole(next)
    },
    shortLeaseMs,
  )

  guarantee(
    'who lost his lease changes nothing for the new holder',
    async ({ queue, read, openAgain, expectDepth }) => {
      await queue.publish(messagesOf('a', 0, 3))
      const late = await read().take(3)
      const holder = read(10, await openAgain())
      const held = await takeAndExtend(holder, 3)
      expect(held.map(({ attempt }) => attempt)).toEqual([2, 2, 2])
      await Promise.all(late.map((delivery) => delivery.extend?.(1)))
      await Promise.all(late.map((delivery, i) => delivery.settle([done, again, release][i] ?? done)))
      await expectDepth({ ready: 0, inFlight: 3, dead: 0 })
      await Promise.all(held.map((delivery) => delivery.settle(again)))
      expect((await holder.take(3)).map(({ attempt }) => attempt)).toEqual([3, 3, 3])
    },
    shortLeaseMs,
  )

  guarantee(
    'a delivery that is extended stays with its holder beyond the lease',
    async ({ queue, read, openAgain, expectDepth }) => {
      await queue.publish(messagesOf('a', 0, 4))
      const [kept, ...lost] = await read().take(4)
      await kept?.extend?.(600_000)
      const others = await takeAndExtend(read(10, await openAgain()), 3)
      expect(sorted(keysOf(others))).toEqual(sorted(keysOf(lost)))
      await kept?.settle(done)
      await expectDepth({ ready: 0, inFlight: 3, dead: 0 })
    },
    shortLeaseMs,
  )
}

function flow(guarantee: Guarantee): void {
  guarantee('at most `prefetch` deliveries are unsettled at any time', async ({ queue, read }) => {
    await queue.publish(messagesOf('a', 0, 20))
    const reader = read(3)
    const inHand = await reader.takeAvailable()
    expect(inHand).toHaveLength(3)
    for (let left = 17; left > 0; left--) {
      await inHand.shift()?.settle(done)
      inHand.push(await reader.takeOne())
      expect(await reader.next()).toEqual([])
    }
    expect(inHand).toHaveLength(3)
  })

  guarantee(
    'an empty queue yields empty arrays, and a message once there is one',
    async ({ queue, read }) => {
      const reader = read()
      for (let i = 0; i < 3; i++) expect(await reader.next()).toEqual([])
      await queue.publish([messageOf('a', 0)])
      expectWhole(await reader.takeOne())
    },
  )

  guarantee(
    'an aborted iteration ends, and what it yielded can still be settled',
    async ({ queue, read, expectDepth }) => {
      await queue.publish(messagesOf('a', 0, 4))
      const reader = read(2)
      const taken = await reader.take(2)
      reader.abort()
      expect(await reader.next()).toBeUndefined()
      await Promise.all(taken.map((delivery) => delivery.settle(done)))
      await expectDepth({ ready: 2, inFlight: 0, dead: 0 })
      const rest = await read().take(2)
      expect(rest.map(({ attempt }) => attempt)).toEqual([1, 1])
    },
  )

  guarantee('an iteration that waits ends when it is aborted', async ({ read }) => {
    const reader = read()
    await reader.takeAvailable()
    const waiting = reader.stop()
    await waiting
    expect(await reader.next()).toBeUndefined()
  })
}

function looking(guarantee: Guarantee): void {
  guarantee('peek shows messages and changes nothing', async ({ queue, read, expectDepth }) => {
    await queue.publish(messagesOf('a', 0, 5))
    const seen = await queue.peek(3)
    expect(seen).toHaveLength(3)
    seen.forEach(expectWhole)
    expect(seen.map(({ attempt }) => attempt)).toEqual([0, 0, 0])
    expect(keysOf(await queue.peek(3))).toEqual(keysOf(seen))
    await expectDepth({ ready: 5, inFlight: 0, dead: 0 })
    const taken = await read().take(5)
    expect(taken.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1])
    expect(keysOf(taken).slice(0, 3)).toEqual(keysOf(seen))
    expect(await queue.peek(3)).toEqual([])
  })

  guarantee('depth tells what is ready and in flight', async ({ queue, read, expectDepth }) => {
    await expectDepth({ ready: 0, inFlight: 0, dead: 0 })
    await queue.publish(messagesOf('a', 0, 6))
    await expectDepth({ ready: 6, inFlight: 0, dead: 0 })
    const reader = read(4)
    const [one, two, three] = await reader.take(4)
    await expectDepth({ ready: 2, inFlight: 4, dead: 0 })
    await reader.stop()
    await Promise.all([
      one?.settle(done),
      two?.settle(done),
      three?.settle({ kind: 'retry', afterMs: 600_000, code: 'SINK_BUSY' }),
    ])
    await expectDepth({ ready: 3, inFlight: 1, dead: 0 })
  })

  guarantee('closing twice is harmless', async ({ queue }) => {
    await queue[Symbol.asyncDispose]()
    await queue[Symbol.asyncDispose]()
  })
}

/** Extends at once, so that the taker keeps what it took for the rest of the test. */
async function takeAndExtend(reader: Reader, count: number): Promise<Delivery[]> {
  const taken: Delivery[] = []
  while (taken.length < count) {
    const some = await reader.take(1)
    await Promise.all(some.map((delivery) => delivery.extend?.(600_000)))
    taken.push(...some)
  }
  return taken
}
