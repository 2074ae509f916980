import { describe, expect, it } from 'vitest'
import {
  bigint,
  boolean,
  type Column,
  date,
  doublePrecision,
  integer,
  json,
  numeric,
  text,
  timestamp,
  type Transformed,
} from '../../src/model/columns.ts'
import { sha256 } from '../../src/model/mask.ts'
import { defineModel } from '../../src/model/model.ts'
import type { Cells } from '../../src/core/cells.ts'
import { fieldProblems } from '../../src/model/fields.ts'
import { decodeRecord as decode } from '../../src/model/values.ts'
import { cellsOf, decodeCells, verdict } from './helpers.ts'

/** The row or the fault, whichever there is. */
function decodeRecord(...args: Parameters<typeof decode>): unknown {
  const decoded = decode(...args)
  return 'row' in decoded ? decoded.row : decoded.fault
}

/** What a model of one column makes of a cell; null is an unquoted empty one, undefined none at all. */
function valueOf(column: Column, cell: string | null | undefined): unknown {
  const model = defineModel({ table: 't', columns: { value: column } })
  return decodeRecord(model, cell === undefined ? {} : { value: cell })
}

describe('a missing value', () => {
  it.each([null, undefined])('(%s) is NULL', (cell) =>
    expect(valueOf(integer(), cell)).toEqual({ value: null }),
  )

  it.each([null, undefined])('(%s) is refused where the column must have one', (cell) => {
    expect(valueOf(integer().notNull(), cell)).toMatchObject({ code: 'NULL_NOT_ALLOWED', column: 'value' })
  })

  it.each([null, undefined])('(%s) is the default where there is one', (cell) => {
    expect(valueOf(integer().default(7), cell)).toEqual({ value: 7 })
    expect(valueOf(integer().notNull().default(7), cell)).toEqual({ value: 7 })
  })

  it.each([
    [bigint().default(2n ** 63n - 1n), 2n ** 63n - 1n],
    [doublePrecision().default(1e300), 1e300],
    [boolean().default(false), false],
    [text().default(''), ''],
    [text().default("it's ü"), "it's ü"],
    [date().default('2024-02-29'), '2024-02-29'],
    [numeric().default('1.50'), '1.50'],
  ])('is a default of any type (%#)', (column, value) => expect(valueOf(column, null)).toEqual({ value }))
})

describe('a quoted empty cell', () => {
  it('is a text without characters and not NULL', () => {
    expect(valueOf(text().notNull(), '')).toEqual({ value: '' })
  })

  it('is no number, whatever stands next to it', () => {
    const model = defineModel({ table: 't', columns: { a: doublePrecision(), b: doublePrecision() } })
    expect(decodeRecord(model, { a: '', b: '-5' })).toMatchObject({ code: 'BAD_NUMBER', column: 'a' })
  })
})

describe('nullIf', () => {
  const column = integer().nullIf('NULL', '-', '')

  it.each(['NULL', '-', ''])('%j is NULL, quoted too', (cell) =>
    expect(valueOf(column, cell)).toEqual({ value: null }),
  )

  it.each(['null', 'NULL ', '--', ' '])('%j is not, for every byte counts', (cell) => {
    expect(valueOf(column, cell)).toMatchObject({ code: 'BAD_INTEGER' })
  })

  it('comes before notNull and default', () => {
    expect(valueOf(column.notNull(), '-')).toMatchObject({ code: 'NULL_NOT_ALLOWED' })
    expect(valueOf(column.default(3), '-')).toEqual({ value: 3 })
  })

  it('comes before the transform', () => {
    expect(
      valueOf(
        text()
          .nullIf('x')
          .transform(() => 'never'),
        'x',
      ),
    ).toEqual({ value: null })
  })

  it('compares text beyond ASCII', () => expect(valueOf(text().nullIf('无'), '无')).toEqual({ value: null }))
})

describe('a transform', () => {
  const returning = (column: Column, value: unknown) =>
    valueOf(
      column.transform(() => value as Transformed),
      'cell',
    )

  it('sees the text of the cell and is decoded as strictly as a cell', () => {
    expect(
      valueOf(
        integer().transform((cell) => cell.replace('€', '')),
        '12€',
      ),
    ).toEqual({ value: 12 })
    expect(
      valueOf(
        integer().transform((cell) => `${cell} `),
        '12',
      ),
    ).toMatchObject({ code: 'BAD_INTEGER', column: 'value' })
  })

  it.each([
    [integer(), 5, 5],
    [bigint(), 2n ** 60n, 2n ** 60n],
    [doublePrecision(), 1e-7, 1e-7],
    [doublePrecision(), 1e21, 1e21],
    [boolean(), false, false],
    [text(), '', ''],
    [text(), '😀', '😀'],
    [numeric(), 1e21, '1000000000000000000000'],
  ])('may return a value instead of a text (%#)', (column, value, expected) => {
    expect(returning(column, value)).toEqual({ value: expected })
  })

  it.each([null, undefined])('that returns %s makes a missing value', (missing) => {
    expect(returning(integer(), missing)).toEqual({ value: null })
    expect(returning(integer().notNull(), missing)).toMatchObject({ code: 'NULL_NOT_ALLOWED' })
    expect(returning(integer().default(4), missing)).toEqual({ value: 4 })
  })

  it.each<[unknown, string]>([
    [new Error('no price in "x"'), ': no price in "x"'],
    [new TypeError('two\nlines'), ': two\\u{a}lines'],
    [new Error('x'.repeat(300)), `: ${'x'.repeat(200)}…`],
    [new Error(''), ''],
    ['a text', ': a text'],
    [Object.create(null), ''],
    [undefined, ''],
  ])('that throws rejects the record with what it said (%#)', (thrown, said) => {
    const column = text().transform(() => {
      throw thrown
    })
    expect(valueOf(column, 'x')).toEqual({
      code: 'TRANSFORM_FAILED',
      column: 'value',
      detail: `the transform of the model threw${said}`,
    })
  })

  it.each([
    [text(), 'a\0b', 'NUL_BYTE'],
    [text(), '\ud800', 'LONE_SURROGATE'],
    [doublePrecision(), Number.NaN, 'BAD_NUMBER'],
    [integer(), 1.5, 'BAD_INTEGER'],
    [date(), '2024-02-30', 'BAD_DATE'],
  ])('may not return what a cell may not hold (%#)', (column, value, code) =>
    expect(returning(column, value)).toMatchObject({ code }),
  )

  it.each([[Object.create(null)], [new Date(0)], [Promise.resolve('x')], [() => 'x'], [Symbol('x')]])(
    'may not return an object, against its type (%#)',
    (value) => expect(returning(text(), value)).toMatchObject({ code: 'TRANSFORM_FAILED', column: 'value' }),
  )

  it('is not called for a missing value', () => {
    expect(
      valueOf(
        text().transform(() => 'never'),
        null,
      ),
    ).toEqual({ value: null })
  })
})

describe('from', () => {
  const model = defineModel({
    table: 't',
    columns: { a: integer().from('A b'), b: text().from('A b'), c: text() },
  })

  it('reads a column from the field of another name, twice if need be', () => {
    expect(decodeRecord(model, { 'A b': '1', c: 'x', a: '9' })).toEqual({ a: 1, b: '1', c: 'x' })
  })

  it('a fault names the column of the model', () => {
    expect(decodeRecord(model, { 'A b': 'x' })).toMatchObject({ code: 'BAD_INTEGER', column: 'a' })
  })
})

describe('the cells of a record', () => {
  const model = defineModel({ table: 't', columns: { a: text(), b: integer().notNull() } })
  const fields = ['x', 'b', 'a']

  it('are found by their names, in any order, with others between them', () => {
    expect(decodeCells(model, fields, cellsOf(['?', '1', 'y'], ','))).toEqual(['y', 1])
  })

  it('a cell with doubled quotes is read as what it means', () => {
    const cells: Cells = {
      ...cellsOf(['1', '"" ""']),
      quoting: Uint8Array.of(0, 2),
      unescaped: () => Buffer.from('" "'),
    }
    expect(decodeCells(model, ['b', 'a'], cells)).toEqual(['" "', 1])
    const nullIf = defineModel({ table: 't', columns: { a: text().nullIf('" "'), b: integer() } })
    expect(decodeCells(nullIf, ['b', 'a'], cells)).toEqual([null, 1])
  })

  it('a record with one bad cell writes nothing', () => {
    expect(decodeCells(model, ['a', 'b'], cellsOf(['kept?', 'bad']))).toMatchObject({
      code: 'BAD_INTEGER',
      column: 'b',
    })
  })
})

describe('the fields of a source', () => {
  const model = defineModel({
    table: 't',
    columns: { a: text(), b: integer().notNull().from('B'), c: integer().notNull().default(1) },
  })

  it('fit where every needed one is there and none is unknown', () => {
    expect([...fieldProblems(model, ['B'])]).toEqual([])
    expect([...fieldProblems(model, ['c', 'B', 'a'])]).toEqual([])
  })

  it('are told by name where they do not', () => {
    expect([...fieldProblems(model, ['a', 'b', 'd'])]).toEqual([
      'column B is missing',
      'column b is not in the model',
      'column d is not in the model',
    ])
  })

  it('may be more than the model wants, when asked to', () => {
    expect([...fieldProblems(model, ['B', 'd'], true)]).toEqual([])
  })

  it('are refused where no column finds its own among them, always', () => {
    const nullable = defineModel({ table: 't', columns: { a: text(), b: integer().default(1) } })
    expect([...fieldProblems(nullable, ['x', 'y'], true)]).toEqual(['none of its columns is in the model'])
    expect([...fieldProblems(nullable, ['x'])]).toEqual(['column x is not in the model'])
    expect([...fieldProblems(nullable, [])]).toEqual(['none of its columns is in the model'])
    expect([...fieldProblems(nullable, ['x', 'b'], true)]).toEqual([])
  })

  it('are any where every column is generated', () => {
    const generated = defineModel({ table: 't', columns: { a: text().generated('recordKey') } })
    expect([...fieldProblems(generated, ['x'], true)]).toEqual([])
  })
})

it.each([
  ['NUL_BYTE', 'a\0b'],
  ['LONE_SURROGATE', 'a\ud800'],
])('a text that no file holds is refused whatever its column: %s', (code, note) => {
  const model = defineModel({ table: 't', columns: { id: integer(), note: text().transform(() => 'x') } })
  expect(decodeRecord(model, { id: '1', note })).toMatchObject({ code })
})

it('values of every type lie in their own columns', () => {
  const model = defineModel({ table: 't', columns: { a: timestamp(), b: json(), c: text() } })
  expect(decodeRecord(model, { c: 'x', b: '{}', a: '2024-01-01 00:00' })).toEqual({
    a: '2024-01-01T00:00:00.000000',
    b: '{}',
    c: 'x',
  })
  expect(verdict(text(), 'a')).toBe('a')
})

describe('a column of several fields', () => {
  const began = timestamp().from('date', 'time')
  const model = defineModel({ table: 't', columns: { began, date: text() } })

  it('has their texts, joined by a space, without those that have no value', () => {
    expect(decodeRecord(model, { date: '2021-01-02', time: '03:04' })).toEqual({
      began: '2021-01-02T03:04:00.000000',
      date: '2021-01-02',
    })
    const name = defineModel({ table: 't', columns: { name: text().from('first', 'last').nullIf('-') } })
    expect(decodeRecord(name, { first: 'Ann', last: 'Lee' })).toEqual({ name: 'Ann Lee' })
    expect(decodeRecord(name, { first: 'Ann', last: '-' })).toEqual({ name: 'Ann' })
    expect(decodeRecord(name, { first: null, last: '-' })).toEqual({ name: null })
    expect(decodeRecord(name, {})).toEqual({ name: null })
  })

  it('has the notation of each of them, and a pattern and a transform of them together', () => {
    const column = timestamp()
      .from('date', 'time')
      .written({ trim: true, pattern: 'DD.MM.YYYY HH:mm' })
      .transform((joined) => joined.replace('2021', '2022'))
    const together = defineModel({ table: 't', columns: { column } })
    expect(decodeRecord(together, { date: ' 02.01.2021', time: '03:04 ' })).toEqual({
      column: '2022-01-02T03:04:00.000000',
    })
  })

  it('misses each of them that the source does not have', () => {
    const needed = defineModel({ table: 't', columns: { began: began.notNull() } })
    expect([...fieldProblems(needed, ['date', 'other'])]).toEqual([
      'column time is missing',
      'column other is not in the model',
    ])
    expect([...fieldProblems(needed, ['date', 'time'])]).toEqual([])
  })

  it('cannot be masked, nor read what another column masks', () => {
    const masked = { both: text().from('a', 'b').mask(sha256()) }
    expect(() => defineModel({ table: 't', columns: masked })).toThrow('several fields cannot be masked')
    const columns = { both: text().from('a', 'b'), b: text().mask(sha256()) }
    expect(() => defineModel({ table: 't', columns })).toThrow('its field b is masked, and read by both too')
  })

  it('is part of the fingerprint', () => {
    const print = (...fields: [string, ...string[]]) =>
      defineModel({ table: 't', columns: { a: text().from(...fields) } }).fingerprint
    expect(new Set([print('a'), print('a', 'b'), print('b', 'a')]).size).toBe(3)
  })
})
