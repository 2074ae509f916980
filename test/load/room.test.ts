import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { roomIn } from '../../src/load/room.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { Reader } from '../contract/queue/reader.ts'
import { untouched, wrapQueue } from '../support/wrappers.ts'

const mib = 1024 * 1024

/** Holds two more messages than 64 MiB of chunks of a MiB each. */
async function filled(folder: string): Promise<Queue> {
  const queue = await openQueue(`embedded:${join(folder, 'queue.db')}`)
  const keys = Array.from({ length: 66 }, (_, index) => String(index))
  await queue.publish(keys.map((key) => ({ key, body: Buffer.from(key), headers: {} })))
  return queue
}

const asking = { patiently: <T>(ask: () => Promise<T>) => ask(), outstanding: () => 1_000 }

it('a producer waits until consumers have taken what is too much in the queue', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lading-room-'))
  await using queue = await filled(folder.path)
  const reader = new Reader(queue, 1)
  const counted: number[] = []
  const shrinking = wrapQueue(queue, untouched, {
    depth: async () => {
      const depth = await queue.depth()
      counted.push(depth.ready)
      await (await reader.takeOne()).settle({ kind: 'done' })
      return depth
    },
  })
  await roomIn(shrinking, new AbortController().signal, asking)({ messages: 1, bytes: mib })
  await reader.stop()
  expect(counted).toEqual([66, 65, 64])
})

it('a queue that does not get shorter holds messages of others, or has no consumer: the producer goes on', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'lading-room-'))
  await using queue = await filled(folder.path)
  const room = roomIn(queue, new AbortController().signal, asking)
  await room({ messages: 1, bytes: mib })
  expect(await queue.depth()).toMatchObject({ ready: 66 })
})
