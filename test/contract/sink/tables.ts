import { expect, it } from 'vitest'
import { defineModel, integer, type Sink, text, varchar } from 'lading'
import { type OpenTarget, write } from './target.ts'

const items = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: varchar(5).default('none'), rest: text() },
  primaryKey: ['id'],
})

const itemsOf = (sink: Sink) => sink.table?.({ table: 'items' })

/** For sinks that say what is in their catalogue. */
export function tables(open: OpenTarget): void {
  it('a table is not known before it is there, and asking for it makes nothing', async () => {
    await using target = await open()
    await using sink = target.open()
    expect(await itemsOf(sink)).toBeUndefined()
    expect(await sink.ledger.isThere?.()).not.toBe(true)
    await sink.prepare(items)
    expect(await sink.ledger.isThere?.()).not.toBe(false)
    expect(await write(sink, items, [{ key: 'a', records: [['1', 'x', 'y']] }])).toHaveLength(1)
  })

  it('a table whose name differs in case alone is found where a name in any case is asked for', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(items)
    const known = (await itemsOf(sink)) !== undefined
    expect((await sink.table?.({ table: 'ITEMS', anyCase: true }))?.table).toBe(known ? 'items' : undefined)
    expect(await sink.table?.({ table: 'ITEM', anyCase: true })).toBeUndefined()
  })

  it('a table that was made for a model is known by its columns and its key, and as empty until it has a row', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(items)
    const facts = await itemsOf(sink)
    if (facts === undefined) return
    expect(facts).toMatchObject({
      table: 'items',
      kind: 'table',
      isDraft: true,
      columns: [
        { name: 'id', notNull: true, hasDefault: false, generated: false },
        { name: 'note', notNull: false, hasDefault: true, generated: false },
        { name: 'rest', notNull: false, hasDefault: false, generated: false },
      ],
      keys: [{ primary: true, columns: ['id'] }],
    })
    await write(sink, items, [{ key: 'a', records: [['1', 'x', 'y']] }])
    expect(await itemsOf(sink)).toMatchObject({ isDraft: false, keys: facts.keys })
  })
}
