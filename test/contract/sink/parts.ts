import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { defineModel, integer, type LoadInfo, text } from 'lading'
import { applied, loadOf, type OpenTarget, pipeline, write } from './target.ts'

const model = defineModel({ table: 'events', columns: { id: integer().notNull(), note: text() } })

/** A ledger that keeps no account of files that grow need not pass. */
export function parts(open: OpenTarget): void {
  it('of the loads that are entered behind another one at the same time, one follows it, and the others hear of it', async () => {
    await using target = await open()
    await using one = target.open()
    await using other = target.open()
    await one.prepare(model)
    await other.prepare(model)
    if (one.ledger.follow === undefined || other.ledger.follow === undefined) return
    const first = randomUUID()
    const loads = [loadOf(1, 1), loadOf(1, 1), loadOf(1, 1), loadOf(1, 1)]
    const followed = await Promise.all(
      loads.map((load, n) => (n % 2 === 0 ? one : other).ledger.follow?.(pipeline, load, first)),
    )
    expect(followed.toSorted()).toEqual(['entered', 'taken', 'taken', 'taken'])
    const entered = loads[followed.indexOf('entered')] as LoadInfo
    expect(await one.ledger.parts?.(pipeline, 'test.csv')).toMatchObject([
      { loadId: entered.id, sha256: entered.sha256, bytes: 1000, follows: first, isOpen: true },
    ])
    // As a run does that continues.
    expect(await other.ledger.follow(pipeline, entered, first)).toBe('entered')
    // It follows another one already.
    expect(await other.ledger.follow(pipeline, entered, randomUUID())).toBe('known')
  })

  it('a part that is entered is open until its chunks have a verdict, and the last one is that which none follows', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const { ledger } = sink
    if (ledger.follow === undefined || ledger.parts === undefined) return
    const [head, next, last, elsewhere] = [loadOf(1, 1), loadOf(1, 1), loadOf(2, 2), loadOf(1, 1)]
    const deliver = (load: LoadInfo, no: number, id: number) =>
      write(sink, model, [{ key: `${load.id}/${no}`, records: [[`${id}`, 'x']], load }])
    const known = async () =>
      ((await ledger.parts?.(pipeline, 'test.csv')) ?? []).map(({ loadId, isOpen }) => [loadId, isOpen])
    expect(await known()).toEqual([])
    expect(await deliver(head, 0, 1)).toEqual([applied(1)])
    expect(await known()).toEqual([[head.id, false]])
    await ledger.follow(pipeline, next, head.id)
    expect(await known()).toEqual([
      [next.id, true],
      [head.id, false],
    ])
    await deliver(next, 0, 2)
    await ledger.fold([head.id, next.id])
    await ledger.follow('another pipeline', elsewhere, randomUUID())
    expect(await known()).toEqual([[next.id, false]])
    await ledger.follow(pipeline, last, next.id)
    await deliver(last, 1, 3)
    expect(await known()).toEqual([
      [last.id, true],
      [next.id, false],
    ])
    const receipts = await ledger.receipts({ loads: [last.id] })
    expect(receipts).toMatchObject([{ records: 2, loaded: 1, chunks: 2, chunksDone: 1 }])
    await deliver(last, 0, 4)
    expect(await known()).toEqual([[last.id, false]])
  })
}
