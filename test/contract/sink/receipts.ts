import { expect, it } from 'vitest'
import { balance, defineModel, integer, type LoadInfo, type Sink, text } from 'lading'
import {
  applied,
  count,
  type Delivery,
  duplicate,
  entries,
  letterOf,
  loadOf,
  type OpenTarget,
  rejectOf,
  replayLetter,
  write,
} from './target.ts'

const columns = { id: integer().notNull(), note: text() }
const keyed = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'skip' })
const model = defineModel({ table: 'events', columns })

const chunk = (load: LoadInfo, no: number, ...ids: number[]): Delivery => ({
  key: `${load.id}/${no}`,
  records: ids.map((id) => [`${id}`, 'x']),
  load,
})

async function receiptOf(sink: Sink, load: LoadInfo) {
  const found = await sink.ledger.receipts({ loads: [load.id] })
  expect(found).toHaveLength(1)
  const [receipt] = found
  if (receipt === undefined) throw new Error('no receipt')
  const { records, loaded, rejected, skipped, dead, filtered } = receipt
  // A load may be settled and not be known as such yet, and never the other way round.
  for (const settled of (await sink.ledger.settled?.([load.id])) ?? []) {
    expect(settled).toEqual({ loadId: load.id, records, loaded, filtered })
    expect([balance(receipt), receipt.rejectRows, receipt.deadLetters]).toEqual([
      { open: 0, problems: [] },
      0,
      0,
    ])
  }
  return { ...receipt, open: records - loaded - rejected - skipped - dead }
}

/** A ledger in memory takes several loads in a millisecond, and knows no order of them. */
async function millisecondOver(): Promise<void> {
  for (const since = Date.now(); Date.now() - since < 2;)
    await new Promise((resolve) => setImmediate(resolve))
}

export function receipts(open: OpenTarget): void {
  it('a load keeps the release of the time-zone data that read it first, and tells it to those with another one', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const [load, other] = [loadOf(1, 1), loadOf(1, 1)]
    await write(sink, model, [chunk(load, 0, 1)])
    expect(await receiptOf(sink, load)).not.toHaveProperty('zoneRelease')
    expect(await sink.ledger.zoneReleases([load.id, other.id], '2025b')).toEqual([])
    await write(sink, model, [chunk(other, 0, 2)])
    expect(await sink.ledger.zoneReleases([load.id, other.id], '2026c')).toEqual(['2025b'])
    expect(await sink.ledger.zoneReleases([other.id], '2026c')).toEqual([])
    expect(await sink.ledger.zoneReleases([load.id, other.id], '2027a')).toEqual(['2025b', '2026c'])
    expect(await receiptOf(sink, load)).toMatchObject({ zoneRelease: '2025b' })
    expect(await receiptOf(sink, other)).toMatchObject({ zoneRelease: '2026c' })
  })

  it('records that are left out on purpose count as skipped, and a receipt says how many they are', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(keyed)
    const load = loadOf(2, 8)
    const reject = rejectOf(2, { code: 'BAD_INTEGER', detail: 'x' }, 'x')
    const first = { ...chunk(load, 0, 1, 2), filtered: 3, rejects: [reject] }
    expect(await write(sink, keyed, [first])).toEqual([applied(2, 1, 3)])
    const begun = { loaded: 2, rejected: 1, skipped: 3, filtered: 3, open: 2 }
    expect(await receiptOf(sink, load)).toMatchObject(begun)
    expect(await write(sink, keyed, [first])).toEqual([duplicate])
    // One more is skipped by the conflict policy.
    expect(await write(sink, keyed, [{ ...chunk(load, 1, 2), filtered: 1 }])).toEqual([applied(0, 0, 2)])
    const done = { loaded: 2, rejected: 1, skipped: 5, filtered: 4, open: 0 }
    expect(await receiptOf(sink, load)).toMatchObject(done)
    await sink.ledger.fold([load.id])
    const receipt = await receiptOf(sink, load)
    expect(receipt).toMatchObject(done)
    expect(balance(receipt)).toEqual({ open: 0, problems: [] })
    const other = loadOf(1, 2)
    expect(await write(sink, keyed, [{ ...chunk(other, 0), filtered: 2 }])).toEqual([applied(0, 0, 2)])
    expect(await receiptOf(sink, other)).toMatchObject({ loaded: 0, skipped: 2, filtered: 2, open: 0 })
    await sink.ledger.fold([other.id])
    // A ledger need not tell.
    if (sink.ledger.settled === undefined) return
    const unknown = loadOf(1, 2)
    expect(await sink.ledger.settled([load.id, other.id, unknown.id])).toEqual([
      { loadId: other.id, records: 2, loaded: 0, filtered: 2 },
    ])
  })

  it('a receipt adds up at every step of a load: open, loaded, rejected, skipped, dead, replayed, folded', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(keyed)
    expect(await sink.ledger.receipts({})).toEqual([])
    const load = loadOf(3, 9)
    expect(await sink.ledger.progress(load.id)).toBeUndefined()
    const reject = rejectOf(2, { code: 'BAD_INTEGER', detail: 'x' }, 'x')
    await write(sink, keyed, [{ ...chunk(load, 0, 1, 2, 2), rejects: [reject] }])
    expect(await receiptOf(sink, load)).toMatchObject({
      loaded: 2,
      rejected: 1,
      skipped: 1,
      dead: 0,
      open: 5,
      chunksDone: 1,
      rejectRows: 1,
    })
    await sink.ledger.bury(letterOf(chunk(load, 1, 3, 4)))
    expect(await receiptOf(sink, load)).toMatchObject({
      loaded: 2,
      rejected: 1,
      skipped: 1,
      dead: 2,
      open: 3,
      chunksDone: 2,
      deadLetters: 1,
    })
    await write(sink, keyed, [chunk(load, 2, 2, 5, 6)])
    expect(await receiptOf(sink, load)).toMatchObject({
      loaded: 4,
      rejected: 1,
      skipped: 2,
      dead: 2,
      open: 0,
      chunksDone: 3,
    })
    await sink.ledger.fold([load.id])
    expect(await sink.ledger.progress(load.id)).toMatchObject({ complete: false })
    const [letter] = await sink.ledger.deadLetters({ limit: 1 })
    await replayLetter(sink, keyed, letter, [chunk(load, 1, 3, 4)])
    const done = {
      loaded: 6,
      rejected: 1,
      skipped: 2,
      dead: 0,
      open: 0,
      chunksDone: 3,
      rejectRows: 1,
      deadLetters: 0,
    }
    expect(await receiptOf(sink, load)).toMatchObject(done)
    await sink.ledger.fold([load.id])
    const { id: loadId, ...paper } = load
    expect(await receiptOf(sink, load)).toMatchObject({ ...done, ...paper, loadId, pipeline: 'test' })
    expect(await sink.ledger.progress(load.id)).toMatchObject({ complete: true })
  })

  it('a chunk that is buried first without its load and then with it counts with its load', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(1, 2)
    const letter = letterOf(chunk(load, 0, 1, 2))
    await sink.ledger.bury({ ...letter, load: undefined, records: 0 })
    await write(sink, model, [chunk(loadOf(1, 1), 0, 1)])
    await sink.ledger.bury(letter)
    expect(await sink.ledger.deadLetters({ limit: 10 })).toHaveLength(1)
    expect((await sink.ledger.receipts({ loads: [load.id] })).map((each) => balance(each))).toEqual([
      { open: 0, problems: [] },
    ])
  })

  it('receipts are found by load and by pipeline, the newest first', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const loads = [loadOf(1, 1), loadOf(1, 1)]
    for (const load of loads) await write(sink, model, [chunk(load, 0, 1)])
    const ids = async (filter: { pipeline?: string }) =>
      (await sink.ledger.receipts(filter)).map(({ loadId }) => loadId)
    expect((await ids({})).toSorted()).toEqual(loads.map(({ id }) => id).toSorted())
    expect(await ids({ pipeline: 'test' })).toHaveLength(2)
    expect(await ids({ pipeline: 'other' })).toEqual([])
    const times = (await sink.ledger.receipts({})).map(({ startedAt }) => startedAt)
    expect(times).toEqual(times.toSorted().reverse())
    for (const time of times) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
  })

  it('receipts are found by how their loads stand and by a part of the name, page by page', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const named = (load: LoadInfo, source: string) => ({ ...load, source })
    const whole = named(loadOf(1, 1), 'In/Whole.csv')
    const rejected = named(loadOf(1, 1), 'rejected.csv')
    const dead = named(loadOf(1, 1), 'dead.csv')
    const begun = named(loadOf(2, 2), 'begun.csv')
    // In one transaction, so that some have begun at the same moment.
    await write(sink, model, [
      chunk(whole, 0, 1),
      { ...chunk(rejected, 0), rejects: [rejectOf(0, { code: 'BAD_NUMBER', detail: 'no' }, 'x')] },
      chunk(begun, 0, 2),
    ])
    await sink.ledger.bury(letterOf(chunk(dead, 0, 3)))
    await sink.ledger.fold([whole.id])
    const sources = async (filter: Parameters<typeof sink.ledger.receipts>[0]) =>
      (await sink.ledger.receipts(filter)).map(({ source }) => source).toSorted()
    expect(await sources({ standing: 'open' })).toEqual(['begun.csv'])
    expect(await sources({ standing: 'complete' })).toEqual(['In/Whole.csv'])
    expect(await sources({ standing: 'rejects' })).toEqual(['dead.csv', 'rejected.csv'])
    expect(await sources({ named: 'whole.C' })).toEqual(['In/Whole.csv'])
    expect(await sources({ named: '%' })).toEqual([])
    const all = (await sink.ledger.receipts({})).map(({ loadId }) => loadId)
    const paged: string[] = []
    for (let after: string | undefined; ;) {
      const [one] = await sink.ledger.receipts({ limit: 1, after })
      if (one === undefined) break
      paged.push((after = one.loadId))
    }
    expect(paged).toEqual(all)
    // A ledger need not tell them.
    expect((await sink.ledger.pipelines?.()) ?? ['test']).toEqual(['test'])
    for (const { startedAt, lastAt } of await sink.ledger.receipts({}))
      expect(lastAt?.slice(0, 10)).toBe(startedAt.slice(0, 10))
  })

  it('a complete load folds into one row; one that is incomplete, or has a dead chunk, stays', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const [complete, incomplete, dead] = [loadOf(2, 3), loadOf(2, 3), loadOf(2, 3)]
    await write(
      sink,
      model,
      [complete, dead, incomplete].map((load) => chunk(load, 0, 1, 2)),
    )
    await write(sink, model, [chunk(complete, 1, 3)])
    await sink.ledger.bury(letterOf(chunk(dead, 1, 3)))
    const before = await sink.ledger.receipts({})
    await sink.ledger.fold([])
    await sink.ledger.fold([complete.id, incomplete.id, dead.id, loadOf(1, 1).id])
    await sink.ledger.fold([complete.id])
    expect(await sink.ledger.receipts({})).toEqual(before)
    const keys = (await entries(target)).map(({ key }) => key)
    expect(keys).toEqual([`${incomplete.id}/0`, `${dead.id}/0`, `${dead.id}/1`].toSorted())
  })

  it('what was not loaded of messages of no load is counted, by pipeline, and what was discarded apart from it', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const none = { rejects: 0, openRejects: 0, deadLetters: 0, openDeadLetters: 0 }
    expect(await sink.ledger.messages({})).toEqual(none)
    const load = loadOf(2, 2)
    const rejects = [1, 2].map((n) => rejectOf(n, { code: 'BAD_INTEGER', detail: 'x' }, 'x'))
    await write(sink, model, [
      { ...chunk(load, 0), rejects: rejects.slice(1) },
      { key: 'message:a', records: [], rejects },
    ])
    await sink.ledger.bury(letterOf(chunk(load, 1, 1)))
    await sink.ledger.bury(letterOf({ key: 'message:b', records: [['1', 'x']] }))
    const counts = { rejects: 2, openRejects: 2, deadLetters: 1, openDeadLetters: 1 }
    expect(await sink.ledger.messages({})).toEqual(counts)
    expect(await sink.ledger.messages({ pipeline: 'test' })).toEqual(counts)
    expect(await sink.ledger.messages({ pipeline: 'other' })).toEqual(none)
    const ids = async () =>
      (await sink.ledger.rejects({ limit: 9 }))
        .filter(({ loadId }) => loadId === undefined)
        .map(({ id }) => id)
    await sink.ledger.discardRejects((await ids()).slice(0, 1))
    const letters = await sink.ledger.deadLetters({ limit: 9 })
    await sink.ledger.discardDeadLetters(letters.map(({ id }) => id))
    expect(await sink.ledger.messages({})).toEqual({ ...counts, openRejects: 1, openDeadLetters: 0 })
    expect(await receiptOf(sink, load)).toMatchObject({
      rejectRows: 1,
      openRejects: 1,
      deadLetters: 1,
      openDeadLetters: 0,
    })
  })

  it('loads are found by the beginning of their id and by their source, and the newest of a source is known', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const loads = ['a.csv', 'in/a.csv', 'a.csv'].map((source) => ({ ...loadOf(1, 1), source }))
    for (const load of loads) {
      await write(sink, model, [chunk(load, 0, 1)])
      await millisecondOver()
    }
    const [first, other, last] = loads.map(({ id }) => id) as [string, string, string]
    const found = async (name: string) => (await sink.ledger.named(name)).map(({ loadId }) => loadId)
    expect(await found(other.slice(0, 8).toUpperCase())).toEqual([other])
    expect(await found('a.csv')).toEqual([last, first])
    expect((await found('data/in/a.csv')).toSorted()).toEqual([first, other, last].toSorted())
    expect(await found('b.csv')).toEqual([])
    expect(await found('%')).toEqual([])
    const [newest, ...more] = await sink.ledger.newest('test', ['a.csv', 'b.csv'])
    expect([newest, more]).toMatchObject([{ loadId: last, source: 'a.csv', sha256: loads[2]?.sha256 }, []])
    expect(await sink.ledger.newest('other', ['a.csv'])).toEqual([])
  })

  it('loads that are forgotten can be loaded from scratch, and their rows stay', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    expect(await sink.isEmpty(model)).toBe(true)
    const [load, kept] = [loadOf(2, 3), loadOf(1, 1)]
    const reject = rejectOf(1, { code: 'BAD_INTEGER', detail: 'x' }, 'x')
    await write(sink, model, [{ ...chunk(load, 0, 1), rejects: [reject] }, chunk(kept, 0, 9)])
    await sink.ledger.bury(letterOf(chunk(load, 1, 2)))
    await sink.ledger.fold([load.id, kept.id])
    expect(await sink.ledger.forget([load.id, kept.id], { mostLoaded: 1 })).toBe(false)
    expect(await sink.ledger.receipts({})).toHaveLength(2)
    expect(await sink.ledger.forget([load.id, loadOf(1, 1).id], { mostLoaded: 1 })).toBe(true)
    expect(await sink.ledger.forget([])).toBe(true)
    expect((await sink.ledger.receipts({})).map(({ loadId }) => loadId)).toEqual([kept.id])
    expect(await sink.ledger.rejects({ all: true, limit: 9 })).toEqual([])
    expect(await sink.ledger.deadLetters({ all: true, limit: 9 })).toEqual([])
    expect(await count(target, 'events')).toBe(2)
    expect(await sink.isEmpty(model)).toBe(false)
    expect(await write(sink, model, [chunk(load, 0, 1, 3), chunk(load, 1, 2)])).toMatchObject([
      { loaded: 2 },
      { loaded: 1 },
    ])
  })

  it('a load that is given up leaves out what has no verdict: rows and rejects stay, and a late chunk is a repeat', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const { ledger } = sink
    if (ledger.abandon === undefined) return
    const load = loadOf(3, 6)
    const reject = rejectOf(1, { code: 'BAD_INTEGER', detail: 'x' }, 'x')
    await write(sink, model, [{ ...chunk(load, 0, 1), rejects: [reject] }])
    const letter = letterOf(chunk(load, 1, 2, 3))
    await sink.ledger.bury(letter)
    expect(await ledger.abandon('test', load)).toBe('letters')
    expect(await receiptOf(sink, load)).toMatchObject({ loaded: 1, rejected: 1, dead: 2, open: 2 })
    const [kept] = await ledger.deadLetters({ limit: 1 })
    await ledger.discardDeadLetters([kept?.id as number])
    expect(await ledger.abandon('test', load)).toBe('abandoned')
    const receipt = await receiptOf(sink, load)
    const counts = { loaded: 1, rejected: 1, skipped: 4, filtered: 4, dead: 0, open: 0, deadLetters: 0 }
    expect(receipt).toMatchObject({ ...counts, isAbandoned: true, openRejects: 1 })
    expect(balance(receipt).problems).toEqual([])
    expect(await write(sink, model, [chunk(load, 2, 4, 5), chunk(load, 1, 2, 3)])).toEqual([
      duplicate,
      duplicate,
    ])
    expect(await count(target, 'events')).toBe(1)
    expect(await ledger.settled?.([load.id])).toEqual([])
    expect(await ledger.abandon('test', load)).toBe('complete')
    // Nothing of it has arrived yet, and nothing does later.
    const whole = loadOf(1, 2)
    expect(await ledger.abandon('test', whole)).toBe('abandoned')
    expect(await receiptOf(sink, whole)).toMatchObject({ loaded: 0, skipped: 2, filtered: 2, open: 0 })
    expect(await write(sink, model, [chunk(whole, 0, 7, 8)])).toEqual([duplicate])
  })

  it('a fold that races with late redeliveries never makes a double', async () => {
    await using target = await open()
    const sinks = [target.open(), target.open(), target.open()] as const
    for (const sink of sinks) await sink.prepare(model)
    const [a, b, folder] = sinks
    const rounds = target.takesTurns === true ? 5 : 40
    let effective = 0
    for (let round = 0; round < rounds; round++) {
      const load = loadOf(2, 3)
      const parts = [chunk(load, 0, 1, 2), chunk(load, 1, 3)]
      const races = [
        write(a, model, parts),
        write(b, model, parts.toReversed()),
        folder.ledger.fold([load.id]),
        folder.ledger.fold([load.id]),
      ]
      const verdicts = (await Promise.all(races)).flatMap((verdict) => verdict ?? [])
      const late = await Promise.all([
        write(a, model, parts),
        folder.ledger.fold([load.id]),
        write(b, model, parts),
      ])
      effective += [...verdicts, ...late.flatMap((verdict) => verdict ?? [])].filter(
        ({ kind }) => kind === 'applied',
      ).length
      expect(await receiptOf(a, load)).toMatchObject({ loaded: 3, chunksDone: 2, open: 0 })
      // Those before may have found the load busy each time.
      await folder.ledger.fold([load.id])
      expect(await a.ledger.progress(load.id)).toMatchObject({ complete: true })
    }
    for (const sink of sinks) await sink[Symbol.asyncDispose]()
    expect(effective).toBe(rounds * 2)
    expect(await count(target, 'events')).toBe(rounds * 3)
    expect(await entries(target)).toEqual([])
  })
}
