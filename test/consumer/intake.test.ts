import { expect, it } from 'vitest'
import { batches } from '../../src/consumer/intake.ts'
import type { Delivery, Headers } from '../../src/queue/queue.ts'

const kib = 1024

const delivery = (headers: Headers, bytes: number): Delivery => ({
  key: '',
  body: Buffer.alloc(bytes),
  headers,
  attempt: 1,
  settle: async () => undefined,
})

async function sizesOf(headers: Headers, bytes: number): Promise<readonly number[]> {
  const limits = { bytes: 1024 * kib, messages: 1000 }
  async function* arrivals() {
    for (let n = 0; n < 40; n++) yield Array.from({ length: 100 }, () => delivery(headers, bytes))
  }
  const sizes: number[] = []
  for await (const batch of batches(arrivals(), limits)) sizes.push(batch.length)
  // The first is smaller on purpose, the last holds what is left.
  return sizes.slice(1, -1)
}

it('a batch of chunks is bounded by what they take in memory, of which a small file is the smaller part', async () => {
  const chunk = { lading: 'x'.repeat(700) }
  for (const size of await sizesOf(chunk, 100)) expect(size).toBeLessThan(450)
  for (const size of await sizesOf(chunk, 64 * kib)) expect(size).toBe(16)
  // An external message has no load of its own.
  expect(new Set(await sizesOf({}, 100))).toEqual(new Set([1000]))
})
