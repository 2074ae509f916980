import { expect, it } from 'vitest'
import { text } from '../../src/model/columns.ts'
import { columnNames, matchFields } from '../../src/model/match.ts'

const fields = ['First Name', 'first_name']

function filled(names: readonly string[]): Readonly<Record<string, string>> {
  const { type } = text().spec
  const column = { type, shown: 'text', notNull: false, hasDefault: false, generated: false }
  const columns = columnNames(fields).map((name) => ({ ...column, name }))
  const { matched, problems } = matchFields(names, { columns }, {})
  expect(problems).toEqual([])
  return Object.fromEntries(matched.map((match) => [match.field, match.column]))
}

it('fields of one name find the columns that were made for them, and one of them alone that without a number', () => {
  expect(filled(fields)).toEqual({ 'First Name': 'first_name_2', first_name: 'first_name' })
  expect(filled(fields.toReversed())).toEqual({ 'First Name': 'first_name_2', first_name: 'first_name' })
  expect(filled(['First Name'])).toEqual({ 'First Name': 'first_name' })
  expect(filled(['first_name'])).toEqual({ first_name: 'first_name' })
})
