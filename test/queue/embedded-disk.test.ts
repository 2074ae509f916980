/**
 * A small disk that the queue alone fills: nobody else frees anything, so producers and consumers have to get
 * along.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { load } from '../../src/load/load.ts'
import { produce } from '../../src/producer/produce.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { openSink } from '../../src/sink/registry.ts'
import { numbers, Fixture } from '../support/fixture.ts'
import { mountSmall, skipLoudly } from './system.ts'

const mib = 1024 * 1024

async function onDisk(
  context: TestContext,
  kib: number,
  work: (fixture: Fixture, disk: string) => Promise<void>,
): Promise<void> {
  await using fixture = await Fixture.open()
  const disk = join(fixture.folder, 'disk')
  const mounted = mountSmall(disk, kib)
  if (typeof mounted === 'string') return skipLoudly(context, mounted)
  try {
    await work(fixture, disk)
  } finally {
    mounted.unmount()
  }
}

/** A file of so many bytes with few records. */
function largeFile(fixture: Fixture, bytes: number): { readonly path: string; readonly records: number } {
  const note = 'x'.repeat(20_000)
  const records = Math.ceil(bytes / note.length)
  const path = join(fixture.folder, 'large.csv')
  writeFileSync(path, `id,note\n${Array.from({ length: records }, (_, id) => `${id},${note}\n`).join('')}`)
  return { path, records }
}

describe('a disk that holds nothing but the queue', () => {
  for (const [size, bytes] of [
    [7, 10],
    [24, 28],
    [60, 64],
  ] as const) {
    it(`of ${size} MiB lets a load of ${bytes} MiB through, its state beside it`, async (context) => {
      await onDisk(context, size * 1024, async (fixture, disk) => {
        const { path, records } = largeFile(fixture, bytes * mib)
        await using queue = await openQueue(`embedded:${join(disk, 'queue.db')}`)
        await using sink = await openSink('sqlite::memory:')
        const statePath = join(disk, 'producer.db')
        const { receipts } = await load({ paths: [path], model: numbers, queue, sink, statePath })
        expect(receipts).toMatchObject([{ records, loaded: records, rejected: 0, dead: 0 }])
      })
    })
  }

  it('is filled by producers alone no further than consumers need, who are waited for by name', async (context) => {
    await onDisk(context, 16 * 1024, async (fixture, disk) => {
      const { path, records } = largeFile(fixture, 24 * mib)
      await using queue = await openQueue(`embedded:${join(disk, 'queue.db')}`)
      const stop = new AbortController()
      const waiting: string[] = []
      const onEvent = (event: LadingEvent) => void (event.type === 'waiting' && waiting.push(event.message))
      const producing = produce(fixture.producing(queue, [path], { onEvent }))
      await expect.poll(() => waiting.length, { timeout: 20_000 }).toBeGreaterThan(0)
      expect(waiting[0]).toMatch(
        /its disk has \d\.\d MiB free, which consumers need to settle the \d+ messages that wait/,
      )
      await using sink = await openSink('sqlite::memory:')
      const consumer = () => createConsumer({ queue, sink, model: numbers })
      const consuming = consumer().run({ signal: stop.signal })
      await producing
      stop.abort()
      const [first, rest] = [await consuming, await consumer().run({ untilEmpty: true })]
      expect([first.loaded + rest.loaded, first.duplicates + rest.duplicates]).toEqual([records, 0])
    })
  })

  it('too small for any queue says so, and one too small for a message names the limit', async (context) => {
    await onDisk(context, 2 * 1024, async (_, disk) => {
      await expect(openQueue(`embedded:${join(disk, 'queue.db')}`)).rejects.toMatchObject({
        code: 'QUEUE_REFUSED',
        message: expect.stringContaining('its disk has 2.0 MiB, too little for a queue'),
      })
    })
    await onDisk(context, 7 * 1024, async (fixture, disk) => {
      const { path } = largeFile(fixture, 4 * mib)
      await using queue = await openQueue(`embedded:${join(disk, 'queue.db')}`)
      const producing = produce(fixture.producing(queue, [path], { chunkBytes: 4 * mib }))
      await expect(producing).rejects.toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
        message: expect.stringMatching(/the queue takes \d+/),
      })
    })
  })
})
