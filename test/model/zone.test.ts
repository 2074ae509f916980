import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timestamptz } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { ValueWriter } from '../../src/model/value-writer.ts'
import { verdict } from './helpers.ts'

const hour = 3600
const day = 24 * hour

describe('a local time of the zone that the column states', () => {
  it.each([
    ['Europe/Berlin', '2024-10-27 01:59:59', '2024-10-26T23:59:59.000000Z'],
    ['Europe/Berlin', '2024-10-27 03:00', '2024-10-27T02:00:00.000000Z'],
    ['Europe/Berlin', '2024-03-31 01:59:59.999999', '2024-03-31T00:59:59.999999Z'],
    ['Europe/Berlin', '2024-03-31 03:00', '2024-03-31T01:00:00.000000Z'],
    ['Asia/Taipei', '2024-06-01 08:00', '2024-06-01T00:00:00.000000Z'],
    ['America/New_York', '2024-07-04T12:00', '2024-07-04T16:00:00.000000Z'],
    ['Australia/Lord_Howe', '2024-10-06 02:30', '2024-10-05T15:30:00.000000Z'],
    ['Australia/Lord_Howe', '2024-04-07 01:29:59', '2024-04-06T14:29:59.000000Z'],
    ['Africa/Monrovia', '1919-02-28 12:00:00', '1919-02-28T12:43:08.000000Z'],
    ['Africa/Monrovia', '1919-03-02 12:00:00', '1919-03-02T12:44:30.000000Z'],
    ['Pacific/Apia', '2011-12-29 23:59:59', '2011-12-30T09:59:59.000000Z'],
    ['Pacific/Apia', '2011-12-31 00:00', '2011-12-30T10:00:00.000000Z'],
    ['Pacific/Kiritimati', '2024-01-01 00:00', '2023-12-31T10:00:00.000000Z'],
    ['+02:00', '2024-07-04 12:00', '2024-07-04T10:00:00.000000Z'],
    ['-05:30', '2024-07-04 22:00', '2024-07-05T03:30:00.000000Z'],
    ['UTC', '0001-01-01 00:00', '0001-01-01T00:00:00.000000Z'],
    ['America/New_York', '0001-01-01 00:00', '0001-01-01T04:56:02.000000Z'],
    ['Asia/Taipei', '9999-12-31 23:59:59', '9999-12-31T15:59:59.000000Z'],
  ])('%s %s is %s', (zone, text, value) => expect(verdict(timestamptz({ zone }), text)).toBe(value))

  it.each([
    ['Europe/Berlin', '2024-10-27 02:00'],
    ['Europe/Berlin', '2024-10-27 02:30'],
    ['Europe/Berlin', '2024-10-27 02:59:59.999999'],
    ['America/New_York', '2024-11-03 01:30'],
    ['Australia/Lord_Howe', '2024-04-07 01:30'],
    ['Africa/Monrovia', '1919-02-28 23:59:00'],
  ])('%s %s happened twice and is refused', (zone, text) => {
    expect(verdict(timestamptz({ zone }), text)).toEqual({ refused: 'LOCAL_TIME_AMBIGUOUS' })
  })

  it.each([
    ['Europe/Berlin', '2024-03-31 02:00'],
    ['Europe/Berlin', '2024-03-31 02:30'],
    ['America/New_York', '2024-03-10 02:59:59'],
    ['Australia/Lord_Howe', '2024-10-06 02:29'],
    ['Pacific/Apia', '2011-12-30 00:00'],
    ['Pacific/Apia', '2011-12-30 12:00'],
    ['Africa/Monrovia', '1972-01-07 00:30:00'],
  ])('%s %s never happened and is refused', (zone, text) => {
    expect(verdict(timestamptz({ zone }), text)).toEqual({ refused: 'LOCAL_TIME_MISSING' })
  })

  it.each(['0001-01-01 00:00', '0001-01-01 07:59'])(
    'in the first hours of the calendar (%s) the instant is refused',
    (text) => {
      expect(verdict(timestamptz({ zone: 'Asia/Taipei' }), text)).toEqual({ refused: 'OUT_OF_RANGE' })
    },
  )

  it('in the last hours of the calendar the instant is refused', () => {
    expect(verdict(timestamptz({ zone: 'America/New_York' }), '9999-12-31 23:00')).toEqual({
      refused: 'OUT_OF_RANGE',
    })
  })

  it('an offset in the text comes before the zone', () => {
    const column = timestamptz({ zone: 'Europe/Berlin' })
    expect(verdict(column, '2024-10-27 02:30+02')).toBe('2024-10-27T00:30:00.000000Z')
    expect(verdict(column, '2024-10-27 02:30+01')).toBe('2024-10-27T01:30:00.000000Z')
  })
})

const formats = new Map<string, Intl.DateTimeFormat>()

/** Local seconds of an instant, as if they were UTC, by way of Intl's own text. */
function localOf(zone: string, instant: number): number {
  let format = formats.get(zone)
  if (format === undefined)
    formats.set(
      zone,
      (format = new Intl.DateTimeFormat('sv-SE', {
        timeZone: zone,
        dateStyle: 'short',
        timeStyle: 'medium',
      })),
    )
  return Date.parse(`${format.format(instant * 1000).replace(' ', 'T')}Z`) / 1000
}

/** All instants that a local time is, found by trying every offset of the days around it. */
function meanings(zone: string, local: number): number[] {
  const around = Array.from({ length: 53 }, (_, i) => local + (i - 26) * hour)
  const offsets = new Set(around.map((instant) => localOf(zone, instant) - instant))
  return [...offsets].map((offset) => local - offset).filter((instant) => localOf(zone, instant) === local)
}

const isoSeconds = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19)

/** A column read over and over, so that what a zone remembers is put to the test as well. */
const readers = new Map<string, (text: string) => unknown>()

function reader(zone: string): (text: string) => unknown {
  const model = defineModel({ table: 't', columns: { at: timestamptz({ zone }) } })
  const decode = timestamptz({ zone }).spec.type.decoder()
  return (text) => {
    const writer = new ValueWriter(model)
    writer.startRow()
    return decode(Buffer.from(text), 0, text.length, writer)?.code ?? writer.values[0]
  }
}

function expectMeaning(zone: string, local: number): void {
  const read = readers.get(zone) ?? reader(zone)
  readers.set(zone, read)
  const found = meanings(zone, local)
  const expected =
    found.length === 1
      ? `${isoSeconds(found[0] as number)}.000000Z`
      : found.length === 0
        ? 'LOCAL_TIME_MISSING'
        : 'LOCAL_TIME_AMBIGUOUS'
  expect(`${zone} ${isoSeconds(local)} ${String(read(isoSeconds(local)))}`).toBe(
    `${zone} ${isoSeconds(local)} ${expected}`,
  )
}

/** The first instant with another offset than `from` has, undefined where `to` has the same. */
function changeBetween(zone: string, from: number, to: number): number | undefined {
  const offset = (instant: number) => localOf(zone, instant) - instant
  const before = offset(from)
  if (offset(to) === before) return undefined
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (offset(middle) === before) from = middle
    else to = middle
  }
  return to
}

describe('in any zone', () => {
  const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'))
  const instants = fc.integer({ min: Date.parse('1850-01-01') / 1000, max: Date.parse('2100-01-01') / 1000 })

  it('a local time is its instant, or refused where it has none or two', () => {
    fc.assert(
      fc.property(zones, instants, (zone, instant) => expectMeaning(zone, localOf(zone, instant))),
      { numRuns: 1000 },
    )
  })

  it('so it is around every change of the offset', () => {
    const near = fc.array(fc.integer({ min: -2 * day, max: 2 * day }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(
        zones,
        instants,
        near,
        fc.integer({ min: -2 * hour, max: 2 * hour }),
        (zone, from, distances, close) => {
          const change = changeBetween(zone, from, from + 200 * day)
          if (change === undefined) return
          for (const distance of [...distances, close, 0, -1])
            expectMeaning(zone, localOf(zone, change) + distance)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
