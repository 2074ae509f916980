import { expect, it } from 'vitest'
import { balance, defineModel, integer, type LoadInfo, type Sink, text } from 'lading'
import {
  allRejects,
  applied,
  duplicate,
  entries,
  letterOf,
  loadOf,
  numbers,
  type OpenTarget,
  rejectOf,
  replay,
  replayLetter,
  sha256,
  write,
} from './target.ts'

const columns = { id: integer().notNull(), note: text() }
/** Without a key, so that a record that takes effect twice is there twice. */
const model = defineModel({ table: 'events', columns })
const keyed = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'error' })
const skipping = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'skip' })

const badInteger = { code: 'BAD_INTEGER', detail: '"x" is no number', column: 'id' } as const
const badNote = { code: 'BAD_ENCODING', detail: 'odd', column: undefined } as const

/** A load of one chunk with a loaded record and `rejected` rejects, folded or not. */
async function rejecting(sink: Sink, of = model, rejected = 1, folded = false) {
  const load = loadOf(1, rejected + 1)
  const rejects = Array.from({ length: rejected }, (_, index) =>
    rejectOf(index + 2, badInteger, `x${index},note`),
  )
  expect(await write(sink, of, [{ key: `${load.id}/0`, records: [['1', 'x']], rejects, load }])).toEqual([
    applied(1, rejected),
  ])
  if (folded) await sink.ledger.fold([load.id])
  const ids = (await sink.ledger.rejects({ loadId: load.id, limit: 100 })).map(({ id }) => id)
  return { load, ids, first: ids[0] as number }
}

async function countsOf(sink: Sink, load: LoadInfo) {
  const [receipt] = await sink.ledger.receipts({ loads: [load.id] })
  if (receipt === undefined) throw new Error('no receipt')
  const { loaded, rejected, skipped, rejectRows } = receipt
  return { loaded, rejected, skipped, rejectRows, ...balance(receipt) }
}

const sound = { open: 0, problems: [] }

export function mending(open: OpenTarget): void {
  it.for([false, true])(
    'a replayed record moves from the rejected to the loaded, once (load folded: %s)',
    async (folded) => {
      await using target = await open()
      await using sink = target.open()
      await sink.prepare(model)
      const { load, ids, first } = await rejecting(sink, model, 2, folded)
      expect(await replay(sink, model, [{ id: first, record: ['7', 'x'] }])).toEqual([applied(1)])
      expect(await countsOf(sink, load)).toEqual({
        loaded: 2,
        rejected: 1,
        skipped: 0,
        rejectRows: 1,
        ...sound,
      })
      expect(await sink.ledger.progress(load.id)).toMatchObject({ complete: folded, loaded: 2 })
      const again = { id: first, record: ['8', 'x'] } as const
      expect(await replay(sink, model, [again, { id: ids[1], record: ['9', 'x'] }, again])).toEqual([
        duplicate,
        applied(1),
        duplicate,
      ])
      expect(await countsOf(sink, load)).toEqual({
        loaded: 3,
        rejected: 0,
        skipped: 0,
        rejectRows: 0,
        ...sound,
      })
      expect(await numbers(target, 'events')).toEqual([1, 7, 9])
      expect(await allRejects(sink)).toEqual([])
      expect(await sink.ledger.rejects({ all: true, limit: 10 })).toMatchObject([
        { state: 'replayed' },
        { state: 'replayed' },
      ])
      // Replayed and then folded adds up as well.
      await sink.ledger.fold([load.id])
      expect(await countsOf(sink, load)).toMatchObject({ loaded: 3, rejected: 0, ...sound })
    },
  )

  it('a reject takes effect once, however many replay it at the same time, and while its load is folded', async () => {
    await using target = await open()
    const sinks = [target.open(), target.open(), target.open()] as const
    for (const sink of sinks) await sink.prepare(model)
    const [sink] = sinks
    for (let round = 0; round < 10; round++) {
      const { load, ids } = await rejecting(sink, model, 5)
      const all = (order: readonly number[]) => order.map((id) => ({ id, record: ['2', 'x'] }))
      const racing = [all(ids), all(ids.toReversed()), all(ids)].map((each, index) =>
        replay(sinks[index] as Sink, model, each),
      )
      const [verdicts] = await Promise.all([Promise.all(racing), sink.ledger.fold([load.id])])
      expect(verdicts.flat().filter(({ kind }) => kind === 'applied')).toHaveLength(5)
      expect(verdicts.flat().filter(({ kind }) => kind === 'duplicate')).toHaveLength(10)
      await sink.ledger.fold([load.id])
      expect(await countsOf(sink, load)).toEqual({
        loaded: 6,
        rejected: 0,
        skipped: 0,
        rejectRows: 0,
        ...sound,
      })
    }
    expect((await numbers(target, 'events')).filter((id) => id === 2)).toHaveLength(50)
    for (const each of sinks) await each[Symbol.asyncDispose]()
  })

  it('a reject that is named twice in one replay takes effect once, and those of several messages count with their own', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(keyed)
    const messages = ['m1', 'm2'].map((key) => ({
      key,
      records: [],
      rejects: [rejectOf(1, badInteger, 'x')],
    }))
    await write(sink, keyed, [{ key: 'm0', records: [['1', 'x']] }, ...messages])
    const [one, two] = (await allRejects(sink)).map(({ id }) => id)
    const twice = (id: number | undefined, record: string[]) => [
      { id, record },
      { id, record },
    ]
    const refused = { kind: 'refused', code: 'CONSTRAINT_UNIQUE' }
    expect(await replay(sink, keyed, twice(one, ['1', 'y']))).toMatchObject([
      refused,
      // It may be called what the first is, or a duplicate of it.
      { kind: expect.not.stringMatching('applied') as string },
    ])
    expect(await replay(sink, keyed, [...twice(one, ['2', 'y']), ...twice(two, ['3', 'y'])])).toEqual([
      applied(1),
      duplicate,
      applied(1),
      duplicate,
    ])
    expect(await numbers(target, 'items')).toEqual([1, 2, 3])
    for (const { loaded, rejected } of await entries(target)) expect([loaded, rejected]).toEqual([1, 0])
  })

  it('a record that is refused again stays open with its new reason, and costs the others nothing', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(keyed)
    const { load, ids } = await rejecting(sink, keyed, 4)
    const span = { start: 2, end: 5 }
    const verdicts = await replay(sink, keyed, [
      { id: ids[0], record: ['1', 'taken'] },
      { id: ids[1], fault: { ...badNote, span } },
      { id: ids[2], record: ['3', 'x'] },
      { id: ids[3], record: ['1', 'taken too'] },
    ])
    expect(verdicts).toMatchObject([
      { kind: 'refused', code: 'CONSTRAINT_UNIQUE' },
      { kind: 'refused', code: 'BAD_ENCODING', detail: 'odd' },
      applied(1),
      { kind: 'refused', code: 'CONSTRAINT_UNIQUE' },
    ])
    expect(await numbers(target, 'items')).toEqual([1, 3])
    expect(await countsOf(sink, load)).toEqual({
      loaded: 2,
      rejected: 3,
      skipped: 0,
      rejectRows: 3,
      ...sound,
    })
    const left = await allRejects(sink)
    expect(left).toMatchObject([
      { id: ids[0], state: 'open', code: 'CONSTRAINT_UNIQUE', span: { start: 1, end: 3 } },
      { id: ids[1], state: 'open', code: 'BAD_ENCODING', detail: 'odd', span },
      { id: ids[3], state: 'open', code: 'CONSTRAINT_UNIQUE' },
    ])
    expect(left[1]?.column).toBeUndefined()
  })

  it('a record whose key exists is skipped where the model says so', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(skipping)
    const { load, ids } = await rejecting(sink, skipping, 3)
    const verdicts = await replay(sink, skipping, [
      { id: ids[0], record: ['1', 'there'] },
      { id: ids[1], record: ['2', 'new'] },
      { id: ids[2], record: ['2', 'twice'] },
    ])
    expect(verdicts).toEqual([applied(0, 0, 1), applied(1), applied(0, 0, 1)])
    expect(await countsOf(sink, load)).toEqual({
      loaded: 2,
      rejected: 0,
      skipped: 2,
      rejectRows: 0,
      ...sound,
    })
    expect(await numbers(target, 'items')).toEqual([1, 2])
  })

  it('a system that fails in the middle leaves everything as it was', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const { load, ids } = await rejecting(sink, model, 2)
    const before = await sink.ledger.rejects({ all: true, limit: 10 })
    const repair = await target.breakDown({ table: 'events' })
    const again = ids.map((id) => ({ id, record: ['2', 'x'] }))
    await expect(replay(sink, model, again)).rejects.toThrow()
    await repair()
    expect(await sink.ledger.rejects({ all: true, limit: 10 })).toEqual(before)
    expect(await countsOf(sink, load)).toEqual({
      loaded: 1,
      rejected: 2,
      skipped: 0,
      rejectRows: 2,
      ...sound,
    })
    expect(await replay(sink, model, again)).toEqual([applied(1), applied(1)])
  })

  it('a record with an identity of its own takes effect once under it, whatever came of it before', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(keyed)
    const bad = Array.from({ length: 4 }, (_, index) => rejectOf(index, badInteger, `${index}`))
    await write(sink, keyed, [{ key: 'message:m', records: [], rejects: bad }])
    await write(sink, keyed, [{ key: 'field:id:2', records: [['2', 'x']], sha256: sha256('two') }])
    const ids = (await allRejects(sink)).map(({ id }) => id)
    const claim = (key: string, content: string) => ({ key: `field:id:${key}`, sha256: sha256(content) })
    const verdicts = await replay(sink, keyed, [
      { id: ids[0], record: ['1', 'x'], claim: claim('1', 'one') },
      { id: ids[1], record: ['2', 'x'], claim: claim('2', 'two') },
      { id: ids[2], record: ['3', 'x'], claim: claim('2', 'other') },
    ])
    expect(verdicts).toMatchObject([applied(1), duplicate, { kind: 'refused', code: 'KEY_REUSED' }])
    // A key is free again where its record was refused.
    const refused = { id: ids[3], record: ['1', 'taken'], claim: claim('4', 'four') }
    expect(await replay(sink, keyed, [refused])).toMatchObject([
      { kind: 'refused', code: 'CONSTRAINT_UNIQUE' },
    ])
    expect((await allRejects(sink)).map(({ id, code }) => [id, code])).toEqual([
      [ids[2], 'BAD_INTEGER'],
      [ids[3], 'CONSTRAINT_UNIQUE'],
    ])
    expect(await entries(target)).toMatchObject([
      { key: 'field:id:1', records: 1, loaded: 1 },
      { key: 'field:id:2', records: 1, loaded: 1 },
      { key: 'message:m', records: 2, loaded: 0, rejected: 2 },
    ])
    expect(
      await write(sink, keyed, [{ key: 'field:id:1', records: [['1', 'x']], sha256: sha256('one') }]),
    ).toEqual([duplicate])
    expect(await numbers(target, 'items')).toEqual([1, 2])
  })

  it('a record with an identity of its own whose key exists is skipped under it where the model says so', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(skipping)
    await write(sink, skipping, [
      { key: 'message:l', records: [['1', 'there']] },
      { key: 'message:m', records: [], rejects: [rejectOf(0, badInteger, 'x')] },
    ])
    const [reject] = await allRejects(sink)
    const claim = { key: 'field:id:1', sha256: sha256('one') }
    expect(await replay(sink, skipping, [{ id: reject?.id, record: ['1', 'late'], claim }])).toEqual([
      applied(0, 0, 1),
    ])
    expect((await entries(target)).filter(({ key }) => key !== 'message:l')).toMatchObject([
      { key: 'field:id:1', records: 1, loaded: 0, skipped: 1 },
      { key: 'message:m', records: 0, rejected: 0, skipped: 0 },
    ])
    expect(await write(sink, skipping, [{ ...claim, records: [['1', 'late']] }])).toEqual([duplicate])
  })

  it('rejects of another pipeline, and those that are discarded, are not replayed; discarded ones still count', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const { load, ids, first } = await rejecting(sink, model, 2)
    const rows = sink.rows(model)
    const replays = [{ id: first, fault: badInteger, describe: () => badInteger }]
    expect(await sink.replayRejects({ pipeline: 'other', model, replays, rows })).toEqual([duplicate])
    expect(await sink.ledger.discardRejects([first, 999])).toBe(1)
    expect(await sink.ledger.discardRejects([first])).toBe(0)
    expect((await allRejects(sink)).map(({ id }) => id)).toEqual([ids[1]])
    expect(await sink.ledger.rejects({ id: first, all: true, limit: 1 })).toMatchObject([
      { state: 'discarded' },
    ])
    expect(await replay(sink, model, [{ id: first, record: ['2', 'x'] }])).toEqual([duplicate])
    expect(await countsOf(sink, load)).toEqual({
      loaded: 1,
      rejected: 2,
      skipped: 0,
      rejectRows: 2,
      ...sound,
    })
    expect(await numbers(target, 'events')).toEqual([1])
  })

  it('what a person made of a record stays beside the record as it came, as long as its reject is open', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const { ids, first } = await rejecting(sink, model, 2)
    const mended = Buffer.from([0, 255, 10])
    expect(await sink.ledger.editReject(first, mended, ['note'])).toBe(true)
    const [edited, other] = await allRejects(sink)
    expect(Buffer.from(edited?.raw ?? [])).toEqual(Buffer.from('x0,note'))
    expect(Buffer.from(edited?.edited ?? [])).toEqual(mended)
    expect([edited?.masked, edited?.span, other?.edited, other?.masked]).toEqual([
      ['note'],
      undefined,
      undefined,
      undefined,
    ])
    await replay(sink, model, [{ id: first, record: ['2', 'x'] }])
    expect(await sink.ledger.editReject(first, Buffer.from('late'), [])).toBe(false)
    await sink.ledger.discardRejects(ids)
    expect(await sink.ledger.editReject(ids[1] as number, Buffer.from('late'), [])).toBe(false)
  })

  it('rejects are found by load, code, column, pipeline and text, and counted by what is wrong', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const { load } = await rejecting(sink, model, 3)
    const odd = rejectOf(9, { ...badNote, detail: 'it is 100% _odd_' }, Buffer.from('a\0b\xff', 'latin1'))
    const layout = { fields: ['id', 'no"te'], delimiter: ';', quote: "'" }
    const other = loadOf(1, 1)
    const masked = { ...odd, masked: ['note'], span: { start: 1, end: 2 } }
    await write(sink, model, [{ key: `${other.id}/0`, records: [], rejects: [masked], load: other, layout }])
    const found = async (filter: object) =>
      (await sink.ledger.rejects({ ...filter, limit: 10 })).map(({ record }) => record)
    expect(await found({ loadId: load.id })).toEqual([2, 3, 4])
    expect(await found({ loadId: [other.id, load.id] })).toEqual([2, 3, 4, 9])
    expect(await found({ loadId: [] })).toEqual([])
    expect(await found({ code: 'BAD_ENCODING' })).toEqual([9])
    expect(await found({ column: 'id' })).toEqual([2, 3, 4])
    expect(await found({ column: '' })).toEqual([9])
    expect(await found({ pipeline: 'other' })).toEqual([])
    expect(await found({ search: 'x1,' })).toEqual([3])
    expect(await found({ search: '% _' })).toEqual([9])
    expect(await found({ search: 'a\0b' })).toEqual([9])
    expect(await found({ search: 'X1' })).toEqual([])
    expect(await sink.ledger.rejectGroups({})).toEqual([
      { code: 'BAD_INTEGER', column: 'id', rejects: 3 },
      { code: 'BAD_ENCODING', column: undefined, rejects: 1 },
    ])
    expect(
      await sink.ledger.rejectGroups({ loadId: load.id, code: 'BAD_INTEGER', column: 'id' }),
    ).toHaveLength(1)
    const [kept] = await sink.ledger.rejects({ column: '', limit: 1 })
    expect(kept).toMatchObject({
      layout,
      masked: ['note'],
      span: { start: 1, end: 2 },
      key: `${other.id}/0`,
      state: 'open',
    })
  })

  it('a dead letter that is discarded is out of sight, still counts as dead, and can still be replayed', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(1, 1)
    const chunk = { key: `${load.id}/0`, records: [['1', 'x']], load }
    await sink.ledger.bury(letterOf(chunk))
    const [letter] = await sink.ledger.deadLetters({ search: 'body', limit: 1 })
    const id = letter?.id ?? -1
    expect(await sink.ledger.deadLetters({ code: 'BAD_ENCODING', limit: 1 })).toEqual([])
    expect([await sink.ledger.discardDeadLetters([id]), await sink.ledger.discardDeadLetters([id])]).toEqual([
      1, 0,
    ])
    expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual([])
    expect(await sink.ledger.deadLetters({ limit: 10, all: true })).toMatchObject([
      { id, state: 'discarded' },
    ])
    const [receipt] = await sink.ledger.receipts({})
    expect(receipt).toMatchObject({ dead: 1, deadLetters: 1 })
    expect(await replayLetter(sink, model, letter, [chunk])).toEqual([applied(1)])
    expect(await sink.ledger.deadLetters({ limit: 10, all: true })).toMatchObject([{ state: 'replayed' }])
  })
}
