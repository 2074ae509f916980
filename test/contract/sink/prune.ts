import { expect, it } from 'vitest'
import { balance, defineModel, integer, type Ledger, type PruneFilter, type Sink, text } from 'lading'
import {
  allRejects,
  applied,
  count,
  duplicate,
  letterOf,
  loadOf,
  type OpenTarget,
  pipeline,
  rejectOf,
  replay,
  replayLetter,
  write,
} from './target.ts'

const model = defineModel({ table: 'events', columns: { id: integer(), note: text() } })
const fault = { code: 'BAD_INTEGER', detail: '"x" is no number', column: 'id' } as const
const later = '2999-01-01T00:00:00.000Z'
const chunk = (load: ReturnType<typeof loadOf>, n: number, rejects = 0) => ({
  key: `${load.id}/${n}`,
  records: [[String(n), 'x']],
  rejects: Array.from({ length: rejects }, (_, index) => rejectOf(index, fault, 'x,secret')),
  load,
})

/** Page by page, as many entries in each. */
async function pruned({ ledger }: Sink, filter: Partial<PruneFilter> & Pick<PruneFilter, 'what'>, limit = 2) {
  const chosen = { before: later, ...filter }
  const wanted = await ledger.prunable?.(chosen)
  let [entries, bytes] = [0, 0]
  let after: string | undefined
  do {
    const page = await (ledger.prune as NonNullable<Ledger['prune']>)(chosen, { after, limit })
    expect(page.entries).toBeLessThanOrEqual(limit)
    entries += page.entries
    bytes += page.bytes
    after = page.next
  } while (after !== undefined)
  expect({ entries, bytes }).toEqual(wanted)
  expect(await ledger.prunable?.(chosen)).toEqual({ entries: 0, bytes: 0 })
  return entries
}

async function sound(sink: Sink): Promise<void> {
  for (const receipt of await sink.ledger.receipts({})) expect(balance(receipt).problems).toEqual([])
}

/** A ledger need not be able to; then there is nothing to test. */
export function pruning(open: OpenTarget): void {
  it('settled rejects go, those that count keep their place without their content, and open ones stay', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.ledger.prune === undefined) return
    await sink.prepare(model)
    const load = loadOf(1, 6)
    await write(sink, model, [
      chunk(load, 0, 5),
      { key: 'm', records: [], rejects: [rejectOf(1, fault, 'm')] },
    ])
    const [first, second, third, fourth] = await allRejects(sink)
    const ofMessage = (await allRejects(sink)).find(({ loadId }) => loadId === undefined)
    expect(await pruned(sink, { what: 'rejects' })).toBe(0)
    await replay(sink, model, [{ id: first?.id, record: ['7', 'x'] }])
    await sink.ledger.discardRejects([second?.id, third?.id, ofMessage?.id].map(Number))
    expect(await pruned(sink, { what: 'rejects', before: first?.at as string })).toBe(0)
    expect(await pruned(sink, { what: 'rejects', pipeline: 'another' })).toBe(0)
    expect(await pruned(sink, { what: 'rejects' })).toBe(4)
    const left = await sink.ledger.rejects({ all: true, limit: 10 })
    expect(
      left.map(({ id, state, raw, detail }) => [id, state, Buffer.from(raw).toString(), detail]),
    ).toEqual([
      [second?.id, 'discarded', '', ''],
      [third?.id, 'discarded', '', ''],
      ...left.slice(2).map(({ id }) => [id, 'open', 'x,secret', fault.detail]),
    ])
    await sound(sink)
    // What is open can be replayed afterwards, once.
    expect(await replay(sink, model, [{ id: fourth?.id, record: ['8', 'x'] }])).toEqual([applied(1)])
    expect(await pruned(sink, { what: 'rejects', open: true })).toBe(2)
    expect(await allRejects(sink)).toEqual([])
    await sound(sink)
    expect(await write(sink, model, [chunk(load, 0, 5)])).toEqual([duplicate])
  })

  it('settled dead letters go, those that count lose their body, and open ones stay', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.ledger.prune === undefined) return
    await sink.prepare(model)
    const load = loadOf(2, 2)
    const message = { key: 'm', records: [['1', 'x']] }
    for (const letter of [chunk(load, 0), chunk(load, 1), message, { key: 'n', records: [['2', 'x']] }])
      await sink.ledger.bury(letterOf(letter))
    const letters = await sink.ledger.deadLetters({ limit: 10 })
    expect(await pruned(sink, { what: 'letters' })).toBe(0)
    expect(await replayLetter(sink, model, letters[3], [{ key: 'n', records: [['2', 'x']] }])).toEqual([
      applied(1),
    ])
    await sink.ledger.discardDeadLetters([letters[0], letters[2]].map((each) => Number(each?.id)))
    expect(await pruned(sink, { what: 'letters' })).toBe(3)
    const left = await sink.ledger.deadLetters({ all: true, limit: 10 })
    expect(left.map(({ key, state, body }) => [key, state, Buffer.from(body).toString()])).toEqual([
      [`${load.id}/0`, 'discarded', ''],
      [`${load.id}/1`, 'dead', 'body'],
    ])
    await sound(sink)
    expect(await pruned(sink, { what: 'letters', open: true })).toBe(1)
    expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual([])
    await sound(sink)
  })

  it('keys of messages go without those of chunks, and then the message takes effect once more', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.ledger.prune === undefined) return
    await sink.prepare(model)
    const load = loadOf(2, 2)
    const messages = ['b', 'a"', 'Ä', 'c'].map((key) => ({ key, records: [['9', key]] }))
    await write(sink, model, [...messages, chunk(load, 0)])
    expect(await pruned(sink, { what: 'messages' }, 1)).toBe(4)
    expect(await write(sink, model, [...messages.slice(0, 1), chunk(load, 0)])).toEqual([
      applied(1),
      duplicate,
    ])
    expect(await count(target, 'events')).toBe(6)
  })

  it('complete loads go with what is theirs; open ones, and those with an open reject, stay', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.ledger.prune === undefined) return
    await sink.prepare(model)
    const [whole, begun, rejecting, discarded] = [loadOf(1, 1), loadOf(2, 2), loadOf(1, 2), loadOf(1, 2)]
    await write(sink, model, [
      chunk(whole, 0),
      chunk(begun, 0),
      chunk(rejecting, 0, 1),
      chunk(discarded, 0, 1),
    ])
    await sink.ledger.fold([whole, begun, rejecting, discarded].map(({ id }) => id))
    const ids = async () => (await sink.ledger.receipts({})).map(({ loadId }) => loadId).sort()
    const [gone] = await sink.ledger.rejects({ loadId: discarded.id, limit: 1 })
    await sink.ledger.discardRejects([Number(gone?.id)])
    expect(await pruned(sink, { what: 'loads', before: '2000-01-01T00:00:00.000Z' })).toBe(0)
    expect(await pruned(sink, { what: 'loads' }, 1)).toBe(2)
    expect(await ids()).toEqual([begun.id, rejecting.id].sort())
    await sound(sink)
    // Nothing is known of it any more.
    expect(await write(sink, model, [chunk(whole, 0), chunk(begun, 0)])).toEqual([applied(1), duplicate])
    expect(await pruned(sink, { what: 'loads', open: true })).toBe(1)
    await sound(sink)
  })

  it('the loads of a file that grows stay: the last tells how much of it is loaded', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.ledger.prune === undefined || sink.ledger.follow === undefined) return
    await sink.prepare(model)
    const [first, second, other] = [loadOf(1, 1), loadOf(1, 1), loadOf(1, 1)]
    await write(sink, model, [chunk(first, 0), chunk(other, 0)])
    await sink.ledger.follow(pipeline, second, first.id)
    await write(sink, model, [chunk(second, 0)])
    await sink.ledger.fold([first, second, other].map(({ id }) => id))
    expect(await pruned(sink, { what: 'loads' })).toBe(1)
    const left = (await sink.ledger.receipts({})).map(({ loadId }) => loadId)
    expect(left.sort()).toEqual([first.id, second.id].sort())
  })
}
