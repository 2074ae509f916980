/** A ledger that is pruned while loads and their consumers are at work. */
import { expect, it } from 'vitest'
import { load } from '../../src/load/load.ts'
import { prune } from '../../src/review/prune.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { Fixture } from '../support/fixture.ts'

it.for(['sqlite', 'postgres'] as const)(
  'pruning everything that is settled, all the time, costs no record of a load at work and doubles none: %s',
  async (kind) => {
    await using fixture = await Fixture.open(kind)
    const [queue, sink, other] = [await fixture.queue(), await fixture.sink(), await fixture.sink()]
    const earlier = [await fixture.file(30), await fixture.file(30)]
    await load({ ...fixture.producing(queue, earlier), sink })
    const paths = [await fixture.file(2_000), await fixture.file(3_000)]
    let batches = 0
    const onEvent = ({ type }: LadingEvent) => void (batches += Number(type === 'batch'))
    let isOver = false
    const run = load({
      ...fixture.producing(queue, paths, { chunkBytes: 500 }),
      sink,
      onEvent,
      batch: { messages: 20 },
    }).finally(() => (isOver = true))
    let loads = 0
    // What the run has completed itself is younger than what is pruned.
    const olderThanMs = 60_000
    const back = `UPDATE ${kind === 'sqlite' ? 'lading_load' : 'lading.load'} SET completed_at = '2020-01-01T00:00:00.000Z' WHERE complete`
    await fixture.target.execute(back)
    do {
      const all = await prune(other.ledger, {
        what: ['rejects', 'letters', 'messages', 'loads'],
        olderThanMs,
      })
      loads += all.get('loads')?.entries ?? 0
    } while (!isOver)
    await run
    expect([loads, batches > 1]).toEqual([2, true])
    expect(await fixture.target.ids()).toEqual(Array.from({ length: 5_060 }, (_, index) => index + 1))
    expect((await sink.ledger.receipts({})).map(({ loaded }) => loaded).sort()).toEqual([2_000, 3_000])
  },
)
