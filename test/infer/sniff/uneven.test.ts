/** Tables whose lines have different numbers of cells: no record is lost, and none is taken for the header. */
import { expect, it } from 'vitest'
import { readInferred } from '../../support/inferred.ts'

const read = async (lines: readonly string[]) => {
  const { fields, records, rejects } = await readInferred(Buffer.from(`${lines.join('\n')}\n`))
  return { fields, records: records.map((cells) => cells.join('|')), rejects }
}

it.each([
  ['some lines', ['1 307 2', '2 307 3 ', '3 307 4', '4 308 5']],
  ['most lines', ['1 307 2 ', '2 307 3 ', '3 307 4', '4 308 5 ']],
])('numbers with blanks between them are columns, though %s end with a blank', async (_, lines) => {
  expect(await read(lines)).toEqual({
    fields: ['column_1', 'column_2', 'column_3'],
    records: ['1|307|2', '2|307|3', '3|307|4', '4|308|5'],
    rejects: 0,
  })
})

it.each([
  ['a header', ['a b c ', '1 307 2', '2 307 3', '3 308 4']],
  ['a header of commas', ['a,b,c,', '1,307,2', '2,307,3', '3,308,4']],
])('%s that ends with a delimiter costs no record', async (_, lines) => {
  expect(await read(lines)).toEqual({
    fields: ['a', 'b', 'c'],
    records: ['1|307|2', '2|307|3', '3|308|4'],
    rejects: 0,
  })
})
