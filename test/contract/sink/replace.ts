import { expect, it } from 'vitest'
import { defineModel, integer, type LoadInfo, type Sink, text } from 'lading'
import {
  allRejects,
  applied,
  batchOf,
  duplicate,
  loadOf,
  numbers,
  type OpenTarget,
  pipeline,
  rejectOf,
  replay,
  write,
} from './target.ts'
import type { OpenSqlTarget } from './sql.ts'

const columns = { id: integer().notNull(), note: text() }
const model = defineModel({ table: 'items', columns, primaryKey: ['id'] })

const part = (load: LoadInfo, ...ids: number[]) => ({
  key: `${load.id}/0`,
  load,
  records: ids.map((id) => [`${id}`, 'x']),
})

/** Loads the records into what replaces the table's rows. */
async function gather(
  sink: Sink,
  given: Awaited<ReturnType<NonNullable<Sink['replacing']>>>,
  load: LoadInfo,
  ...ids: number[]
) {
  await sink.prepare(given.model)
  const reject = rejectOf(9, { code: 'BAD_INTEGER', detail: 'x' }, 'x')
  const batch = batchOf(sink, given.model, [{ ...part(load, ...ids), rejects: [reject] }])
  expect(await sink.write({ ...batch, pipeline: given.pipeline })).toEqual([applied(ids.length, 1)])
  await sink.ledger.fold([load.id])
}

/** A sink that replaces no rows need not pass. */
export function replacing(open: OpenTarget): void {
  it('the rows of a table are replaced at once: until then readers see the old ones, then the new ones alone, and the ledger has their loads', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    if (sink.replacing === undefined) return
    const [old, gathered, taken] = [loadOf(1, 2), loadOf(1, 4), loadOf(1, 4)]
    await write(sink, model, [part(old, 1, 2)])
    {
      await using replacement = await sink.replacing(model, pipeline)
      await gather(sink, replacement, gathered, 2, 3, 4)
      expect(await numbers(target, 'items')).toEqual([1, 2])
      expect(await replacement.isCurrent([taken.id])).toBe(false)
      expect(await replacement.take([{ gathered: gathered.id, id: taken.id }])).toEqual({
        before: 2,
        rows: 3,
      })
      expect(await numbers(target, 'items')).toEqual([2, 3, 4])
      expect(await replacement.isCurrent([taken.id])).toBe(true)
      expect(await replacement.isCurrent([])).toBe(false)
    }
    const receipts = await sink.ledger.receipts({ pipeline })
    expect(
      receipts
        .map(({ loadId, loaded, rejected, skipped, isReplaced }) => [
          loadId,
          loaded,
          rejected,
          skipped,
          isReplaced,
        ])
        .sort(),
    ).toEqual(
      [
        [old.id, 0, 0, 2, true],
        [taken.id, 3, 1, 0, undefined],
      ].sort(),
    )
    expect(await sink.ledger.receipts({})).toHaveLength(2)
    expect(await allRejects(sink)).toMatchObject([{ loadId: taken.id, pipeline }])
    // A chunk that was late belongs to rows that are gone.
    expect(await write(sink, model, [part(old, 1, 2)])).toEqual([duplicate])
    expect(await numbers(target, 'items')).toEqual([2, 3, 4])
    // Something else was loaded since.
    await write(sink, model, [part(loadOf(1, 1), 7)])
    await using again = await sink.replacing(model, pipeline)
    expect(await again.isCurrent([taken.id])).toBe(false)
  })

  it('rows that a person has corrected and replayed since are rows of the replacement', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    if (sink.replacing === undefined) return
    const [gathered, empty] = [loadOf(1, 2), loadOf(1, 1)]
    const taken = [loadOf(1, 2).id, loadOf(1, 1).id]
    {
      await using replacement = await sink.replacing(model, pipeline)
      await gather(sink, replacement, gathered, 2)
      await gather(sink, replacement, empty)
      await replacement.take(
        [gathered, empty].map(({ id }, index) => ({ gathered: id, id: taken[index] as string })),
      )
    }
    const ofEmpty = (await allRejects(sink)).find(({ loadId }) => loadId === taken[1])
    expect(await replay(sink, model, [{ id: ofEmpty?.id, record: ['9', 'y'] }])).toEqual([applied(1)])
    await using again = await sink.replacing(model, pipeline)
    expect(await numbers(target, 'items')).toEqual([2, 9])
    expect(await again.isCurrent(taken)).toBe(true)
    expect(await again.isCurrent(taken.slice(0, 1))).toBe(false)
  })

  it('what is not taken leaves the table and its ledger as they were, and nothing of itself', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    if (sink.replacing === undefined) return
    const old = loadOf(1, 2)
    await write(sink, model, [part(old, 1, 2)])
    const [gathered, unfinished] = [loadOf(1, 2), loadOf(2, 2)]
    {
      await using replacement = await sink.replacing(model, pipeline)
      await gather(sink, replacement, gathered, 5)
      await gather(sink, replacement, unfinished, 6)
      const loads = [gathered, unfinished].map(({ id }) => ({ gathered: id, id }))
      await expect(replacement.take(loads)).rejects.toMatchObject({ code: 'REPLACE_REFUSED' })
      await expect(replacement.take(loads.slice(0, 1))).rejects.toMatchObject({ code: 'REPLACE_REFUSED' })
    }
    expect(await numbers(target, 'items')).toEqual([1, 2])
    expect((await sink.ledger.receipts({})).map(({ loadId }) => loadId)).toEqual([old.id])
    expect(await allRejects(sink)).toEqual([])
  })

  it("one replacement of a table is at work at a time, and one that was killed is in nobody's way", async () => {
    await using target = await open()
    await using sink = target.open()
    await using other = target.open()
    await sink.prepare(model)
    await other.prepare(model)
    if (sink.replacing === undefined || other.replacing === undefined) return
    const replacement = await sink.replacing(model, pipeline)
    await gather(sink, replacement, loadOf(1, 2), 5)
    await expect(other.replacing(model, pipeline)).rejects.toMatchObject({ code: 'SINK_BUSY' })
    await replacement[Symbol.asyncDispose]()
    await using next = await other.replacing(model, pipeline)
    const gathered = loadOf(1, 2)
    await gather(other, next, gathered, 6)
    expect(await next.take([{ gathered: gathered.id, id: loadOf(1, 2).id }])).toEqual({ before: 0, rows: 1 })
    expect(await numbers(target, 'items')).toEqual([6])
  })
}

/** Of a database that speaks SQL. */
export function replacingTables(open: OpenSqlTarget): void {
  it('a table that exists stays what it is: its views, defaults and rules; keys may change their rows', async () => {
    await using target = await open()
    const { keyText, strict } = target.dialect
    await target.query(
      `CREATE TABLE items (id integer NOT NULL PRIMARY KEY, code ${keyText} UNIQUE, size integer CHECK (size > 0), note ${keyText} DEFAULT 'none')${strict}`,
    )
    await target.query('CREATE UNIQUE INDEX items_size ON items (size)')
    await target.query('CREATE VIEW shown AS SELECT id, code, size, note FROM items')
    const given = { id: integer().notNull(), code: text(), size: integer() }
    const items = defineModel({ table: 'items', columns: given, primaryKey: ['id'] })
    await using sink = target.open()
    await sink.prepare(items)
    if (sink.replacing === undefined) return
    await target.query("INSERT INTO items VALUES (1, 'a', 10, 'old'), (2, 'b', 20, 'old')")
    await using replacement = await sink.replacing(items, pipeline)
    await sink.prepare(replacement.model)
    const load = loadOf(1, 4)
    const records = [
      ['1', 'b', '20'],
      ['2', 'a', '10'],
      ['3', 'c', '0'],
      ['4', 'b', '40'],
    ]
    const batch = batchOf(sink, replacement.model, [{ key: `${load.id}/0`, load, records }])
    expect(await sink.write({ ...batch, pipeline: replacement.pipeline })).toEqual([applied(2, 2)])
    await sink.ledger.fold([load.id])
    await replacement.take([{ gathered: load.id, id: loadOf(1, 4).id }])
    expect(await target.query('SELECT * FROM shown ORDER BY id')).toEqual([
      { id: 1, code: 'b', size: 20, note: 'none' },
      { id: 2, code: 'a', size: 10, note: 'none' },
    ])
    const codes = (await allRejects(sink)).map(({ record, code }) => [record, code])
    expect(codes).toEqual([
      [2, 'CONSTRAINT_CHECK'],
      [3, 'CONSTRAINT_UNIQUE'],
    ])
    for (const broken of ["2, 'z', 1", "9, 'a', 1", "9, 'z', 20", "9, 'z', 0"])
      await expect(target.query(`INSERT INTO items (id, code, size) VALUES (${broken})`)).rejects.toThrow()
    await target.query("INSERT INTO items (id, code, size) VALUES (9, 'z', 90)")
    expect(await target.query('SELECT note FROM shown WHERE id = 9')).toEqual([{ note: 'none' }])
  })
}
