import fc from 'fast-check'
import { expect, it } from 'vitest'
import { array, type ConflictPolicy, custom, defineModel, integer, json, text } from 'lading'
import { allRejects, applied, deletion, type OpenTarget, type Target, type Texts, write } from './target.ts'

const columns = { id: integer().notNull(), version: integer(), note: text() }

const model = (onConflict: ConflictPolicy, table = 'items') =>
  defineModel({ table, columns, primaryKey: ['id'], onConflict })

const versioned = (table = 'items') =>
  defineModel({ table, columns, primaryKey: ['id'], onConflict: 'update', version: 'version' })

/** A record is `id,version,note`; no version is NULL. */
const records = (...lines: string[]): Texts[] =>
  lines.map((line) => line.split(',').map((cell) => (cell === '' ? null : cell)))

async function content(target: Target, table = 'items'): Promise<string[]> {
  const rows = await target.rows(table)
  return rows
    .toSorted((a, b) => Number(a['id']) - Number(b['id']))
    .map(({ id, version, note }) => `${id},${version ?? ''},${note}`)
}

export function conflicts(open: OpenTarget): void {
  it('onConflict error: a record whose key exists, in the table or in its batch, is a reject', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model('error'))
    await write(sink, model('error'), [{ key: 'a', records: records('1,,old') }])
    const batch = [
      { key: 'b', records: records('1,,new', '2,,first') },
      { key: 'c', records: records('2,,second', '3,,x') },
    ]
    expect(await write(sink, model('error'), batch)).toEqual([applied(1, 1), applied(1, 1)])
    expect(await content(target)).toEqual(['1,,old', '2,,first', '3,,x'])
    expect((await allRejects(sink)).map(({ code, record }) => [code, record])).toEqual([
      ['CONSTRAINT_UNIQUE', 0],
      ['CONSTRAINT_UNIQUE', 0],
    ])
  })

  it('onConflict skip: the record that was there first stays, and the others are counted as skipped', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model('skip'))
    await write(sink, model('skip'), [{ key: 'a', records: records('1,,old') }])
    const batch = [
      { key: 'b', records: records('1,,new', '2,,first', '2,,second') },
      { key: 'c', records: records('2,,third', '3,,x') },
    ]
    expect(await write(sink, model('skip'), batch)).toEqual([applied(1, 0, 2), applied(1, 0, 1)])
    expect(await content(target)).toEqual(['1,,old', '2,,first', '3,,x'])
    expect(await allRejects(sink)).toEqual([])
  })

  it('onConflict update: the record that comes last stays', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(model('update'))
    await write(sink, model('update'), [{ key: 'a', records: records('1,,old') }])
    const batch = [
      { key: 'b', records: records('1,,new', '2,,first') },
      { key: 'c', records: records('2,5,second', '3,,x') },
    ]
    expect(await write(sink, model('update'), batch)).toEqual([applied(2), applied(2)])
    const [verdict] = await write(sink, model('update'), [
      { key: 'd', records: records('4,,first', '3,,y', '4,,second', '4,,third') },
    ])
    expect(verdict).toMatchObject({ kind: 'applied', rejected: 0 })
    expect(await content(target)).toEqual(['1,,new', '2,5,second', '3,,y', '4,,third'])
  })

  it('a record never overwrites one of a greater version, and one without a version overwrites none that has one', async () => {
    await using target = await open()
    await using sink = target.open()
    await sink.prepare(versioned())
    await write(sink, versioned(), [
      { key: 'a', records: records('1,5,old', '2,5,old', '3,5,old', '4,,old', '5,,old', '6,5,old') },
    ])
    const batch = [
      { key: 'b', records: records('1,4,x', '2,5,x', '3,6,x', '4,,x', '5,1,x', '6,,x', '7,1,x') },
    ]
    expect(await write(sink, versioned(), batch)).toEqual([applied(5, 0, 2)])
    expect(await content(target)).toEqual(['1,5,old', '2,5,x', '3,6,x', '4,,x', '5,1,x', '6,5,old', '7,1,x'])
  })

  it("the model's columns may have the names of lading's own", async () => {
    await using target = await open()
    await using sink = target.open()
    const own = { lading_row: integer().notNull(), lading_row_: text() }
    const named = defineModel({
      table: 'items',
      columns: own,
      primaryKey: ['lading_row'],
      onConflict: 'update',
    })
    await sink.prepare(named)
    await write(sink, named, [{ key: 'a', records: records('2,first', '1,second', '2,third') }])
    const rows = await target.rows('items')
    expect(rows.toSorted((a, b) => Number(a['lading_row']) - Number(b['lading_row']))).toEqual([
      { lading_row: 1, lading_row_: 'second' },
      { lading_row: 2, lading_row_: 'third' },
    ])
  })

  it('a table of keys alone takes each key once', async () => {
    await using target = await open()
    await using sink = target.open()
    const keys = defineModel({
      table: 'members',
      columns: { id: integer().notNull() },
      primaryKey: ['id'],
      onConflict: 'update',
    })
    await sink.prepare(keys)
    expect(await write(sink, keys, [{ key: 'a', records: [['1'], ['1'], ['2']] }])).toEqual([
      applied(2, 0, 1),
    ])
  })

  const merging = (table = 'items') =>
    defineModel({ table, columns, primaryKey: ['id'], onConflict: 'merge' })

  it('onConflict merge: what a record does not name stays as it is, null is NULL, and a new row has the rest empty', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.changesRows !== true) return
    const merged = merging()
    await sink.prepare(merged)
    const first = [
      ['1', undefined, 'chocolate'],
      ['1', '5', undefined],
      ['2', '1', 'a'],
    ]
    expect(await write(sink, merged, [{ key: 'a', records: first }])).toEqual([applied(3)])
    expect(await content(target)).toEqual(['1,5,chocolate', '2,1,a'])
    const second = [
      { key: 'b', records: [['2', null, undefined]] },
      { key: 'c', records: [['1', undefined, 'cookie'], ['3'], ['2', undefined, 'b']] },
    ]
    expect(await write(sink, merged, second)).toEqual([applied(1), applied(3)])
    expect(await content(target)).toEqual(['1,5,cookie', '2,,b', '3,,null'])
  })

  it('onConflict merge: a column that must have a value may be left out of a record whose row is there, and of no other', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.changesRows !== true) return
    const merged = defineModel({
      table: 'items',
      columns: { id: integer().notNull(), must: text().notNull(), note: text().default('none') },
      primaryKey: ['id'],
      onConflict: 'merge',
    })
    await sink.prepare(merged)
    await write(sink, merged, [{ key: 'a', records: [['1', 'm', undefined]] }])
    const partial = [
      ['1', undefined, 'n'],
      ['2', undefined, 'n'],
      ['1', 'm2', undefined],
    ]
    expect(await write(sink, merged, [{ key: 'b', records: partial }])).toEqual([applied(2, 1)])
    expect(await target.rows('items')).toEqual([{ id: 1, must: 'm2', note: 'n' }])
    expect((await allRejects(sink)).map(({ code, record }) => [code, record])).toEqual([
      ['CONSTRAINT_NOT_NULL', 1],
    ])
  })

  it('onConflict merge: of several records of one key in a batch, arrays and values of other types come through too', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.changesRows !== true) return
    const kinds = {
      id: integer().notNull(),
      tags: array(text()),
      doc: json(),
      other: custom('text'),
      own: text(),
    }
    const merged = defineModel({ table: 'items', columns: kinds, primaryKey: ['id'], onConflict: 'merge' })
    await sink.prepare(merged)
    const partial = [
      ['1', '["a"]', undefined, 'x', undefined],
      ['1', '["b","c"]', '{"n":1.50}', undefined, 'o'],
      ['1', undefined, undefined, 'y'],
    ]
    expect(await write(sink, merged, [{ key: 'a', records: partial }])).toEqual([applied(3)])
    const [row] = await target.rows('items')
    expect(row).toMatchObject({ id: 1, other: 'y', own: 'o' })
    expect(JSON.stringify(row?.['tags'])).toMatch(/b.*c/)
    expect(JSON.stringify(row?.['doc'])).toMatch(/n.*1\.5/)
  })

  it('a record that deletes removes the row of its key, in the order of the records, and only once', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.changesRows !== true) return
    const whole = { ...model('update'), deletes: true }
    await sink.prepare(whole)
    await write(sink, whole, [{ key: 'a', records: records('1,,a', '2,,b', '3,,c') }])
    const deletes = [
      { key: 'b', records: [['1', null, deletion], ...records('4,,d'), ['9', null, deletion]] },
      {
        key: 'c',
        records: [['4', null, deletion], ...records('3,,c2'), ['2', null, deletion], ...records('2,,b2')],
      },
    ]
    expect(await write(sink, whole, deletes)).toEqual([applied(3), applied(4)])
    expect(await content(target)).toEqual(['2,,b2', '3,,c2'])
    await write(sink, whole, [{ key: 'd', records: records('1,,again') }])
    expect((await write(sink, whole, deletes)).map(({ kind }) => kind)).toEqual(['duplicate', 'duplicate'])
    expect(await content(target)).toEqual(['1,,again', '2,,b2', '3,,c2'])
  })

  it('a table of keys alone takes and deletes them', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.changesRows !== true) return
    const keys = defineModel({
      table: 'members',
      columns: { id: integer().notNull() },
      primaryKey: ['id'],
      onConflict: 'merge',
    })
    const changing = { ...keys, deletes: true }
    await sink.prepare(keys)
    expect(await write(sink, keys, [{ key: 'a', records: [['1'], ['1'], ['2']] }])).toEqual([applied(3)])
    expect(await write(sink, changing, [{ key: 'b', records: [['1'], ['3']] }])).toEqual([applied(2)])
    expect((await target.rows('members')).map(({ id }) => Number(id)).sort()).toEqual([1, 2, 3])
  })

  it('however records are cut into batches and parts, merged and deleted rows are as one after the other leaves them', async () => {
    await using target = await open()
    await using sink = target.open()
    if (sink.changesRows !== true) return
    const cell = fc.oneof(fc.constant(undefined), fc.constant(null), fc.nat(9).map(String))
    const change = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fc.nat(3).map(String), cell, cell) },
      { weight: 1, arbitrary: fc.nat(3).map((id) => [id.toString(), null, deletion] as const) },
    )
    const batches = fc.array(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 3 }), { maxLength: 3 })
    let run = 0
    const check = async (written: (readonly (readonly (string | null | undefined)[])[])[][]) => {
      const table = `changed${++run}`
      const changing = { ...merging(table), deletes: true }
      await sink.prepare(changing)
      const expected = new Map<string, readonly (string | null)[]>()
      for (const [id = '', version, note] of written.flat(2) as (readonly string[])[]) {
        const old = expected.get(id) ?? [null, null]
        const next = [version, note].map((value, index) =>
          value === undefined ? (old[index] ?? null) : value,
        )
        if (note === deletion) expected.delete(id)
        else expected.set(id, next)
      }
      for (const [batch, parts] of written.entries()) {
        const deliveries = parts.map((each, part) => ({ key: `${table}-${batch}-${part}`, records: each }))
        const verdicts = await write(sink, changing, deliveries)
        expect(verdicts).toEqual(parts.map(({ length }) => applied(length)))
      }
      const lines = [...expected].map(([id, [version, note]]) => `${id},${version ?? ''},${note}`)
      expect(await content(target, table)).toEqual(lines.sort())
    }
    await fc.assert(fc.asyncProperty(batches, check), { numRuns: 15 })
  })

  const policies = [
    { name: 'skip', of: (table: string) => model('skip', table), takes: () => false },
    { name: 'update', of: (table: string) => model('update', table), takes: () => true },
    {
      name: 'update with a version',
      of: versioned,
      takes: (old: string | null, next: string | null) =>
        old === null || (next !== null && Number(next) >= Number(old)),
    },
  ]

  it.for(policies)(
    'however records are cut into batches and parts, $name leaves what one after the other would',
    async ({ of, takes }) => {
      await using target = await open()
      await using sink = target.open()
      const record = fc
        .tuple(fc.nat(4), fc.option(fc.nat(3)), fc.nat(999))
        .map(([id, version, note]) => [`${id}`, version?.toString() ?? null, `${note}`])
      const batches = fc.array(fc.array(fc.array(record, { maxLength: 6 }), { maxLength: 3 }), {
        maxLength: 3,
      })
      let run = 0
      const check = async (written: Texts[][][]) => {
        const table = `items${++run}`
        await sink.prepare(of(table))
        const expected = new Map<string, Texts>()
        for (const [id, ...rest] of written.flat(2)) {
          const old = expected.get(id as string)
          if (old === undefined || takes(old[0] as string | null, rest[0] as string | null))
            expected.set(id as string, rest)
        }
        for (const [batch, parts] of written.entries()) {
          const deliveries = parts.map((each, part) => ({ key: `${run}-${batch}-${part}`, records: each }))
          for (const [part, verdict] of (await write(sink, of(table), deliveries)).entries()) {
            if (verdict.kind !== 'applied') throw new Error(verdict.kind)
            expect(verdict.rejected).toBe(0)
            expect(verdict.loaded + verdict.skipped).toBe(parts[part]?.length)
          }
        }
        const lines = [...expected].map(([id, [version, note]]) => `${id},${version ?? ''},${note}`)
        expect(await content(target, table)).toEqual(lines.sort())
      }
      await fc.assert(fc.asyncProperty(batches, check), { numRuns: 10 })
    },
  )
}
