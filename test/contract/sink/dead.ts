import { expect, it } from 'vitest'
import { defineModel, integer, type Sink, text } from 'lading'
import {
  allRejects,
  applied,
  count,
  type Delivery,
  duplicate,
  entries,
  letterOf,
  loadOf,
  numbers,
  type OpenTarget,
  rejectOf,
  replayLetter,
  write,
} from './target.ts'

const model = defineModel({ table: 'events', columns: { id: integer(), note: text() } })

const everyByte = Uint8Array.from({ length: 512 }, (_, index) => index)
const oddText = 'NUL \0 quote \' " backslash \\ \\u0000 {"a"} ä 😀 \n'

export function deadLetters(open: OpenTarget): void {
  it('a reject comes back as it was, byte for byte', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(1, 4)
    const faults = [
      rejectOf(1, { code: 'BAD_ENCODING', detail: 'plain', column: 'note' }, everyByte),
      rejectOf(2, { code: 'BAD_INTEGER', detail: 'it\'s "quoted" \\ 😀' }, Uint8Array.of()),
      rejectOf(3, { code: 'BAD_QUOTE', detail: 'x' }, everyByte.subarray(100, 200)),
    ]
    expect(await write(sink, model, [{ key: 'a', records: [['1', 'x']], rejects: faults, load }])).toEqual([
      applied(1, 3),
    ])
    const stored = await sink.ledger.rejects({ loadId: load.id, limit: 10 })
    expect(stored.map((reject) => ({ ...reject, raw: Uint8Array.from(reject.raw) }))).toEqual(
      faults.map((fault) =>
        expect.objectContaining({
          ...fault,
          column: fault.column,
          raw: Uint8Array.from(fault.raw),
          loadId: load.id,
        }),
      ),
    )
    const [, second] = stored
    expect(await sink.ledger.rejects({ id: second?.id, limit: 10 })).toEqual([second])
    expect(await sink.ledger.rejects({ after: second?.id, limit: 10 })).toEqual(stored.slice(2))
    expect(await sink.ledger.rejects({ limit: 1 })).toEqual(stored.slice(0, 1))
  })

  it('a reject whose detail holds what the database cannot keep is kept all the same', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const reject = rejectOf(1, { code: 'BAD_INTEGER', detail: `${oddText}\ud800`, column: 'no\0te' }, 'x')
    expect(await write(sink, model, [{ key: 'a', records: [], rejects: [reject] }])).toEqual([applied(0, 1)])
    const [stored] = await allRejects(sink)
    expect(stored?.detail).toMatch(/NUL .* quote ' " backslash .*😀/s)
    expect(stored?.loadId).toBeUndefined()
  })

  it('texts about a record that are half a character, hold a NUL or are endless are kept in a form that the database takes', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = { ...loadOf(1, 3), source: 'odd \ud800 \0' }
    const endless = `${'x'.repeat(2_046)}😀${'y'.repeat(1 << 20)}`
    const rejects = ['half \ud800', 'nul \0', endless].map((odd, record) => ({
      ...rejectOf(record, { code: 'BAD_INTEGER', detail: odd, column: odd }, 'x'),
      source: odd,
    }))
    expect(await write(sink, model, [{ key: 'a', records: [], rejects, load }])).toEqual([applied(0, 3)])
    await sink.ledger.bury(letterOf({ key: 'b', records: [] }, { detail: endless }))
    const stored = await allRejects(sink)
    const [letter] = await sink.ledger.deadLetters({ limit: 1 })
    const texts = [
      ...stored.flatMap(({ detail, column, source }) => [detail, column ?? '', source]),
      letter?.detail ?? '',
    ]
    expect(texts.slice(0, 6)).toEqual([...Array(3).fill('half \ufffd'), ...Array(3).fill('nul \\0')])
    for (const each of texts) expect(each.length).toBeLessThanOrEqual(2_048)
    expect((await sink.ledger.receipts({})).map(({ source }) => source)).toEqual(['odd \ufffd \\0'])
  })

  it('a dead letter comes back as it was, byte for byte', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare()
    const load = loadOf(2, 5)
    const delivery: Delivery = { key: `${load.id}/0`, records: [['1', 'x']], load }
    const letter = letterOf(delivery, {
      body: everyByte,
      headers: { odd: oddText, __proto__x: '', 'ä"\0': '\\u0000' },
      detail: 'it\'s \\ "😀"',
    })
    await sink.ledger.bury(letter)
    const [stored] = await sink.ledger.deadLetters({ limit: 10 })
    const { load: _, ...kept } = letter
    expect({ ...stored, body: Uint8Array.from(stored?.body ?? []) }).toEqual({
      ...kept,
      body: everyByte,
      state: 'dead',
      id: stored?.id,
      at: stored?.at,
    })
    expect(stored?.at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
    expect(await sink.ledger.deadLetters({ loadId: load.id, limit: 10 })).toHaveLength(1)
    expect(await sink.ledger.deadLetters({ loadId: loadOf(1, 1).id, limit: 10 })).toEqual([])
  })

  it('a dead letter whose detail holds what the database cannot keep is kept all the same', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare()
    await sink.ledger.bury(letterOf({ key: 'a', records: [] }, { detail: `${oddText}\ud800` }))
    expect((await sink.ledger.deadLetters({ limit: 10 }))[0]?.detail).toContain('quote')
  })

  it.for([true, false])(
    'a message that is buried twice, or by several at once, is kept once (of a load: %s)',
    async (ofLoad) => {
      await using target = await open()
      await using sink = target.open()
      await using other = target.open()
      await sink.prepare()
      const letter = letterOf({ key: 'a', records: [['1', 'x']], ...(ofLoad ? { load: loadOf(2, 5) } : {}) })
      await Promise.all([sink.ledger.bury(letter), other.ledger.bury(letter)])
      const first = await sink.ledger.deadLetters({ limit: 10 })
      await sink.ledger.bury({ ...letter, attempts: 99, detail: 'again' })
      expect(first).toHaveLength(1)
      expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual(first)
    },
  )

  it('a buried chunk has its verdict: it counts as dead, and comes again as a duplicate', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(2, 3)
    const [dead, good] = chunksOf(load)
    await write(sink, model, [good])
    await sink.ledger.bury(letterOf(dead))
    expect(await write(sink, model, [dead])).toEqual([duplicate])
    const [receipt] = await sink.ledger.receipts({ loads: [load.id] })
    expect(receipt).toMatchObject({
      records: 3,
      loaded: 1,
      dead: 2,
      deadLetters: 1,
      chunks: 2,
      chunksDone: 2,
    })
    expect((await sink.ledger.progress(load.id))?.keys).toEqual(new Set([dead.key, good.key]))
  })

  it.for(['applied', 'folded'])('a chunk that took effect is not buried afterwards: %s', async (state) => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(2, 3)
    const [first, second] = chunksOf(load)
    await write(sink, model, [first, second])
    if (state === 'folded') await sink.ledger.fold([load.id])
    const before = await sink.ledger.receipts({})
    await sink.ledger.bury(letterOf(first))
    expect(await sink.ledger.receipts({})).toEqual(before)
    expect(await sink.ledger.deadLetters({ limit: 10, all: true })).toEqual([])
  })

  it('a replay takes effect once, also when several replay at the same time', async () => {
    await using target = await open()
    const sinks = [target.open(), target.open(), target.open()] as const
    for (const sink of sinks) await sink.prepare(model)
    const [sink] = sinks
    for (let round = 0; round < 10; round++) {
      const load = loadOf(2, 3)
      const [dead, good] = chunksOf(load)
      await sink.ledger.bury(letterOf(dead))
      await write(sink, model, [good])
      const [letter] = await sink.ledger.deadLetters({ loadId: load.id, limit: 10 })
      const verdicts = (
        await Promise.all(sinks.map((each) => replayLetter(each, model, letter, [dead])))
      ).flat()
      expect(verdicts.filter(({ kind }) => kind === 'applied')).toEqual([applied(2)])
      expect(verdicts.filter(({ kind }) => kind === 'duplicate')).toHaveLength(2)
      expect(await sink.ledger.deadLetters({ loadId: load.id, limit: 10 })).toEqual([])
      expect(await sink.ledger.deadLetters({ loadId: load.id, limit: 10, all: true })).toMatchObject([
        { id: letter?.id, state: 'replayed' },
      ])
      const [receipt] = await sink.ledger.receipts({ loads: [load.id] })
      expect(receipt).toMatchObject({ loaded: 3, dead: 0, deadLetters: 0, chunksDone: 2 })
    }
    for (const each of sinks) await each[Symbol.asyncDispose]()
    expect(await count(target, 'events')).toBe(30)
  })

  it('a message without a load is replayed once', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const message: Delivery = { key: 'm', records: [['1', 'x']] }
    await sink.ledger.bury(letterOf(message))
    const [letter] = await sink.ledger.deadLetters({ limit: 10 })
    expect(await replayLetter(sink, model, letter, [message, message])).toEqual([applied(1), duplicate])
    expect(await replayLetter(sink, model, letter, [message])).toEqual([duplicate])
    await sink.ledger.bury(letterOf(message))
    expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual([])
    expect(await numbers(target, 'events')).toEqual([1])
  })

  it('a letter that is replayed as several parts takes effect once as a whole, also when several replay at the same time', async () => {
    await using target = await open()
    const sinks = [target.open(), target.open()] as const
    for (const sink of sinks) await sink.prepare(model)
    const [sink] = sinks
    await write(sink, model, [{ key: 'b', records: [['9', 'other']] }])
    await sink.ledger.bury(letterOf({ key: 'm', records: [['1', 'x']] }))
    const [letter] = await sink.ledger.deadLetters({ limit: 10 })
    const replay = (each: Sink, ...keys: string[]) =>
      replayLetter(
        each,
        model,
        letter,
        keys.map((key, index) => ({ key, records: [[String(index), 'x']] })),
      )
    // One that is refused leaves the letter dead, and takes nothing from the others.
    expect(await replay(sink, 'a', 'b', 'c')).toMatchObject([applied(1), { code: 'KEY_REUSED' }, applied(1)])
    expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual([letter])
    const verdicts = (await Promise.all(sinks.map((each) => replay(each, 'a', 'd', 'c', 'e')))).flat()
    expect(verdicts.filter(({ kind }) => kind === 'applied')).toEqual([applied(1), applied(1)])
    expect(verdicts.filter(({ kind }) => kind === 'duplicate')).toHaveLength(6)
    expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual([])
    expect(await count(target, 'events')).toBe(5)
    for (const each of sinks) await each[Symbol.asyncDispose]()
  })

  it('a replay of a letter that is not dead takes no effect, whatever it holds', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    expect(await replayLetter(sink, model, undefined, [{ key: 'm', records: [['1', 'x']] }])).toEqual([
      duplicate,
    ])
    expect(await entries(target)).toEqual([])
    expect(await count(target, 'events')).toBe(0)
  })

  it.for(['applied', 'folded'])(
    'a letter of a chunk that took effect in another way is settled by its replay: %s',
    async (state) => {
      await using target = await open()
      await using sink = target.open()
      await sink.prepare(model)
      const load = loadOf(2, 3)
      const chunks = chunksOf(load)
      // Without its load, as a message is buried whose body is damaged.
      const { load: _, ...damaged } = letterOf(chunks[0], { code: 'CHECKSUM', records: 0 })
      await sink.ledger.bury(damaged)
      await write(sink, model, chunks)
      if (state === 'folded') await sink.ledger.fold([load.id])
      const [letter] = await sink.ledger.deadLetters({ limit: 10 })
      expect(await replayLetter(sink, model, letter, [chunks[0]])).toEqual([duplicate])
      expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual([])
      expect(await sink.ledger.deadLetters({ limit: 10, all: true })).toMatchObject([
        { id: letter?.id, state: 'replayed' },
      ])
      expect(await numbers(target, 'events')).toEqual([1, 2, 3])
    },
  )

  it('a replay that is refused leaves the letter dead', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    await write(sink, model, [{ key: 'm', records: [['1', 'x']] }])
    const clash: Delivery = { key: 'm', records: [['2', 'x']] }
    await sink.ledger.bury(letterOf(clash, { code: 'KEY_REUSED' }))
    const letters = await sink.ledger.deadLetters({ limit: 10 })
    expect(await replayLetter(sink, model, letters[0], [clash])).toMatchObject([
      { kind: 'refused', code: 'KEY_REUSED' },
    ])
    expect(letters).toHaveLength(1)
    expect(await sink.ledger.deadLetters({ limit: 10 })).toEqual(letters)
    expect(await entries(target)).toMatchObject([{ key: 'm', outcome: 'applied' }])
  })

  it('a replay that is refused leaves its chunk counted as dead', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const load = loadOf(1, 1)
    const chunk = { key: `${load.id}/0`, records: [['1', 'x']], load }
    await sink.ledger.bury(letterOf(chunk))
    const [letter] = await sink.ledger.deadLetters({ limit: 1 })
    const other = { ...chunk, load: { ...load, plan: loadOf(1, 1, 'another plan').plan } }
    expect(await replayLetter(sink, model, letter, [other])).toMatchObject([{ code: 'PLAN_MISMATCH' }])
    expect((await sink.ledger.receipts({}))[0]).toMatchObject({ dead: 1, openDeadLetters: 1, chunksDone: 1 })
    expect(await replayLetter(sink, model, letter, [chunk])).toEqual([applied(1)])
  })
}

function chunksOf(load: ReturnType<typeof loadOf>): [Delivery, Delivery] {
  return [
    {
      key: `${load.id}/0`,
      records: [
        ['1', 'x'],
        ['2', 'x'],
      ],
      load,
    },
    { key: `${load.id}/1`, records: [['3', 'x']], load },
  ]
}
