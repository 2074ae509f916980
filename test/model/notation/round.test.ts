/** `round`: as PostgreSQL rounds, and whatever the database. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigint, custom, doublePrecision, integer, numeric, text } from '../../../src/index.ts'
import { unsuited } from '../../../src/model/notation/notation.ts'
import { roundedTo, scaleOf } from '../../../src/model/notation/round.ts'
import { describePostgres } from '../../../tooling/servers/database.ts'
import { Fixture, query } from '../../support/fixture.ts'
import { Folder } from '../../cli/run.ts'

const digits = fc.stringMatching(/^(0|[1-9]\d{0,14})$/)
const texts = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits,
    fc.stringMatching(/^(\.\d{0,12})?$/),
    fc.constantFrom('', '', 'e2', 'E-3', 'e+0', 'e-20', 'e15'),
  )
  .map((parts) => parts.join(''))

describePostgres('PostgreSQL', () => {
  it('gives the same numbers, with the digits that a column keeps', async () => {
    await using fixture = await Fixture.open('postgres')
    const sample = fc.sample(fc.tuple(texts, fc.constantFrom(0, 1, 2, 8)), 2000)
    const rows = await query<{ rounded: string }>(
      fixture.target.url,
      `SELECT round(text::numeric, scale)::text AS rounded
       FROM json_to_recordset('${JSON.stringify(sample.map(([given, scale]) => ({ text: given, scale })))}') AS given(text text, scale int)`,
    )
    const [of, exact] = [(each: string) => Number(each), (each: string) => each.replace(/^-(?=[0.]*$)/, '')]
    for (const [index, [given, scale]] of sample.entries()) {
      const expected = rows[index]?.rounded ?? ''
      const rounded = roundedTo(scale, given)
      expect([given, scale, of(exact(rounded))]).toEqual([given, scale, of(expected)])
      if (rounded !== given) expect([given, scale, rounded]).toEqual([given, scale, expected])
    }
  })
})

describe('what is rounded', () => {
  it('are whole numbers and those with a scale; of others all digits are kept', () => {
    const scales = [integer(), bigint(), custom('smallint'), numeric(5, 3), numeric(5), numeric()]
    expect(scales.map(({ spec }) => scaleOf(spec.type))).toEqual([0, 0, 0, 3, 0, undefined])
    const others = [doublePrecision(), custom('money'), custom('int[]')]
    expect(others.map(({ spec }) => scaleOf(spec.type))).toEqual([undefined, undefined, undefined])
  })

  it('are no texts', () => {
    expect([...unsuited({ round: true }, text().spec.type)]).toEqual(['round is for columns of numbers'])
  })

  it('are the numbers of a file, and of its rejects, for which the option is named', async () => {
    await using folder = await Folder.make({
      'geo.csv': 'id,lat\n1.0,-23.546081\n2,1.5\n3,x\n',
      'one.csv': 'id,lat\n4,2.5\n',
    })
    await folder.lading('load', 'one.csv', '--table', 'geo', '--columns', 'lat:numeric(8,4)')
    const run = await folder.lading('load', 'geo.csv')
    expect(run.code, run.err).toBe(3)
    expect((await folder.lading('rejects', 'show', '1')).out).toContain('--round')
    await folder.lading('rejects', 'replay', '--round')
    expect(folder.sql('SELECT id, lat FROM geo ORDER BY id')).toEqual([
      { id: 1, lat: '-23.5461' },
      { id: 2, lat: '1.5' },
      { id: 4, lat: '2.5' },
    ])
  })
})
