import { Buffer } from 'node:buffer'
import { expect, it } from 'vitest'
import { batches } from '../../src/consumer/intake.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'

const done = { kind: 'done' } as const
const limits = { bytes: 4 * 1024 * 1024, messages: 1_000 }
const count = 3_000
/** Deliveries after which a consumer gives up, as its own default is. */
const maxAttempts = 20

/**
 * Takes batch after batch until there is none, or until the killer is in one, with which all that is in hand
 * is lost.
 */
async function liveUntilKilled(url: string, settled: Map<string, number>): Promise<void> {
  await using queue = await openQueue(url)
  for await (const batch of batches(queue.deliveries({ prefetch: 4_000 }), limits)) {
    if (batch.some(({ key, attempt }) => key === 'killer' && attempt <= maxAttempts)) return
    await Promise.all(batch.map((delivery) => delivery.settle(done)))
    for (const { key, attempt } of batch) settled.set(key, attempt)
    if (settled.size === count) return
  }
}

describeRabbit('a message that kills its consumers', () => {
  it.each([0, 700])(
    'is counted out at place %i, and of thousands of others none is, before or behind it',
    { timeout: 60_000 },
    async (place) => {
      const url = freshQueueUrl()
      {
        await using queue = await openQueue(url)
        const body = Buffer.alloc(200, 'x')
        await queue.publish(
          Array.from({ length: count }, (_, n) => ({
            key: n === place ? 'killer' : String(n),
            body,
            headers: {},
          })),
        )
      }
      const settled = new Map<string, number>()
      for (let life = 0; settled.size < count && life < 40; life++) await liveUntilKilled(url, settled)
      expect(settled.size).toBe(count)
      expect(settled.get('killer')).toBe(maxAttempts + 1)
      settled.delete('killer')
      expect(Math.max(...settled.values())).toBeLessThan(maxAttempts)
    },
  )
})
