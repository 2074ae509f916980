/** Profiles of some sources each, joined, are the profile of all of them. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Notation } from '../../../src/core/notation.ts'
import { defaultDialect } from '../../../src/format/csv/dialect.ts'
import { CsvReader } from '../../../src/format/csv/read.ts'
import { date, integer, numeric, time, timestamp, timestamptz } from '../../../src/model/columns.ts'
import { notationFor, targetOf } from '../../../src/infer/profile/notation-for.ts'
import { Profile, type ProfileFacts } from '../../../src/infer/profile/profile.ts'
import { propose } from '../../../src/infer/profile/propose.ts'
import { column } from './cells.ts'

interface Part {
  readonly name: string
  readonly fields: readonly string[]
  readonly lines: readonly string[]
  readonly notation: Notation | undefined
}

const fields = ['a', 'b', 'c']

/** Sources of a few columns, which some of them lack, with remarks and totals among the records. */
const parts: fc.Arbitrary<readonly Part[]> = fc
  .record({
    columns: fc.array(column, { minLength: fields.length, maxLength: fields.length }),
    sources: fc.array(
      fc.record({
        fields: fc.constantFrom(fields, fields, fields, ['a', 'c'], ['b'], ['c', 'b', 'a']),
        size: fc.integer({ min: 0, max: 5 }),
        last: fc.constantFrom('', '', 'Total', '#', 'kg'),
      }),
      { minLength: 1, maxLength: 5 },
    ),
    notation: fc.constantFrom<Notation | undefined>(
      undefined,
      undefined,
      { decimal: ',', thousands: '.' },
      { nulls: ['NA', '-'], trim: true },
      { pattern: 'DD/MM/YYYY' },
    ),
  })
  .map(({ columns, sources, notation }) => {
    let row = 0
    return sources.map((source, index) => {
      const lines = Array.from({ length: source.size }, () => {
        row++
        return source.fields.map((field) => {
          const cells = columns[fields.indexOf(field)] as readonly string[]
          return cells[row % cells.length] ?? ''
        })
      })
      if (source.last !== '') lines.push(source.fields.map((_, cell) => (cell === 0 ? source.last : '')))
      return {
        name: `part-${index}.csv`,
        fields: source.fields,
        lines: lines.map((cells) => cells.join(',')),
        notation,
      }
    })
  })

function profiled(sources: readonly Part[]): Profile {
  const profile = new Profile()
  for (const { name, fields: names, lines, notation } of sources) {
    profile.begin(name, names, notation === undefined ? {} : { notation })
    const reader = new CsvReader(defaultDialect, names)
    reader.open(Buffer.from(lines.map((line) => `${line}\n`).join('')))
    while (reader.next()) profile.add(reader, 2)
    profile.end()
  }
  return profile
}

function joined(states: readonly ProfileFacts[]): Profile {
  const profile = new Profile()
  for (const state of states) profile.join(structuredClone(state))
  return profile
}

/** All that is said of a profile. */
function said(profile: Profile) {
  const { columns, questions } = propose(profile)
  const targets = [numeric(), integer(), date(), timestamp(), timestamptz(), time()].map(({ spec }) =>
    targetOf(spec.type),
  )
  return {
    records: profile.records,
    faults: profile.faults,
    questions,
    columns: columns.map(({ profile: each, ...proposed }) => ({
      ...proposed,
      notations: targets.map((target) => target && notationFor(target, each, 'semicolons')),
    })),
  }
}

it('whatever the values, and wherever the sources are cut', () => {
  fc.assert(
    fc.property(parts, fc.array(fc.nat({ max: 5 }), { minLength: 2, maxLength: 2 }), (sources, cuts) => {
      const [first = 0, second = 0] = cuts.toSorted()
      const [a, b, c] = [sources.slice(0, first), sources.slice(first, second), sources.slice(second)].map(
        (part) => profiled(part).facts,
      ) as [ProfileFacts, ProfileFacts, ProfileFacts]
      const whole = said(profiled(sources))
      expect(said(joined([a, b, c]))).toEqual(whole)
      expect(said(joined([a, joined([b, c]).facts]))).toEqual(whole)
    }),
    { numRuns: 1000 },
  )
})
