import { describe, expect, it } from 'vitest'
import type { Delivery } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { startSqsScript } from '../../tooling/servers/sqs-script.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { keysOf } from '../contract/queue/expected.ts'
import { messageOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { externalMessage, keysIn, rawFrom } from './sqs-messages.ts'

const { server, freshSqsUrl, freshSqsUrlWithDead } = useSqs()
const raw = rawFrom(server)

const done = { kind: 'done' } as const

describe('a queue of SQS that keeps an order', () => {
  it('gets messages with the group of what stands before the last / in their key, once for each key', async () => {
    const url = await freshSqsUrl({}, '.fifo')
    await using queue = await openQueue(url)
    const odd = { key: 'ключ/1', body: Buffer.from('x'), headers: {} }
    await queue.publish([messageOf('a', 0), messageOf('b', 0), odd])
    await queue.publish([messageOf('a', 0), odd])
    expect((await queue.depth()).ready).toBe(3)
    const groups = (await raw(url, 3)).map(
      ({ Attributes }) => (Attributes as { MessageGroupId: string }).MessageGroupId,
    )
    expect(groups.slice(0, 2)).toEqual(['a', 'b'])
    expect(groups[2]).toMatch(/^[0-9a-f]{64}$/)
  })

  it('yields the messages of each group in their order', async () => {
    await using queue = await openQueue(await freshSqsUrl({}, '.fifo'))
    const names = ['a', 'b', 'c', 'd', 'e']
    await queue.publish(
      Array.from({ length: 100 }, (_, n) => messageOf(names[n % 5] as string, Math.floor(n / 5))),
    )
    const keys = keysOf(await new Reader(queue).drain(100))
    for (const name of names) {
      expect(keys.filter((key) => key.startsWith(`${name}/`))).toEqual(
        Array.from({ length: 20 }, (_, n) => `${name}/${n}`),
      )
    }
  })

  it('stops the group of a message that is given back for later, and no other', async () => {
    await using queue = await openQueue(await freshSqsUrlWithDead({}, '.fifo'))
    await queue.publish([0, 1, 2].flatMap((n) => ['a', 'b'].map((name) => messageOf(name, n))))
    const reader = new Reader(queue)
    const keys: string[] = []
    let isGivenBack = false
    while (keys.length < 6) {
      for (const delivery of (await reader.next()) ?? []) {
        if (delivery.key === 'a/1' && !isGivenBack) {
          isGivenBack = true
          await delivery.settle({ kind: 'retry', afterMs: 1_000, code: 'SINK_BUSY' })
          continue
        }
        keys.push(delivery.key)
        await delivery.settle(done)
      }
    }
    expect(keys).toEqual(['a/0', 'b/0', 'b/1', 'b/2', 'a/1', 'a/2'])
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('gives back those behind a message that is given back, in hand or not, the last one first', async () => {
    const answers = [['a/0'], ['a/1', 'b/0', 'a/2'], ['c/0', 'a/3']]
    await using script = await startSqsScript('ours.fifo', ({ action }) => {
      const keys = action === 'ReceiveMessage' ? answers.shift() : undefined
      if (keys === undefined) return 'usual'
      return { body: { Messages: keys.map((key) => externalMessage(key, key[0] as string)) } }
    })
    await using queue = await openQueue(`${script.url}?receivers=1`)
    const reader = new Reader(queue)
    const taken = new Map<string, Delivery>()
    while (taken.size < 4)
      for (const delivery of (await reader.next()) ?? []) taken.set(String(delivery.body), delivery)
    // The last answer waits to be taken.
    await expect
      .poll(() => script.requests.filter(({ action }) => action === 'ReceiveMessage').length)
      .toBe(4)
    await taken.get('a/1')?.settle({ kind: 'retry', afterMs: 5_000, code: 'SINK_BUSY' })
    const changes = script.requests
      .filter(({ action }) => action === 'ChangeMessageVisibilityBatch')
      .flatMap(({ input }) => input['Entries'] as object[])
    expect(changes).toEqual([
      { Id: '0', ReceiptHandle: 'handle of a/3', VisibilityTimeout: 0 },
      { Id: '1', ReceiptHandle: 'handle of a/2', VisibilityTimeout: 0 },
      { Id: '2', ReceiptHandle: 'handle of a/1', VisibilityTimeout: 5 },
    ])
    expect(keysIn(await reader.take(1))).toEqual(['c/0'])
    expect(await reader.next()).toEqual([])
    expect([...taken].map(([key, delivery]) => [key, delivery.isCurrent?.()])).toEqual([
      ['a/0', true],
      ['a/1', true],
      ['b/0', true],
      ['a/2', false],
    ])
    await Promise.all([...taken.values()].map((delivery) => delivery.settle(done)))
    const deleted = script.requests
      .filter(({ action }) => action === 'DeleteMessageBatch')
      .flatMap(({ input }) => input['Entries'] as object[])
    expect(deleted.map((entry) => (entry as { ReceiptHandle: string }).ReceiptHandle)).toEqual([
      'handle of a/0',
      'handle of b/0',
    ])
  })
})
