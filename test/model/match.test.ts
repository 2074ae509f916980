import { expect, it } from 'vitest'
import { text } from '../../src/model/columns.ts'
import { columnNames, matchFields } from '../../src/model/match.ts'

const fields = ['First Name', 'first_name']

/** In a table with the columns. */
function match(names: readonly string[], columns: readonly string[]) {
  const { type } = text().spec
  const column = { type, shown: 'text', notNull: false, hasDefault: false, generated: false }
  return matchFields(names, { columns: columns.map((name) => ({ ...column, name })) }, {})
}

function filled(
  names: readonly string[],
  columns: readonly string[] = columnNames(fields),
): Readonly<Record<string, string>> {
  const { matched, problems } = match(names, columns)
  expect(problems).toEqual([])
  return Object.fromEntries(matched.map((each) => [each.field, each.column]))
}

it('fields of one name find the columns that were made for them, and one of them alone that without a number', () => {
  expect(filled(fields)).toEqual({ 'First Name': 'first_name_2', first_name: 'first_name' })
  expect(filled(fields.toReversed())).toEqual({ 'First Name': 'first_name_2', first_name: 'first_name' })
  expect(filled(['First Name'])).toEqual({ 'First Name': 'first_name' })
  expect(filled(['first_name'])).toEqual({ first_name: 'first_name' })
})

const sales = ['id', 'Sales (EUR)', 'Sales (USD)', 'Sales']

it('fields that differ by their units alone keep them in their names', () => {
  expect(columnNames(sales)).toEqual(['id', 'sales_eur', 'sales_usd', 'sales'])
  expect(columnNames(['cs(Referer)', 'cs(User-Agent)', '[Net] Price (EUR)'])).toEqual([
    'cs_referer',
    'cs_user_agent',
    'price',
  ])
  expect(filled(sales.slice(2), columnNames(sales))).toEqual({ 'Sales (USD)': 'sales_usd', Sales: 'sales' })
  expect(filled(['Sales (CHF)'], ['sales'])).toEqual({ 'Sales (CHF)': 'sales' })
  expect(match(['id', 'Sales (CHF)'], columnNames(sales.slice(0, 3))).problems).toEqual([
    expect.stringContaining('field Sales (CHF) has no column'),
  ])
})

const signs = ['A+', 'A-', 'A']

it('fields that differ by their signs alone find their columns all together, and some of them are refused', () => {
  const made = columnNames(signs)
  expect(made.toSorted()).toEqual(['a', 'a_2', 'a_3'])
  expect(filled(signs, made)).toEqual(Object.fromEntries(signs.map((name, index) => [name, made[index]])))
  expect(filled(signs.toReversed(), made)).toEqual(filled(signs, made))
  for (const some of [['A-'], ['A-', 'A+'], ['cs(User-Agent)']])
    expect(match(some, some[0] === 'A-' ? made : ['cs', 'cs_2']).problems[0]).toMatch(
      /could be column (a or a_2 or a_3|cs or cs_2) /,
    )
})

it('a name of any length is cut to what a database takes, at a character', () => {
  expect(columnNames(['é'.repeat(1_000_000)])).toEqual(['é'.repeat(31)])
  expect(columnNames([`${'a'.repeat(61)}é`, `${'a'.repeat(62)}é`])).toEqual([
    `${'a'.repeat(61)}é`,
    'a'.repeat(62),
  ])
})
