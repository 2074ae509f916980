import { expect, it } from 'vitest'
import { defineModel, integer, text } from 'lading'
import {
  allRejects,
  applied,
  batchOf,
  count,
  entries,
  loadOf,
  numbers,
  type OpenTarget,
  rejectOf,
  write,
} from './target.ts'

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
})

const refusedBefore = rejectOf(9, { code: 'BAD_INTEGER', detail: 'as a test' }, 'x,y')

export function atomicity(open: OpenTarget): void {
  it.for(['rows', 'ledger', 'rejects'] as const)(
    'ledger, rows and rejects appear together or not at all: %s fails',
    async (where) => {
      await using target = await open()
      await using sink = target.open()
      await sink.prepare(model)
      await write(sink, model, [{ key: '0', records: [['1', 'x']] }])
      const load = loadOf(3, 5)
      const batch = [
        {
          key: 'a',
          records: [
            ['2', 'x'],
            ['1', 'twice'],
            ['3', 'x'],
          ],
          load,
        },
        { key: 'b', records: [['4', 'x']], load, rejects: [refusedBefore] },
      ]
      const repair = await target.breakDown(where === 'rows' ? { table: 'items' } : where)
      await expect(write(sink, model, batch)).rejects.toMatchObject({
        name: 'LadingError',
        action: expect.not.stringMatching(/reject|dead/),
      })
      expect(await numbers(target, 'items')).toEqual([1])
      expect(await entries(target)).toHaveLength(1)
      expect(await allRejects(sink)).toEqual([])
      await repair()
      expect(await write(sink, model, batch)).toEqual([applied(2, 1), applied(1, 1)])
      expect(await numbers(target, 'items')).toEqual([1, 2, 3, 4])
      expect(await allRejects(sink)).toHaveLength(2)
    },
  )

  it('an error of whoever describes a reject leaves nothing, and the next batch is written', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const batch = batchOf(sink, model, [
      {
        key: 'a',
        records: [
          ['1', 'x'],
          ['1', 'y'],
        ],
      },
    ])
    const parts = batch.parts.map((part) => ({
      ...part,
      describe: () => {
        throw new TypeError('as a test')
      },
    }))
    await expect(sink.write({ ...batch, parts })).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(await count(target, 'items')).toBe(0)
    expect(await entries(target)).toEqual([])
    expect(await sink.write(batch)).toEqual([applied(1, 1)])
  })

  it('a buffer that is cleared is filled again for the next batch', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model)
    const batch = batchOf(sink, model, [
      {
        key: 'a',
        records: [
          ['1', 'x'],
          ['2', 'y'],
        ],
      },
    ])
    await sink.write(batch)
    batch.rows.clear()
    expect(batch.rows).toMatchObject({ rows: 0, bytes: 0 })
    const [part] = batch.parts
    expect(part).toBeDefined()
    if (part !== undefined)
      await sink.write({ ...batch, parts: [{ ...part, key: 'b', records: 0, rows: 0 }] })
    expect(await numbers(target, 'items')).toEqual([1, 2])
  })
}
