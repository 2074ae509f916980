import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { date, timestamptz } from '../../src/model/columns.ts'
import { defineModel, hasZones } from '../../src/model/model.ts'
import { zoneProblem } from '../../src/model/zones.ts'

/**
 * ICU's ids of the early Java, each of which Intl takes, and what else it knows that the tz database does
 * not.
 */
const icuAlone = (
  'ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST ' +
  'SystemV/AST4 SystemV/EST5EDT SystemV/PST8PDT Etc/Unknown'
).split(' ')

const tzdata = '/usr/share/zoneinfo/tzdata.zi'

/** Names of zones (`Z NAME …`) and of links (`L TARGET NAME`) of the tz database at hand. */
function tzNames(): string[] {
  if (!existsSync(tzdata)) return []
  return [...readFileSync(tzdata, 'latin1').matchAll(/^(?:Z (\S+)|L \S+ (\S+))/gm)].map(
    ([, zone, link]) => (zone ?? link) as string,
  )
}

const isInIntl = (timeZone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}

describe('the zone of a column', () => {
  it.each([
    ...icuAlone,
    ...icuAlone.map((id) => id.toLowerCase()),
    'EDT',
    'CEST',
    'EST',
    'MST',
    'HST',
    'est',
  ])('%s is refused', (zone) => {
    expect(zoneProblem(zone)).toMatch(/write (?:a name|-\d\d:00)/)
  })

  it('is any name of the tz database that Intl has, but for standard times without a summer', () => {
    const standard = ['EST', 'MST', 'HST']
    const names = [
      ...tzNames().filter(isInIntl),
      ...Intl.supportedValuesOf('timeZone'),
      'Europe/Kiev',
      'US/Eastern',
      'Asia/Calcutta',
    ]
    expect(names.filter((name) => zoneProblem(name) !== undefined && !standard.includes(name))).toEqual([])
  })

  it.each([
    'UTC',
    'GMT',
    'utc',
    'Zulu',
    'Etc/GMT+5',
    'CET',
    'Japan',
    'GB',
    'EST5EDT',
    'europe/berlin',
    '+02:00',
    '-15:59',
    '+00:00',
  ])('%s is taken', (zone) => {
    expect(zoneProblem(zone)).toBeUndefined()
    expect(() => defineModel({ table: 't', columns: { at: timestamptz({ zone }) } })).not.toThrow()
  })

  it.each([
    '+2',
    '+0200',
    '+02',
    '+16:00',
    '+02:60',
    '−05:00',
    '+02:00 ',
    'UTC+2',
    'GMT+2',
    'Berlin',
    'Europe',
    'Europe/',
    '/Europe',
    '',
  ])('%j is refused', (zone) => expect(zoneProblem(zone)).toContain('IANA'))

  it('of the day of processing follows the same rule', () => {
    const define = (zone: string) => () =>
      defineModel({ table: 't', columns: { on: date().generated('processedOn', { zone }) } })
    expect(define('BST')).toThrow(
      "on: 'BST' is not an IANA time zone: abbreviations mean several zones: write a name such as Europe/Berlin",
    )
    expect(define('-03:00')).not.toThrow()
  })

  it('is no short word of letters that the tz database does not have', () => {
    const known = new Set(
      [...tzNames(), 'UTC', 'UCT', 'GMT', 'CET', 'EET', 'MET', 'WET', 'GB', 'NZ', 'PRC', 'ROC', 'ROK'].map(
        (name) => name.toLowerCase(),
      ),
    )
    const words = fc.string({
      unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'),
      minLength: 2,
      maxLength: 4,
    })
    fc.assert(
      fc.property(
        words,
        (word) =>
          known.has(word.toLowerCase()) ||
          ['cuba', 'eire', 'iran', 'zulu'].includes(word.toLowerCase()) ||
          zoneProblem(word) !== undefined,
      ),
    )
  })
})

it.each([
  [timestamptz({ zone: 'Africa/Casablanca' }), true],
  [date().generated('processedOn', { zone: 'Asia/Taipei' }), true],
  [timestamptz({ zone: 'CET' }), true],
  [timestamptz({ zone: '+02:00' }), false],
  [timestamptz({ zone: 'UTC' }), false],
  [timestamptz({ zone: 'Etc/GMT-3' }), false],
  [date().generated('processedOn'), false],
  [timestamptz(), false],
  [date(), false],
])(
  'a model depends on time-zone data where a column has a zone whose offset may change (%#)',
  (column, depends) => {
    expect(hasZones(defineModel({ table: 't', columns: { a: column } }))).toBe(depends)
  },
)
