import { describe, expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { load } from '../../src/load/load.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { keyedNumbers } from '../flow/keyed-numbers.ts'
import { Fixture, query } from '../support/fixture.ts'
import { untouched, wrapSink } from '../support/wrappers.ts'

/** Neither takes all the messages. */
const options = { chunkBytes: 4_096, prefetch: 4, batch: { messages: 2 }, deferIndexes: 'never' } as const

describe('two consumers in the process of their load', () => {
  it('both write, and every record takes effect once', async () => {
    await using fixture = await Fixture.open('postgres')
    const [queue, sink, other] = [await fixture.queue(), await fixture.sink(), await fixture.sink()]
    const batches = [0, 0]
    // Each begins to write when the other one has something to write too.
    const both = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
    const noting = (real: Sink, index: 0 | 1) =>
      wrapSink(real, untouched, {
        write: async (...args) => {
          both[index].resolve()
          await both[1 - index]?.promise
          batches[index] = (batches[index] ?? 0) + 1
          return await real.write(...args)
        },
      })
    await load({
      ...fixture.producing(queue, [await fixture.file(20_000)]),
      ...options,
      sink: noting(sink, 0),
      moreSinks: () => [noting(other, 1)],
    })
    await fixture.expectAllOnce()
    expect(Math.min(...batches)).toBeGreaterThan(0)
  })

  it('are one where the indexes are built at the end, which a session of the other would keep away', async () => {
    await using fixture = await Fixture.open('postgres')
    const [queue, sink, other] = [await fixture.queue(), await fixture.sink(), await fixture.sink()]
    await load({
      ...fixture.producing(queue, [await fixture.file(2_000)], { model: keyedNumbers }),
      ...options,
      deferIndexes: 'always',
      sink,
      moreSinks: () => [other],
    })
    expect(await sink.missingIndexes?.()).toEqual([])
    const keys = "SELECT conname FROM pg_constraint WHERE conrelid = 'numbers'::regclass AND contype = 'p'"
    expect(await query(fixture.target.url, keys)).toHaveLength(1)
  })

  it('end both when one of them must stop, and the same load goes on', async () => {
    await using fixture = await Fixture.open('postgres')
    const [queue, sink, other] = [await fixture.queue(), await fixture.sink(), await fixture.sink()]
    const refusing = wrapSink(other, untouched, {
      write: () => Promise.reject(new LadingError('SINK_REFUSED', 'no rights')),
    })
    const producing = { ...fixture.producing(queue, [await fixture.file(20_000)]), ...options, sink }
    await expect(load({ ...producing, moreSinks: () => [refusing] })).rejects.toMatchObject({
      code: 'SINK_REFUSED',
    })
    await load(producing)
    await fixture.expectAllOnce()
  })
})
