/** The part of the conformance suite in which several consumers or processes meet, or one is killed. */
import { expect } from 'vitest'
import { expectWhole, keysOf, sorted } from './expected.ts'
import { messagesOf } from './messages.ts'
import type { Reader } from './reader.ts'
import type { Guarantee } from './guarantee.ts'

/** `many` messages are a crowd for two processes. */
export function processes(guarantee: Guarantee, many: number): void {
  guarantee(
    'what a process published is there after it was killed, and no message is broken',
    async ({ startChild, openAgain, read }) => {
      const child = startChild({ kind: 'publish', name: 'killed', count: 1_000_000, batch: 7 })
      await expect.poll(() => child.confirmed(), { timeout: 20_000 }).toBeGreaterThan(100)
      child.kill()
      await child.ended
      const taken = await read(100, await openAgain()).drain(child.confirmed())
      taken.forEach(expectWhole)
      const confirmed = keysOf(messagesOf('killed', 0, child.confirmed()))
      expect(confirmed.filter((key) => !keysOf(taken).includes(key))).toEqual([])
    },
  )

  guarantee('several consumers in one process get each message once', async ({ queue, read, openAgain }) => {
    await queue.publish(messagesOf('a', 0, 2_000))
    const second = await openAgain()
    const readers = [read(10), read(33), read(7, second), read(50, second)]
    const keys: string[] = []
    const drain = async (reader: Reader) => {
      while (keys.length < 2_000) {
        const taken = (await reader.next()) ?? []
        await Promise.all(taken.map((delivery) => delivery.settle({ kind: 'done' })))
        keys.push(...keysOf(taken))
      }
      keys.push(...keysOf(await reader.takeAvailable()))
    }
    await Promise.all(readers.map(drain))
    expect(sorted(keys)).toEqual(sorted(keysOf(messagesOf('a', 0, 2_000))))
  })

  guarantee(
    'two consumer processes get each of many messages once',
    async ({ queue, startChild, expectDepth }) => {
      const children = [50, 1_000].map((prefetch) => startChild({ kind: 'drain', prefetch }))
      for (let n = 0; n < many; n += 1_000) await queue.publish(messagesOf('a', n, 1_000))
      const drained = () => children.flatMap((child) => child.drained())
      await expect.poll(() => drained().length, { timeout: 50_000 }).toBeGreaterThanOrEqual(many)
      await expectDepth({ ready: 0, inFlight: 0, dead: 0 })
      for (const child of children) child.stop()
      expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0])
      expect(sorted(drained())).toEqual(sorted(keysOf(messagesOf('a', 0, many))))
    },
  )

  guarantee('two producer processes at once publish each message once', async ({ startChild, read }) => {
    const names = ['a', 'b']
    const children = names.map((name) => startChild({ kind: 'publish', name, count: 500, batch: 20 }))
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0])
    const taken = await read().drain(1_000)
    taken.forEach(expectWhole)
    expect(sorted(keysOf(taken))).toEqual(sorted(names.flatMap((name) => keysOf(messagesOf(name, 0, 500)))))
  })
}
