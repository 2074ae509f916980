import { describe, expect, it } from 'vitest'
import {
  boolean,
  type Column,
  custom,
  date,
  defineModel,
  integer,
  numeric,
  sha256,
  text,
  time,
  timestamp,
} from 'lading'
import type { Notation, Notations } from '../../../src/core/notation.ts'
import { notationsProblem } from '../../../src/model/notation/notation.ts'
import { notationOf, restated } from '../../../src/model/notation/stated.ts'
import { RecordDecoder } from '../../../src/model/record.ts'
import { ValueWriter } from '../../../src/model/value-writer.ts'
import { cellsOf, verdict } from '../helpers.ts'

const define = (column: Column) => defineModel({ table: 't', columns: { value: column } })

/** What the column makes of the text of a load with this layout. */
function laidOut(column: Column, layout: Notations, source: string | null): unknown {
  const model = define(column)
  const writer = new ValueWriter(model)
  const fault = new RecordDecoder(model, ['value'], writer, layout).decode(cellsOf([source]))
  return fault === undefined ? writer.values[0] : { refused: fault.code }
}

describe('what holds for columns of every type', () => {
  it.each<readonly [string, Column, string, unknown]>([
    ['spaces and tabs around a value', text().written({ trim: true }), ' \ta b\t ', 'a b'],
    ['no other white space', text().written({ trim: true }), '\u00a0a', '\u00a0a'],
    ['of a number', integer().written({ trim: true }), ' 7 ', 7],
    [
      'a value of blanks alone',
      text().notNull().written({ trim: true }),
      '  ',
      { refused: 'NULL_NOT_ALLOWED' },
    ],
    ['not an empty text', text().written({ trim: true }), '', ''],
    ['null markers after trimming', integer().written({ trim: true, nulls: ['NA', '-'] }), ' NA ', null],
    ['null markers in their exact form', text().written({ nulls: ['NA'] }), 'na', 'na'],
    [
      'the default, for a null marker',
      integer()
        .default(5)
        .written({ nulls: ['NA'] }),
      'NA',
      5,
    ],
    ['texts of nullIf after trimming', integer().nullIf('n/a').written({ trim: true }), ' n/a', null],
    [
      'texts of nullIf beside markers',
      integer()
        .nullIf('n/a')
        .written({ nulls: ['NA'] }),
      'NA',
      null,
    ],
    ['a null marker before the decimal comma', numeric().written({ decimal: ',', nulls: ['-'] }), '-', null],
    ['text of Excel', text().written({ excelText: true }), '="007"', '007'],
    ['text of Excel with quotes', text().written({ excelText: true }), '="a ""b"""', 'a "b"'],
    ['no half of it', text().written({ excelText: true }), '="007', '="007'],
    ['a formula of Excel', text().written({ excelText: true }), '=A1', '=A1'],
    ['a number as text of Excel', integer().written({ excelText: true }), '="7"', 7],
    ['digits that the column keeps', numeric(6, 2).written({ round: true }), '1.5', '1.5'],
    ['rounded digits behind a comma', numeric(6, 2).written({ decimal: ',', round: true }), '1,995', '2.00'],
    ['what no column keeps', numeric(3, 2).written({ round: true }), '9.999', { refused: 'OUT_OF_RANGE' }],
    ['all digits, without a scale', numeric().written({ round: true }), '0.123456789', '0.123456789'],
    ['a whole number with a zero behind it', integer().written({ round: true }), '732000000.0', 732_000_000],
    ['no number, rounded', integer().written({ round: true }), '1.2.3', { refused: 'BAD_INTEGER' }],
    ['a boolean', boolean().written({ trim: true, nulls: ['?'] }), ' yes ', true],
    ['the text of a custom type', custom('inet').written({ trim: true, nulls: ['-'] }), ' ::1 ', '::1'],
    ['a custom number', custom('money').written({ decimal: ',', thousands: '.' }), '1.234,50', '1234.50'],
  ])('%s', (_, column, source, value) => expect(verdict(column, source)).toEqual(value))

  it('a transform sees what the notation makes of the text', () => {
    const doubled = numeric()
      .written({ decimal: ',', money: true })
      .transform((each) => Number(each) * 2)
    expect(verdict(doubled, '2,50 €')).toBe('5')
    expect(verdict(doubled, '2.50 €')).toEqual({ refused: 'BAD_NUMBER' })
  })

  it('a mask sees the text after trimming, and no null marker', () => {
    const masked = text().mask(sha256())
    const written = masked.written({ trim: true, nulls: ['none'] })
    expect(verdict(written, '  a ')).toBe(verdict(masked, 'a'))
    expect(verdict(written, ' none')).toBe(null)
  })
})

describe('the notation of a layout', () => {
  const comma: Notation = { decimal: ',', thousands: '.' }

  it('holds for its field, and for no other', () => {
    expect(laidOut(numeric(), { notations: { value: comma } }, '1.234,5')).toBe('1234.5')
    expect(laidOut(numeric(), { notations: { other: comma } }, '1.234,5')).toEqual({ refused: 'BAD_NUMBER' })
    expect(laidOut(numeric().from('toString'), { notations: { value: comma } }, null)).toBe(null)
  })

  it('gives way to that of the column: in numbers as a whole, in times as a whole, else part by part', () => {
    const own = numeric().written({ thousands: ',' })
    expect(laidOut(own, { notations: { value: { ...comma, nulls: ['-'] } } }, '1,234.5')).toBe('1234.5')
    expect(laidOut(own, { notations: { value: { ...comma, nulls: ['-'] } } }, '-')).toBe(null)
    const epoch = timestamp().written({ epoch: 'ms' })
    expect(laidOut(epoch, { notations: { value: { pattern: 'DD.MM.YYYY' } } }, '0')).toBe(
      '1970-01-01T00:00:00.000000',
    )
  })

  it('refuses the values of a column that cannot hold what it says', () => {
    const clock: Notations = { notations: { value: { pattern: 'h:mm A' } } }
    expect(laidOut(date(), clock, '1:30 PM')).toEqual({ refused: 'BAD_DATE' })
    expect(laidOut(timestamp(), clock, '1:30 PM')).toEqual({ refused: 'BAD_TIMESTAMP' })
  })

  it('of every field gives way to that of a field, and holds where the type suits', () => {
    const layout: Notations = {
      notation: { ...comma, pattern: 'DD.MM.YYYY', nulls: ['NA'] },
      notations: { value: { nulls: [] } },
    }
    expect(laidOut(text(), layout, '1.234,5')).toBe('1.234,5')
    expect(laidOut(text(), layout, 'NA')).toBe('NA')
    expect(laidOut(text(), { notation: layout.notation as Notation }, 'NA')).toBe(null)
    expect(laidOut(numeric(), layout, '1.234,5')).toBe('1234.5')
    expect(laidOut(date(), layout, '14.08.2021')).toBe('2021-08-14')
    expect(laidOut(custom('inet'), layout, '::1')).toBe('::1')
    expect(laidOut(custom('numeric(9,2)'), layout, '1.234,5')).toBe('1234.5')
    expect(laidOut(custom('date'), layout, '14.08.2021')).toBe('2021-08-14')
    expect(laidOut(custom('numeric[]'), layout, '{1.5}')).toBe('{1.5}')
  })

  it.each<readonly [string, unknown]>([
    ['nothing', {}],
    ['other keys', { notation: {}, fields: ['a'] }],
  ])('that says %s is none', (_, layout) => {
    expect(notationsProblem(layout as Notations)).toBeUndefined()
    expect(notationOf(undefined, 'value', numeric().spec.type, layout as Notations)).toBeUndefined()
  })

  it.each<readonly [unknown]>([
    [{ notations: [] }],
    [{ notations: { a: 'x' } }],
    [{ notations: { a: { decimal: ';' } } }],
    [{ notations: { a: { future: true } } }],
    [{ notation: { pattern: 'x' } }],
    [{ notation: { nulls: 'NA' } }],
  ])('%j cannot be read', (layout) => expect(notationsProblem(layout as Notations)).toBeTypeOf('string'))
})

describe('a notation in a model', () => {
  it.each<readonly [Column, string]>([
    [numeric().written({ decimal: '.' as never }), 'written: decimal cannot be "."'],
    [numeric().written({ decimals: ',' } as never), 'there is no option decimals (did you mean decimal?)'],
    [numeric().written({ thousands: '.' }), "thousands: '.' needs decimal: ','"],
    [numeric().written({ thousands: ',', decimal: ',' }), 'the same sign'],
    [numeric().written({ thousands: '_' }), 'thousands is one of'],
    [numeric().written({ money: '5' }), 'money is true, or a currency'],
    [numeric().written({ pattern: 'DD.MM.YYYY' }), 'are for columns of dates and times'],
    [text().written({ decimal: ',' }), 'are for columns of numbers'],
    [date().written({ decimal: ',' }), 'are for columns of numbers'],
    [integer().written({ percent: true }), 'a percentage is a fraction'],
    [time().written({ pattern: 'DD.MM.YYYY HH:mm' }), 'a time has no date'],
    [time().written({ epoch: 's' }), 'epoch is for dates and timestamps'],
    [date().written({ epoch: 's', pattern: 'DD.MM.YYYY' }), 'do not go together'],
  ])('that can mean nothing is refused: %#', (column, problem) => {
    expect(() => define(column)).toThrow(problem)
  })

  it('is part of its fingerprint', () => {
    const prints = [
      date(),
      date().written({ pattern: 'DD.MM.YYYY' }),
      date().written({ pattern: 'MM.DD.YYYY' }),
    ].map((column) => define(column).fingerprint)
    expect(new Set(prints).size).toBe(3)
  })
})

describe('what is stated after a load was begun', () => {
  const known: Notations = {
    notation: { nulls: ['-'], trim: true },
    notations: { amount: { decimal: ',', thousands: '.', nulls: [''] }, day: { pattern: 'DD.MM.YYYY' } },
  }

  it.each<readonly [string, Notations, Notations]>([
    ['nothing changes nothing', {}, known],
    [
      'numbers of every field are those of the fields that had a form of their own',
      { notation: { decimal: '.', nulls: ['n/a'] } },
      {
        notation: { nulls: ['n/a', '-'], trim: true, decimal: '.' },
        notations: {
          amount: { nulls: ['n/a', ''], decimal: '.' },
          day: { nulls: ['n/a'], pattern: 'DD.MM.YYYY' },
        },
      },
    ],
    [
      'a field comes before every field, and may have had no form',
      { notation: { pattern: 'MM/DD/YYYY' }, notations: { day: { epoch: 's' }, at: { epoch: 'ms' } } },
      {
        notation: { nulls: ['-'], trim: true, pattern: 'MM/DD/YYYY' },
        notations: { ...known.notations, day: { epoch: 's' }, at: { epoch: 'ms' } },
      },
    ],
  ])('%s', (_, stated, both) => expect(restated(known, stated)).toEqual(both))
})
