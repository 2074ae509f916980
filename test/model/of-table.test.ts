import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigint, numeric, text } from '../../src/model/columns.ts'
import { columnNames, snakeCase } from '../../src/model/match.ts'
import { modelOfTable } from '../../src/model/of-table.ts'
import type { TableColumn, TableFacts, TableKey } from '../../src/model/table.ts'

const column = (name: string, more: Partial<TableColumn> = {}): TableColumn => ({
  name,
  type: text().spec.type,
  shown: 'text',
  notNull: false,
  hasDefault: false,
  generated: false,
  ...more,
})

const facts = (columns: readonly TableColumn[], keys: readonly TableKey[] = []): TableFacts => ({
  table: 'products',
  kind: 'table',
  isDraft: false,
  columns,
  keys,
})

const id = column('id', { type: bigint().spec.type, notNull: true, shown: 'bigint' })
const price = column('unit_price', { type: numeric(10, 2).spec.type })
const primary: TableKey = { name: 'products_pkey', primary: true, columns: ['id'] }
const unique = (...columns: string[]): TableKey => ({
  name: `${columns.join('_')}_key`,
  primary: false,
  columns,
})

describe('the model of a table has the columns that the file has, in the order of the table', () => {
  it('by name exactly, or else without case, spaces, punctuation and units, which is said', () => {
    const { model, matched, problems } = modelOfTable(facts([id, price, column('note')], [primary]), [
      'Unit Price (EUR)',
      'id',
    ])
    expect(problems).toEqual([])
    expect(model?.columns.map(({ name, from, notNull }) => [name, from, notNull])).toEqual([
      ['id', undefined, true],
      ['unit_price', 'Unit Price (EUR)', false],
    ])
    expect(model).toMatchObject({ table: 'products', primaryKey: ['id'], onConflict: 'error' })
    expect(matched).toEqual([
      { field: 'Unit Price (EUR)', column: 'unit_price', isExact: false },
      { field: 'id', column: 'id', isExact: true },
    ])
  })

  it('and is the same model again from the same catalogue, fields and choices, in whatever order the fields are', () => {
    const fingerprint = (...fields: string[]) =>
      modelOfTable(facts([id, price], [primary]), fields).model?.fingerprint
    expect(fingerprint('id', 'unit_price')).toBe(fingerprint('unit_price', 'id'))
    expect(fingerprint('id', 'unit_price')).not.toBe(fingerprint('id', 'Unit Price'))
    expect(fingerprint('id')).not.toBe(fingerprint('id', 'unit_price'))
  })

  it('where each record names its own fields, all columns that can be given a value', () => {
    const computed = column('sum', { generated: true })
    const counted = column('nr', { identity: 'always' })
    const { model } = modelOfTable(facts([id, counted, computed, price]), undefined)
    expect(model?.columns.map(({ name }) => name)).toEqual(['id', 'unit_price'])
  })

  it.each([
    ['UnitPrice', 'unit_price'],
    ['unit-price', 'unit_price'],
    ['UNIT_PRICE', 'unit_price'],
    ['Unit Price [EUR/kg]', 'unit_price'],
    ['ID', 'id'],
    ['i.d.', 'id'],
  ])('%s is column %s', (field, name) => {
    expect(modelOfTable(facts([column('id'), price]), [field]).matched).toMatchObject([{ column: name }])
  })

  it('a unit in the name is more than a unit that is left out', () => {
    const both = facts([column('price'), column('price_eur')])
    expect(modelOfTable(both, ['Price (EUR)']).matched).toMatchObject([{ column: 'price_eur' }])
  })
})

describe('what does not fit is said all at once, each with its cure', () => {
  it.each<[string, readonly TableColumn[], readonly string[], readonly (string | RegExp)[]]>([
    ['a field without a column', [id], ['id', 'Notes'], [/field Notes has no column .+--ignore-extra/]],
    [
      'a column that needs a value',
      [id, price],
      ['unit_price'],
      [/column id \(bigint\) needs a value .+give the column a DEFAULT/],
    ],
    [
      'a computed column',
      [column('a'), column('b', { generated: true })],
      ['a', 'b'],
      [/field b is column b, which the table computes itself \(--ignore-extra/],
    ],
    [
      'a field that could be either of two columns',
      [column('Price'), column('PRICE')],
      ['price'],
      [/field price could be column Price or PRICE \(write the name/],
    ],
    [
      'two fields that could be one column',
      [price],
      ['Unit Price', 'UnitPrice'],
      [/fields Unit Price and UnitPrice could each be column unit_price/],
    ],
    [
      'everything at once',
      [id, column('Price'), column('PRICE')],
      ['price', 'x'],
      [/field price/, /field x/, /column id/],
    ],
    ['no field at all that is known', [column('a', { generated: true })], ['a'], [/field a/]],
  ])('%s', (_, columns, fields, expected) => {
    const { model, problems } = modelOfTable(facts(columns), fields)
    expect(model).toBeUndefined()
    expect(problems).toEqual(expected.map((each) => expect.stringMatching(each)))
  })

  it('with ignoreExtra, fields without a column and computed ones are left out, and never all of them', () => {
    const table = facts([column('a'), column('b', { generated: true })])
    const { model, problems } = modelOfTable(table, ['a', 'b', 'c'], { ignoreExtra: true })
    expect(problems).toEqual([])
    expect(model?.columns.map(({ name }) => name)).toEqual(['a'])
    const noHeader = expect.stringMatching(/none of its fields has a column.+--no-header/)
    expect(modelOfTable(table, ['x'], { ignoreExtra: true }).problems).toEqual([noHeader])
    expect(modelOfTable(table, ['x', 'y']).problems).toEqual([noHeader])
  })
})

const partial = (name: string): TableKey => ({
  name,
  primary: false,
  columns: ['a'],
  predicate: 'b IS NULL',
  reads: ['b'],
})

describe('what identifies a row', () => {
  const table = facts([id, column('a'), column('b')], [primary, unique('a'), unique('b', 'a')])

  it.each<[string, readonly string[], Parameters<typeof modelOfTable>[2], readonly string[]]>([
    ['is the primary key', ['id', 'a'], {}, ['id']],
    ['is nothing if the file lacks the primary key and no policy asks for one', ['a', 'b'], {}, []],
    ['is the only unique index that the file fills', ['a'], { onConflict: 'skip' }, ['a']],
    [
      'is what is stated, by columns',
      ['id', 'a', 'b'],
      { key: ['a', 'b'], onConflict: 'update' },
      ['b', 'a'],
    ],
    ['is what is stated, by fields', ['id', 'A', 'b'], { key: ['A'], onConflict: 'update' }, ['a']],
    ['is what is stated, with an index or without', ['id', 'b'], { key: ['b'] }, ['b']],
  ])('%s', (_, fields, choices, expected) => {
    const given = facts(
      table.columns.map((each) => ({ ...each, notNull: false })),
      table.keys,
    )
    const { model, problems } = modelOfTable(given, fields, choices)
    expect(problems).toEqual([])
    expect(model?.primaryKey).toEqual(expected)
  })

  it('may be an index over expressions or a part of the rows, found by its columns or by its name', () => {
    const lower: TableKey = { name: 'lower', primary: false, columns: ['a'], expressions: ['(lower(a))'] }
    const given = facts([column('a'), column('b')], [lower, partial('one'), partial('two')])
    const chosen = (...key: string[]) => modelOfTable(given, ['a', 'b'], { key, onConflict: 'update' })
    expect(chosen('lower').model).toMatchObject({
      primaryKey: ['a'],
      arbiter: { expressions: ['(lower(a))'] },
    })
    expect(chosen('two').model).toMatchObject({ primaryKey: ['a'], arbiter: { predicate: 'b IS NULL' } })
    expect(chosen('a').problems).toEqual([
      expect.stringMatching(/choose one with --key lower or --key one or --key two$/),
    ])
    const few = modelOfTable(facts([column('a'), column('b')], [partial('one')]), ['a'], {
      onConflict: 'skip',
    })
    expect(few.problems).toEqual([expect.stringMatching(/one: the file has no b/)])
    const own = modelOfTable(given, ['a'], { onConflict: 'skip' })
    expect(own.model?.arbiter).toEqual({ expressions: ['(lower(a))'] })
    const merged = () => modelOfTable(given, ['a'], { onConflict: 'merge' })
    expect(merged).toThrow("'merge' finds a row by the columns of its key, and not by an expression")
  })

  it.each<[string, TableFacts, readonly string[], Parameters<typeof modelOfTable>[2], RegExp]>([
    [
      'several could be meant',
      facts([column('a'), column('b')], [unique('a'), unique('b')]),
      ['a', 'b'],
      { onConflict: 'skip' },
      /several unique indexes: choose one with --key a or --key b/,
    ],
    [
      'there is none',
      facts([column('a')]),
      ['a'],
      { onConflict: 'update' },
      /no unique index on columns of the file: CREATE UNIQUE INDEX ON/,
    ],
    [
      'the stated one has no index',
      facts([column('a'), column('b')], [unique('a')]),
      ['a', 'b'],
      { key: ['b'], onConflict: 'skip' },
      /no unique index on exactly \(b\): CREATE UNIQUE INDEX ON products \(b\)/,
    ],
    [
      'it is deferrable',
      facts([column('a')], [{ ...unique('a'), unfit: 'it is DEFERRABLE' }]),
      ['a'],
      { key: ['a'], onConflict: 'skip' },
      /a_key: it is DEFERRABLE/,
    ],
    [
      'the file lacks it',
      facts([column('a'), column('b')], [unique('a')]),
      ['b'],
      { key: ['a'] },
      /--key a is no column/,
    ],
  ])('is refused where %s', (_, given, fields, choices, expected) => {
    expect(modelOfTable(given, fields, choices).problems).toEqual([expect.stringMatching(expected)])
  })
})

it.each([
  ['Unit Price (EUR)', 'unit_price'],
  ['orderDate', 'order_date'],
  ['  2024 Größe/€ ', '2024_größe'],
  ['(EUR)', 'eur'],
  ['__a__', 'a'],
  ['HTTPStatus', 'httpstatus'],
])('the name %s is %s in snake case', (name, expected) => {
  expect(snakeCase(name)).toBe(expected)
})

describe('the columns that are made for fields are found again by the same fields', () => {
  const made = (fields: readonly string[]) => columnNames(fields).map((name) => column(name))
  const matchesOf = (fields: readonly string[], columns: readonly TableColumn[]) => {
    const { matched, problems } = modelOfTable(facts(columns), fields)
    expect(problems).toEqual([])
    return Object.fromEntries(matched.map((match) => [match.field, match.column]))
  }

  it.each<[string, readonly string[]]>([
    ['names that differ in case and punctuation', ['id', 'first name', 'First Name', 'first_name']],
    ['names of signs alone', ['%', 'id', '#']],
    ['names that differ in their unit', ['Price (EUR)', 'Price (USD)', 'price']],
    ['names that PostgreSQL keeps for itself', ['xmin', 'ymin', 'xmax', 'ymax']],
    ['names longer than PostgreSQL allows', [`Question ${'é'.repeat(60)} 1`, `Question ${'é'.repeat(60)} 2`]],
    ['a numbered name that is another field without its signs', ['(2)2', '2']],
    ['a number that another name has', ['A', 'a b', 'A B', 'a_b_2']],
  ])('%s', (_, fields) => {
    const names = columnNames(fields)
    expect(new Set(names).size).toBe(fields.length)
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
    const expected = Object.fromEntries(fields.map((field, index) => [field, names[index]]))
    expect(matchesOf(fields, made(fields))).toEqual(expected)
  })

  it('whatever the names, also in another order of the fields', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'A', 'b', '1', '2', ' ', '_', '(', ')', '%'),
      minLength: 1,
    })
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), (fields) => {
        const names = columnNames(fields)
        expect(new Set(names).size).toBe(fields.length)
        const found = matchesOf(fields, made(fields))
        expect(fields.map((field) => found[field])).toEqual(names)
        const isNumbered = fields.some((field) => snakeCase(field) === '')
        if (!isNumbered) expect(matchesOf(fields.toReversed(), made(fields))).toEqual(found)
      }),
    )
  })
})
