import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { date, timestamp, timestamptz } from '../../src/model/columns.ts'
import { verdict } from './helpers.ts'

const words = [
  '',
  ' ',
  'now',
  'today',
  'tomorrow',
  'epoch',
  'infinity',
  '-infinity',
  'allballs',
  'NaN',
  'null',
  '0',
]

describe('date', () => {
  it.each([
    '0001-01-01',
    '1582-10-10',
    '1900-02-28',
    '1970-01-01',
    '2000-02-29',
    '2024-02-29',
    '2024-12-31',
    '9999-12-31',
  ])('%j is a date', (text) => expect(verdict(date(), text)).toBe(text))

  it.each([
    ...words,
    '0000-01-01',
    '0000-00-00',
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-01-32',
  ])('%j does not exist', (text) => expect(verdict(date(), text)).toEqual({ refused: 'BAD_DATE' }))

  it.each([
    '20240101',
    '01/02/2024',
    '2024/01/02',
    '24-01-02',
    '2024-01-01 ',
    ' 2024-01-01',
    '2024-01-01T00',
    '2024-01-01 00:00 ',
    '2024-01-01 00:00:00.',
    '2024-01-01 00:00 x',
    '2024-02-30 00:00',
    '12024-01-01',
    '-024-01-01',
    '2024-W01-1',
    '1 Jan 2024',
    'J2451187',
    '2024-01-01 BC',
  ])('%j is in another form', (text) => expect(verdict(date(), text)).toEqual({ refused: 'BAD_DATE' }))

  it.each([
    ['2024-01-01T00:00', '2024-01-01'],
    ['2024-01-01 00:00:00', '2024-01-01'],
    ['2024-01-01 00:00:00.0000000', '2024-01-01'],
    ['2024-01-01 00:00:01', { refused: 'PRECISION_LOST' }],
    ['2024-01-01 12:30', { refused: 'PRECISION_LOST' }],
    ['2024-01-01 00:00:00.0000001', { refused: 'PRECISION_LOST' }],
    ['2024-01-01T00:00:00Z', { refused: 'ZONE_NOT_ALLOWED' }],
    ['2024-01-01 00:00+02', { refused: 'ZONE_NOT_ALLOWED' }],
  ])('%j has a time of day: only a midnight is a date', (text, result) =>
    expect(verdict(date(), text)).toEqual(result),
  )

  it('a day that does not exist is refused after any other date', () => {
    const existing = fc
      .date({ min: new Date('1900-01-01Z'), max: new Date('2100-01-01Z'), noInvalidDate: true })
      .map((day) => day.toISOString().slice(0, 10))
    const any = fc.tuple(existing, fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 }))
    fc.assert(
      fc.property(any, ([first, month, day]) => {
        for (const year of [Number(first.slice(0, 4)), Number(first.slice(0, 4)) - 1]) {
          const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
          verdict(date(), first)
          expect(verdict(date(), text)).toEqual(exists(text) ? text : { refused: 'BAD_DATE' })
        }
      }),
      { numRuns: 1000 },
    )
    verdict(date(), '2024-03-01')
    expect(verdict(date(), '2024-02-33')).toEqual({ refused: 'BAD_DATE' })
    expect(verdict(date(), '2023-18-65')).toEqual({ refused: 'BAD_DATE' })
  })
})

function exists(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

const misshapen = [
  '2024-02-30',
  '2024-01-02T',
  '2024-01-02 ',
  '2024-01-02Z',
  '2024-01-02+02',
  '2024-01-02 03',
  '2024-01-02 3',
  '2024-01-02 003:04',
  '2024-001-02',
  '2024-1-2 24:00',
  '2024-2-30',
  '24-1-2 3:04',
  '2024-01-02 03:4',
  '2024-01-02 03:04:',
  '2024-01-02 03:04:5',
  '2024-01-02 03:04:05.',
  '2024-01-02 03:04:05,5',
  '2024-01-02 03:04.5',
  '2024-01-02  03:04',
  '2024-01-02_03:04',
  '2024-01-02 03:04:05 ',
  ' 2024-01-02 03:04:05',
  '2024-01-02 24:00',
  '2024-01-02 03:60',
  '2024-01-02 03:04:60',
  '2024-02-30 03:04',
  '0000-01-02 03:04',
  '2024-01-02 03:04 PM',
  '2024-01-02 03:04 BC',
  '20240102T030405',
  'Tue Jan 02 2024 03:04',
]

describe('a month, a day or an hour of one digit, as PostgreSQL reads it', () => {
  it.each([
    [date(), '2024-1-5', '2024-01-05'],
    [date(), '2024-01-5 0:00', '2024-01-05'],
    [date(), '2024-1-5 9:30', { refused: 'PRECISION_LOST' }],
    [timestamp(), '2024-01-05 9:30', '2024-01-05T09:30:00.000000'],
    [timestamp(), '2024-1-05T9:30:15.5', '2024-01-05T09:30:15.500000'],
    [timestamp(), '2024-1-15', '2024-01-15T00:00:00.000000'],
    [timestamp(), '2024-1-5 9:30:00Z', { refused: 'ZONE_NOT_ALLOWED' }],
    [timestamptz(), '2024-1-5 9:30:00 +02', '2024-01-05T07:30:00.000000Z'],
    [timestamptz(), '2024-1-5 9:30', { refused: 'ZONE_MISSING' }],
  ])('%# %j', (type, text, value) => expect(verdict(type, text)).toEqual(value))
})

describe('timestamp', () => {
  it.each([
    ['2024-01-02 03:04', '2024-01-02T03:04:00.000000'],
    ['2024-01-02T03:04', '2024-01-02T03:04:00.000000'],
    ['2024-01-02t03:04:05', '2024-01-02T03:04:05.000000'],
    ['2024-01-02 03:04:05.6', '2024-01-02T03:04:05.600000'],
    ['2024-01-02 03:04:05.678901', '2024-01-02T03:04:05.678901'],
    ['2024-01-02 03:04:05.678901000', '2024-01-02T03:04:05.678901'],
    ['0001-01-01 00:00:00', '0001-01-01T00:00:00.000000'],
    ['9999-12-31 23:59:59.999999', '9999-12-31T23:59:59.999999'],
    ['2024-02-29', '2024-02-29T00:00:00.000000'],
  ])('%j is %j', (text, value) => expect(verdict(timestamp(), text)).toBe(value))

  it.each([...words, ...misshapen])('%j is no timestamp', (text) =>
    expect(verdict(timestamp(), text)).toEqual({ refused: 'BAD_TIMESTAMP' }),
  )

  it.each(['Z', 'z', '+00', '-0830', ' +08:00', ' Z', ' UTC', 'gmt'])(
    'a zone (%j) is refused, not dropped',
    (zone) => {
      expect(verdict(timestamp(), `2024-01-02 03:04:05${zone}`)).toEqual({ refused: 'ZONE_NOT_ALLOWED' })
    },
  )

  it.each(['2024-01-02 03:04:05.1234567', '2024-01-02 03:04:05.0000000001'])(
    '%j would be rounded and is refused',
    (text) => {
      expect(verdict(timestamp(), text)).toEqual({ refused: 'PRECISION_LOST' })
    },
  )
})

describe('timestamptz', () => {
  it.each([
    ['Z', '2024-01-02T03:04:05.000000Z'],
    ['z', '2024-01-02T03:04:05.000000Z'],
    [' Z', '2024-01-02T03:04:05.000000Z'],
    [' UTC', '2024-01-02T03:04:05.000000Z'],
    [' GMT', '2024-01-02T03:04:05.000000Z'],
    ['UTC', '2024-01-02T03:04:05.000000Z'],
    [' utc', '2024-01-02T03:04:05.000000Z'],
    ['.5 Gmt', '2024-01-02T03:04:05.500000Z'],
    ['+00', '2024-01-02T03:04:05.000000Z'],
    ['-00:00', '2024-01-02T03:04:05.000000Z'],
    ['+08', '2024-01-01T19:04:05.000000Z'],
    ['+0800', '2024-01-01T19:04:05.000000Z'],
    ['+08:00', '2024-01-01T19:04:05.000000Z'],
    [' +08', '2024-01-01T19:04:05.000000Z'],
    ['-23:30'.replace('23', '14'), '2024-01-02T17:34:05.000000Z'],
    ['+05:45', '2024-01-01T21:19:05.000000Z'],
    ['-00:43:08', '2024-01-02T03:47:13.000000Z'],
    ['.25-0330', '2024-01-02T06:34:05.250000Z'],
    ['+15:59:59', '2024-01-01T11:04:06.000000Z'],
  ])('2024-01-02 03:04:05%s is %s', (rest, value) => {
    expect(verdict(timestamptz(), `2024-01-02 03:04:05${rest}`)).toBe(value)
    expect(verdict(timestamptz(), `2024-01-02T03:04:05${rest}`)).toBe(value)
  })

  it.each([
    '+',
    '-',
    '+8',
    '+8:00',
    '+080',
    '+08:',
    '+08:0',
    '+08:0030',
    '+0800:30',
    '+080030',
    '+16',
    '+08:60',
    '+08:00:60',
    '  +08',
    'ZZ',
    '  UTC',
    ' UTC ',
    ' UCT',
    ' GM',
    ' UTC+2',
    ' GMT+02:00',
    ' \x15TC',
    ' CET',
    ' Europe/Berlin',
    'Z+08',
    '+08Z',
    '+08 ',
    '08',
    '+08:00:00.5',
    '−08',
  ])('a zone of %j is refused', (zone) =>
    expect(verdict(timestamptz(), `2024-01-02 03:04:05${zone}`)).toEqual({ refused: 'BAD_TIMESTAMP' }),
  )

  it.each([...words, ...misshapen])('%j is no timestamp', (text) =>
    expect(verdict(timestamptz(), text)).toEqual({ refused: 'BAD_TIMESTAMP' }),
  )

  it('without a zone it is refused', () => {
    for (const text of ['2024-01-02 03:04:05', '2024-01-02'])
      expect(verdict(timestamptz(), text)).toEqual({ refused: 'ZONE_MISSING' })
  })

  it('a date alone is the midnight of its zone, behind a value of any precision', () => {
    const berlin = timestamptz({ zone: 'Europe/Berlin' })
    expect(verdict(berlin, '2024-01-02 03:04:05.1234567')).toEqual({ refused: 'PRECISION_LOST' })
    expect(verdict(berlin, '2024-07-02')).toBe('2024-07-01T22:00:00.000000Z')
  })

  it('digits beyond the microsecond are refused', () => {
    expect(verdict(timestamptz(), '2024-01-02 03:04:05.1234567Z')).toEqual({ refused: 'PRECISION_LOST' })
  })

  it.each(['0001-01-01 00:00:00+00:01', '9999-12-31 23:59:59-01'])(
    'the instant %j lies outside the years 0001 to 9999 and is refused',
    (text) => {
      expect(verdict(timestamptz(), text)).toEqual({ refused: 'OUT_OF_RANGE' })
    },
  )

  it.each([
    ['0001-01-01 00:00:00-01', '0001-01-01T01:00:00.000000Z'],
    ['0001-01-01 15:00:00+15', '0001-01-01T00:00:00.000000Z'],
    ['9999-12-31 23:59:59.999999+01', '9999-12-31T22:59:59.999999Z'],
  ])('%j lies just inside', (text, value) => expect(verdict(timestamptz(), text)).toBe(value))

  it('every instant written with every offset is that instant', () => {
    const instants = fc.date({
      min: new Date('0001-01-02Z'),
      max: new Date('9999-12-30Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(instants, fc.integer({ min: -900, max: 900 }), (instant, minutes) => {
        const local = new Date(instant.getTime() + minutes * 60_000).toISOString().slice(0, -1)
        const size = Math.abs(minutes)
        const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
        expect(verdict(timestamptz(), local + offset)).toBe(instant.toISOString().replace('Z', '000Z'))
      }),
      { numRuns: 1000 },
    )
  })
})

const two = (value: number): string => String(value).padStart(2, '0')
