import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Notation } from '../../../src/core/notation.ts'
import { type Column, custom, date, defineModel, time, timestamp, timestamptz } from 'lading'
import { outcome, verdict } from '../helpers.ts'

const at = (pattern: string) => timestamp().written({ pattern })
const on = (pattern: string) => date().written({ pattern })

describe('dates and times by pattern', () => {
  it.each<readonly [Column, string, string]>([
    [on('DD.MM.YYYY'), '14.08.2021', '2021-08-14'],
    [on('D.M.YYYY'), '4.8.2021', '2021-08-04'],
    [on('D.M.YYYY'), '04.12.2021', '2021-12-04'],
    [on('MM/DD/YYYY'), '02/29/2024', '2024-02-29'],
    [on('YYYYMMDD'), '20210814', '2021-08-14'],
    [on('DD-MMM-YYYY'), '14-Aug-2021', '2021-08-14'],
    [on('DD-MMM-YYYY'), '14-AUG-2021', '2021-08-14'],
    [on('D. MMMM YYYY'), '3. März 2021', '2021-03-03'],
    [on('D MMM YYYY'), '3 févr. 2021', '2021-02-03'],
    [on('D MMMM YYYY'), '3 aou\u0302t 2021', '2021-08-03'],
    [on('MMMM D, YYYY'), 'September 3, 2021', '2021-09-03'],
    [on('DD.MM.YY'), '14.08.68', '2068-08-14'],
    [on('DD.MM.YY'), '14.08.69', '1969-08-14'],
    [on('DD.MM.YY'), '14.08.00', '2000-08-14'],
    [on('DD.MM.YYYY HH:mm'), '14.08.2021 00:00', '2021-08-14'],
    [at('DD.MM.YYYY'), '14.08.2021', '2021-08-14T00:00:00.000000'],
    [at('DD.MM.YYYY HH:mm'), '14.08.2021 23:59', '2021-08-14T23:59:00.000000'],
    [at('M/D/YYYY h:mm A'), '8/14/2021 12:05 AM', '2021-08-14T00:05:00.000000'],
    [at('M/D/YYYY h:mm:ss A'), '8/14/2021 12:05:09 PM', '2021-08-14T12:05:09.000000'],
    [at('M/D/YYYY hh:mm A'), '8/14/2021 01:05\u202fp.m.', '2021-08-14T13:05:00.000000'],
    [at('YYYY-MM-DDTHH:mm:ss.SSS'), '2021-08-14T01:02:03.004', '2021-08-14T01:02:03.004000'],
    [at('YYYY-MM-DD HH:mm:ss.S'), '2021-08-14 01:02:03.5', '2021-08-14T01:02:03.500000'],
    [at('YYYY-MM-DD HH:mm:ss.S'), '2021-08-14 01:02:03.123456000', '2021-08-14T01:02:03.123456'],
    [at('YYYYMMDDHHmmss'), '20210814010203', '2021-08-14T01:02:03.000000'],
    [at('DD.MM.YYYY [um] H [Uhr]'), '14.08.2021 um 7 Uhr', '2021-08-14T07:00:00.000000'],
    [at('DD.MM.YYYY (HH:mm)'), '14.08.2021 (07:30)', '2021-08-14T07:30:00.000000'],
    [
      timestamptz().written({ pattern: 'DD.MM.YYYY HH:mmZ' }),
      '14.08.2021 07:30+02:00',
      '2021-08-14T05:30:00.000000Z',
    ],
    [
      timestamptz().written({ pattern: 'DD.MM.YYYY HH:mm Z' }),
      '14.08.2021 07:30 +0200',
      '2021-08-14T05:30:00.000000Z',
    ],
    [
      timestamptz({ zone: 'Europe/Berlin' }).written({ pattern: 'DD.MM.YYYY HH:mm' }),
      '14.08.2021 07:30',
      '2021-08-14T05:30:00.000000Z',
    ],
    [time().written({ pattern: 'HH.mm' }), '07.30', '07:30:00.000000'],
    [time().written({ pattern: 'h:mm:ss.S A' }), '1:30:05.25 PM', '13:30:05.250000'],
    [custom('timetz').written({ pattern: 'h:mm A' }), '1:30 PM', '13:30:00'],
    [custom('tsrange').written({ pattern: 'DD.MM.YYYY' }), '14.08.2021', '2021-08-14'],
  ])('form %# is read', (column, text, value) => expect(verdict(column, text)).toBe(value))

  it.each<readonly [Column, string, string]>([
    [on('DD.MM.YYYY'), '31.02.2021', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '29.02.2100', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '00.01.2021', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '08/14/2021', 'BAD_DATE'],
    [on('MM/DD/YYYY'), '14/08/2021', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '4.8.2021', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '14.08.2021 ', 'BAD_DATE'],
    [on('DD.MM.YYYY'), ' 14.08.2021', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '14.08.0000', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '2021-08-14', 'BAD_DATE'],
    [on('DD.MM.YYYY'), '١٤.08.2021', 'BAD_DATE'],
    [on('DD MMM YYYY'), '14 Foo 2021', 'BAD_DATE'],
    [on('DD.MM.YYYY HH:mm'), '14.08.2021 00:01', 'PRECISION_LOST'],
    [at('DD.MM.YYYY HH:mm'), '14.08.2021 24:00', 'BAD_TIMESTAMP'],
    [at('DD.MM.YYYY HH:mm'), '14.08.2021 23:60', 'BAD_TIMESTAMP'],
    [at('DD.MM.YYYY h:mm A'), '14.08.2021 0:30 AM', 'BAD_TIMESTAMP'],
    [at('DD.MM.YYYY h:mm A'), '14.08.2021 13:30 PM', 'BAD_TIMESTAMP'],
    [at('DD.MM.YYYY h:mm A'), '14.08.2021 1:30', 'BAD_TIMESTAMP'],
    [at('YYYY-MM-DD HH:mm:ss.SSS'), '2021-08-14 01:02:03.4', 'BAD_TIMESTAMP'],
    [at('YYYY-MM-DD HH:mm:ss.S'), '2021-08-14 01:02:03.1234567', 'PRECISION_LOST'],
    [at('DD.MM.YYYY HH:mmZ'), '14.08.2021 07:30Z', 'ZONE_NOT_ALLOWED'],
    [timestamptz().written({ pattern: 'DD.MM.YYYY HH:mm' }), '14.08.2021 07:30', 'ZONE_MISSING'],
    [time().written({ pattern: 'HH.mm' }), '24.00', 'BAD_TIME'],
    [time().written({ pattern: 'HH.mm' }), '07:30', 'BAD_TIME'],
    [timestamp().written({ epoch: 's', decimal: ',' }), '1,6,7', 'BAD_NUMBER'],
  ])('form %# is refused', (column, text, refused) => expect(verdict(column, text)).toEqual({ refused }))

  it('a fault quotes the text of the source, and says how it should be written', () => {
    expect(outcome(on('DD.MM.YYYY'), '31.02.2021')).toMatchObject({
      detail: '"31.02.2021" is not a date written DD.MM.YYYY',
    })
  })

  it.each([
    ['YYYY', 'a date needs'],
    ['DD.MM.YYYY YY', 'a date needs'],
    ['DD.MM.YYYY MMM', 'a date needs'],
    ['DD.MM.YYYY DD', 'names a part twice'],
    ['DD.MM.YYYY hh:mm', 'h and hh need A'],
    ['DD.MM.YYYY HH:mm A', 'h and hh need A'],
    ['DD.MM.YYYY HH hh A', 'it has two hours'],
    ['DD.MM.YYYY mm', 'mm needs an hour'],
    ['DD.MM.YYYY HH:ss', 'ss needs mm'],
    ['DD.MM.YYYY HH:mm.SSS', 'S needs ss'],
    ['DD.MM.YYYYZ', 'Z needs a date and a time'],
    ['DMYYYY', 'where a number of one or two digits ends'],
    ['dd.mm.yyyy', 'the letter d means nothing'],
    ['', 'neither a date nor a time'],
    ['HH:mm', 'its pattern has no date'],
  ])('the pattern %j is refused with the model: %s', (pattern, problem) => {
    expect(() => defineModel({ table: 't', columns: { value: on(pattern) } })).toThrow(problem)
  })
})

/** The forms of Intl, which knows calendar and names by itself. */
describe('patterns read what Intl writes', () => {
  const instants = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2068, 11, 31) }).map((ms) => {
    return new Date(ms - (ms % 1000))
  })
  const writers: readonly (readonly [pattern: string, locale: string, Intl.DateTimeFormatOptions])[] = [
    ['DD.MM.YYYY, HH:mm:ss', 'de', { dateStyle: 'medium', timeStyle: 'medium' }],
    ['D. MMMM YYYY [um] HH:mm:ss', 'de', { dateStyle: 'long', timeStyle: 'medium' }],
    ['MMM D, YYYY, h:mm:ss A', 'en-US', { dateStyle: 'medium', timeStyle: 'medium' }],
    ['MMMM D, YYYY [at] h:mm:ss A', 'en-US', { dateStyle: 'long', timeStyle: 'medium' }],
    ['M/D/YY, h:mm:ss A', 'en-US', { dateStyle: 'short', timeStyle: 'medium' }],
    ['D MMM YYYY, HH:mm:ss', 'fr', { dateStyle: 'medium', timeStyle: 'medium' }],
    ['D MMMM YYYY [à] HH:mm:ss', 'fr', { dateStyle: 'long', timeStyle: 'medium' }],
    ['DD/MM/YYYY HH:mm:ss', 'fr', { dateStyle: 'short', timeStyle: 'medium' }],
  ]

  it.each(writers)('%s, as in %s', (pattern, locale, style) => {
    const written = new Intl.DateTimeFormat(locale, { ...style, timeZone: 'UTC' })
    const column = at(pattern)
    fc.assert(
      fc.property(instants, (instant) => {
        expect(verdict(column, written.format(instant))).toBe(instant.toISOString().replace('Z', '000'))
      }),
      {
        numRuns: 60,
        examples: Array.from({ length: 12 }, (_, month) => [new Date(Date.UTC(2021, month, 28))]),
      },
    )
  })
})

const epoch = (unit: Notation['epoch'], column: Column = timestamptz()) =>
  column.written({ epoch: unit } as Notation)

describe('counts since an epoch', () => {
  const micros = fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n)
  /** By `Date` for the milliseconds, and by hand below them. */
  const iso = (value: bigint): string => {
    const below = ((value % 1000n) + 1000n) % 1000n
    return new Date(Number((value - below) / 1000n))
      .toISOString()
      .replace('Z', `${String(below).padStart(3, '0')}Z`)
  }
  /** The count in units of 10^digits microseconds. */
  const counted = (value: bigint, digits: number): string => {
    const all = String(value < 0n ? -value : value).padStart(digits + 1, '0')
    const [whole, fraction] = [all.slice(0, all.length - digits), all.slice(all.length - digits)]
    return `${value < 0n ? '-' : ''}${whole}${/[1-9]/.test(fraction) ? `.${fraction}` : ''}`
  }

  it.each([
    ['s', 6],
    ['ms', 3],
    ['us', 0],
  ] as const)('%s: every instant of the years 0001 to 9999 comes back exactly', (unit, digits) => {
    fc.assert(
      fc.property(micros, (value) => {
        expect(verdict(epoch(unit), counted(value, digits))).toBe(iso(value))
        expect(verdict(epoch(unit, timestamp()), counted(value, digits))).toBe(iso(value).slice(0, -1))
      }),
      {
        numRuns: 60,
        examples: [[0n], [-1n], [-1_000_000n], [-62_135_596_800_000_000n], [253_402_300_799_999_999n]],
      },
    )
  })

  it.each<readonly [Column, string, unknown]>([
    [epoch('s'), '1609459200.1234560', '2021-01-01T00:00:00.123456Z'],
    [epoch('s'), '1609459200.1234567', { refused: 'PRECISION_LOST' }],
    [epoch('ms'), '1609459200000', '2021-01-01T00:00:00.000000Z'],
    [epoch('ms'), '1609459200000.5', '2021-01-01T00:00:00.000500Z'],
    [epoch('us'), '1609459200000000.5', { refused: 'PRECISION_LOST' }],
    [epoch('ms'), '1.6094592E+12', { refused: 'BAD_TIMESTAMP' }],
    [epoch('s'), '', { refused: 'BAD_TIMESTAMP' }],
    [epoch('s'), '253402300800', { refused: 'BAD_TIMESTAMP' }],
    [epoch('ms', date()), '1609459200000', '2021-01-01'],
    [epoch('ms', date()), '1609459200001', { refused: 'PRECISION_LOST' }],
    [timestamptz().written({ epoch: 's', decimal: ',' }), '1609459200,5', '2021-01-01T00:00:00.500000Z'],
    [epoch('s', custom('timestamptz')), '0', '1970-01-01 00:00:00Z'],
    [epoch('s', custom('timestamp(3)')), '0', '1970-01-01 00:00:00'],
  ])('count %# is what its unit says', (column, text, value) => expect(verdict(column, text)).toEqual(value))
})

describe("days of Excel's 1900 calendar", () => {
  const excel = (text: string, column: Column = timestamp()) => verdict(epoch('excel', column), text)

  it.each<readonly [string, unknown]>([
    ['1', '1900-01-01'],
    ['59', '1900-02-28'],
    // Excel has a 29 February 1900.
    ['60', { refused: 'BAD_DATE' }],
    ['61', '1900-03-01'],
    ['25569', '1970-01-01'],
    ['44197', '2021-01-01'],
    ['2958465', '9999-12-31'],
    ['2958466', { refused: 'BAD_DATE' }],
    ['0', { refused: 'BAD_DATE' }],
    ['-1', { refused: 'BAD_DATE' }],
    ['44197.5', { refused: 'PRECISION_LOST' }],
    ['4.4197E+4', { refused: 'BAD_DATE' }],
  ])('%s is %j', (text, value) => expect(excel(text, date())).toEqual(value))

  it.each<readonly [string, unknown]>([
    ['44197.5', '2021-01-01T12:00:00.000000'],
    ['44197.3333333333', '2021-01-01T08:00:00.000000'],
    ['44197.333333333336', '2021-01-01T08:00:00.000000'],
    ['44197.00001', '2021-01-01T00:00:00.864000'],
    ['44197.12345678', '2021-01-01T02:57:46.665792'],
    ['44197.99999999999', '2021-01-02T00:00:00.000000'],
    ['88182.0563432407', '2141-06-06T01:21:08.056000'],
    ['44197.12345678912', { refused: 'PRECISION_LOST' }],
  ])('%s is %j', (text, value) => expect(excel(text)).toEqual(value))

  it('every millisecond comes back from the 15 digits that Excel writes, and from a double', () => {
    const ms = fc.integer({ min: Date.UTC(1900, 2, 1), max: Date.UTC(2173, 9, 13) })
    fc.assert(
      fc.property(ms, (value) => {
        const days = value / 86_400_000 + 25_569
        const expected = new Date(value).toISOString().replace('Z', '000')
        expect(excel(String(Number(days.toPrecision(15))))).toBe(expected)
        expect(excel(String(days))).toBe(expected)
      }),
      { numRuns: 60 },
    )
  })
})
