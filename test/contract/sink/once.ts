import { expect, it } from 'vitest'
import { defineModel, integer, text } from 'lading'
import {
  applied,
  batchOf,
  count,
  type Delivery,
  duplicate,
  entries,
  loadOf,
  numbers,
  type OpenTarget,
  write,
} from './target.ts'

/** Without a key, so that only the ledger stands between a redelivery and a double. */
const model = defineModel({ table: 'events', columns: { id: integer(), note: text() } })

const delivery = (key: string, ids: readonly number[], more: Partial<Delivery> = {}): Delivery => ({
  key,
  records: ids.map((id) => [`${id}`, 'x']),
  ...more,
})

export function effects(open: OpenTarget): void {
  it('a batch that comes again is a duplicate, and changes nothing', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const batch = [delivery('b', [3, 4]), delivery('a', [1, 2])]
    expect(await write(sink, model, batch)).toEqual([applied(2), applied(2)])
    expect(await write(sink, model, batch)).toEqual([duplicate, duplicate])
    await using other = target.open()
    expect(await write(other, model, batch)).toEqual([duplicate, duplicate])
    expect(await numbers(target, 'events')).toEqual([1, 2, 3, 4])
  })

  it('a duplicate between new parts costs them nothing', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    await write(sink, model, [delivery('b', [3])])
    const verdicts = await write(sink, model, [
      delivery('a', [1, 2]),
      delivery('b', [3]),
      delivery('c', [4, 5]),
      delivery('d', []),
    ])
    expect(verdicts).toEqual([applied(2), duplicate, applied(2), applied(0)])
    expect(await numbers(target, 'events')).toEqual([1, 2, 3, 4, 5])
  })

  it('a part that comes twice in one batch takes effect once', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const verdicts = await write(sink, model, [delivery('a', [1]), delivery('b', [2]), delivery('a', [1])])
    expect(verdicts).toEqual([applied(1), applied(1), duplicate])
    expect(await numbers(target, 'events')).toEqual([1, 2])
  })

  it('of many parts with one key and different contents in one batch, the first takes effect and its hash is kept', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const keys = Array.from({ length: 600 }, (_, index) => `k${(index * 7) % 100}`)
    const batch = keys.map((key, index) => delivery(key, [index]))
    const verdicts = await write(sink, model, batch)
    const again = await write(sink, model, batch)
    for (const index of keys.keys()) {
      const first = index < 100
      expect(verdicts[index]).toMatchObject(first ? applied(1) : { kind: 'refused', code: 'KEY_REUSED' })
      expect(again[index]).toMatchObject(first ? duplicate : { kind: 'refused', code: 'KEY_REUSED' })
    }
    expect(await numbers(target, 'events')).toEqual(Array.from({ length: 100 }, (_, index) => index))
  })

  it('of sinks that write the same parts at the same time exactly one applies each', async () => {
    await using target = await open()
    const sinks = Array.from({ length: 4 }, () => target.open())
    for (const sink of sinks) await sink.prepare(model)
    const parts = Array.from({ length: 10 }, (_, index) => delivery(`k${index}`, [index]))
    for (let round = 0; round < 10; round++) {
      const batch = parts.map((part) => ({ ...part, key: `${round}-${part.key}` }))
      const orders = [batch, batch.toReversed(), batch.slice(0, 5), batch.slice(5)]
      const verdicts = (
        await Promise.all(sinks.map((sink, index) => write(sink, model, orders[index] as Delivery[])))
      ).flat()
      expect(verdicts.filter(({ kind }) => kind === 'applied')).toHaveLength(10)
      expect(verdicts.filter(({ kind }) => kind === 'duplicate')).toHaveLength(20)
    }
    for (const sink of sinks) await sink[Symbol.asyncDispose]()
    expect(await count(target, 'events')).toBe(100)
  })

  it('a key that took effect with other content is refused', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    await write(sink, model, [delivery('a', [1])])
    const verdicts = await write(sink, model, [delivery('a', [2]), delivery('b', [3])])
    expect(verdicts).toEqual([expect.objectContaining({ kind: 'refused', code: 'KEY_REUSED' }), applied(1)])
    expect(await numbers(target, 'events')).toEqual([1, 3])
  })

  it('keys and pipelines of any text are kept as they are', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const texts = [
      String.raw`a\x41`,
      String.raw`\N`,
      String.raw`\.`,
      'tab\tnew\nline\r',
      `'"{}$1,;--/*`,
      '\u{1F6A2}é',
      'NULL',
      '',
    ]
    // Each alone, so that one which is spoiled is not mended by what becomes of the others.
    const batches = texts.flatMap((pipeline) =>
      texts.map((key, id) => ({ ...batchOf(sink, model, [delivery(key, [id])]), pipeline })),
    )
    for (const batch of batches) expect(await sink.write(batch)).toEqual([applied(1)])
    for (const batch of batches) expect(await sink.write(batch)).toEqual([duplicate])
    expect(
      (await target.entries()).map(({ pipeline, key }) => JSON.stringify([pipeline, key])).toSorted(),
    ).toEqual(texts.flatMap((pipeline) => texts.map((key) => JSON.stringify([pipeline, key]))).toSorted())
  })

  it('keys of one pipeline are not those of another', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    await write(sink, model, [delivery('a', [1])])
    const rows = sink.rows(model)
    const part = {
      key: 'a',
      sha256: '00',
      records: 0,
      rows: 0,
      rejects: [],
      describe: () => expect.unreachable(),
    }
    expect(await sink.write({ pipeline: 'other', model, parts: [part], rows })).toEqual([applied(0)])
  })

  it('a load that was begun with one plan takes no chunk of another', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(2, 2)
    const otherPlan = { ...load, plan: loadOf(1, 1, 'another').plan }
    const batch = [
      delivery(`${load.id}/0`, [1], { load }),
      delivery(`${load.id}/1`, [2], { load: otherPlan }),
    ]
    const mismatch = expect.objectContaining({ kind: 'refused', code: 'PLAN_MISMATCH' })
    expect(await write(sink, model, batch)).toEqual([applied(1), mismatch])
    expect(await write(sink, model, batch.slice(1))).toEqual([mismatch])
    expect(await sink.ledger.progress(load.id)).toEqual({
      plan: load.plan,
      complete: false,
      loaded: 1,
      keys: new Set([`${load.id}/0`]),
    })
    expect(await numbers(target, 'events')).toEqual([1])
  })

  it('a chunk of a load that is complete and folded is a duplicate', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(2, 2)
    const batch = [delivery(`${load.id}/0`, [1], { load }), delivery(`${load.id}/1`, [2], { load })]
    await write(sink, model, batch)
    await sink.ledger.fold([load.id])
    expect(await entries(target)).toEqual([])
    expect(await write(sink, model, batch)).toEqual([duplicate, duplicate])
    expect(await sink.ledger.progress(load.id)).toEqual({
      plan: load.plan,
      complete: true,
      loaded: 2,
      keys: new Set(),
    })
    expect(await numbers(target, 'events')).toEqual([1, 2])
  })
}
