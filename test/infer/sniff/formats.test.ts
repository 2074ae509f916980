/** Rows of formats below a header, as RDB files have them. */
import { expect, it } from 'vitest'
import { readInferred } from '../../support/inferred.ts'

const read = async (...lines: readonly string[]) => {
  const { fields, records, rejects, sniffed } = await readInferred(Buffer.from(`${lines.join('\n')}\n`))
  const { questions, decisions } = sniffed
  const said = decisions.filter(({ about }) => about === 'formats').map(({ line }) => line)
  return { fields, records: records.map((cells) => cells.join('|')), rejects, questions, said }
}

it.each([
  ['one record', ['GS\t0471\t2020-05-01\t1.5']],
  ['several records', ['GS\t0471\t2020-05-01\t1.5', 'GS\t0471\t2020-05-02\t', 'GS\t0471\t2020-05-03\t2']],
  ['no record', []],
])('a row of formats is left out above %s, and that is said', async (_, records) => {
  const lines = ['# station 0471', '#', 'agency\tsite\tday\tlevel', '5s\t15s\t20d\t14n', ...records]
  expect(await read(...lines)).toEqual({
    fields: ['agency', 'site', 'day', 'level'],
    records: records.map((line) => line.replaceAll('\t', '|')),
    rejects: 0,
    questions: [],
    said: [4],
  })
})

it.each([
  ['records are written like it', ['first\tsecond', '5s\t10s', '6s\t12s']],
  ['a cell is none', ['name\tspan', 'Ann\t10s', 'Bob\tx']],
])('a row is no row of formats where %s', async (_, lines) => {
  const { records, said } = await read(...lines)
  expect(records).toEqual(lines.slice(1).map((line) => line.replaceAll('\t', '|')))
  expect(said).toEqual([])
})
