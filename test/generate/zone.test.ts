import { describe, expect, it } from 'vitest'
import { Clock, timeLength } from '../../src/generate/clock.ts'
import { offsetsOf, Periods, startInstant } from '../../src/generate/zone.ts'

const hour = 3_600_000

function start(text: string, zone: string): string {
  return new Date(startInstant(text, offsetsOf(zone))).toISOString()
}

/** The texts of `count` instants from a start on. */
function times(text: string, zone: string, interval: number, count: number): string[] {
  const offsetAt = offsetsOf(zone)
  const first = startInstant(text, offsetAt)
  const clock = new Clock(new Periods(offsetAt, first))
  const bytes = new Uint8Array(timeLength)
  return Array.from({ length: count }, (_, i) => {
    clock.write(bytes, first + i * interval)
    return Buffer.from(bytes).toString('latin1')
  })
}

describe('the start', () => {
  it.each([
    ['2021-01-01', 'Asia/Taipei', '2020-12-31T16:00:00.000Z'],
    ['2021-01-01T08:30', 'Asia/Taipei', '2021-01-01T00:30:00.000Z'],
    ['2021-01-01 08:30:15.25', 'Asia/Taipei', '2021-01-01T00:30:15.250Z'],
    ['2021-07-01', 'Europe/Berlin', '2021-06-30T22:00:00.000Z'],
    ['2024-02-29', 'UTC', '2024-02-29T00:00:00.000Z'],
    ['0099-01-01', 'UTC', '0099-01-01T00:00:00.000Z'],
  ])('%s is local time of %s', (text, zone, instant) => expect(start(text, zone)).toBe(instant))

  it.each([
    ['2021-01-01T00:00:00Z', '2021-01-01T00:00:00.000Z'],
    ['2021-01-01T00:00:00.5-03:30', '2021-01-01T03:30:00.500Z'],
    ['2021-01-01T00:00+0100', '2020-12-31T23:00:00.000Z'],
    ['2021-01-01T00:00+01', '2020-12-31T23:00:00.000Z'],
  ])('the offset of %s comes before the zone', (text, instant) =>
    expect(start(text, 'Asia/Taipei')).toBe(instant),
  )

  it('a local time that happened twice is the first', () => {
    expect(start('2021-10-31T02:30', 'Europe/Berlin')).toBe('2021-10-31T00:30:00.000Z')
  })

  it('a midnight that never happened is the first instant of its day', () => {
    expect(start('2018-11-04', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z')
  })

  const wrong = [
    '',
    'today',
    '2021-02-30',
    '2021-13-01',
    '2021-1-1',
    '2021-01-01T24:00',
    '2021-01-01T10:60',
    '2021-01-01T00:00+25:00',
  ]
  it.each(wrong)('%j is refused in one line', (text) => {
    expect(() => start(text, 'UTC')).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('\n') }) as Error,
    )
  })

  it.each(['Asia/Taipeh', '', 'a\nb'])('the zone %j is refused in one line', (zone) => {
    expect(() => start('2021-01-01', zone)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('\n') }) as Error,
    )
  })
})

describe('the text of a time', () => {
  it('the offset changes at the very instant at which the zone changes it', () => {
    expect(times('2021-03-28T01:59:59.998', 'Europe/Berlin', 1, 3)).toEqual([
      '2021-03-28T01:59:59.998+01:00',
      '2021-03-28T01:59:59.999+01:00',
      '2021-03-28T03:00:00.000+02:00',
    ])
    expect(times('2021-04-04T01:59:00', 'Australia/Lord_Howe', 60_000, 2)).toEqual([
      '2021-04-04T01:59:00.000+11:00',
      '2021-04-04T01:30:00.000+10:30',
    ])
  })

  it('a day that a zone left out is left out', () => {
    expect(times('2011-12-29T23:00', 'Pacific/Apia', hour, 2)).toEqual([
      '2011-12-29T23:00:00.000-10:00',
      '2011-12-31T00:00:00.000+14:00',
    ])
  })

  it('offsets that had seconds are cut to minutes and the instant stays right', () => {
    expect(times('1971-01-01T00:00:00Z', 'Africa/Monrovia', 1, 1)).toEqual(['1970-12-31T23:16:00.000-00:44'])
  })

  const zones = [
    'Europe/Berlin',
    'America/St_Johns',
    'Africa/Casablanca',
    'Asia/Taipei',
    'Antarctica/Troll',
    'America/Sao_Paulo',
  ]
  describe.each(zones)('in %s', (zone) => {
    it.each([61_001, 977_777, 13 * hour + 7, 40 * 24 * hour])(
      'instants %i ms apart are what their texts mean, with the offset of the zone',
      (interval) => {
        const offsetAt = offsetsOf(zone)
        const first = startInstant('2007-06-01', offsetAt)
        const texts = times('2007-06-01', zone, interval, 3000)
        for (const [i, text] of texts.entries()) {
          const instant = first + i * interval
          const local = new Date(instant + offsetAt(instant)).toISOString().slice(0, 23)
          expect([Date.parse(text), text.slice(0, 23)]).toEqual([instant, local])
        }
      },
    )
  })
})

it('a clock may go back, over a change of offset too', () => {
  const offsetAt = offsetsOf('Europe/Berlin')
  const first = startInstant('2021-03-28', offsetAt)
  const clock = new Clock(new Periods(offsetAt, first))
  const bytes = new Uint8Array(timeLength)
  for (const hours of [0, 4, 0, 2400, 4, 0]) {
    clock.write(bytes, first + hours * hour)
    expect(Date.parse(Buffer.from(bytes).toString('latin1'))).toBe(first + hours * hour)
  }
  expect(Buffer.from(bytes).toString('latin1')).toBe('2021-03-28T00:00:00.000+01:00')
})
