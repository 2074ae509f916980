/** Blanks behind delimiters: no part of the values where they stand behind each delimiter, and a part of them elsewhere. */
import { expect, it } from 'vitest'
import { readInferred } from '../../support/inferred.ts'

const measured = (count: number) =>
  Array.from({ length: count }, (_, index) => `${index + 1}, 65.1, ${112.91 + index}`)
const read = async (lines: readonly string[]) => {
  const { records, sniffed } = await readInferred(Buffer.from(`${lines.join('\n')}\n`))
  return { last: records.at(-1), about: sniffed.decisions.map(({ about }) => about) }
}

it.each([1, 3, 5, 200])(
  'below a header, %s records of numbers are read without them, and that is said',
  async (count) => {
    const { last, about } = await read(['id, height, weight', ...measured(count)])
    expect(last).toEqual([String(count), '65.1', String(112.91 + count - 1)])
    expect(about).toContain('trim')
  },
)

it('empty cells have none', async () => {
  const { last } = await read(['id, height, weight', ...measured(4), '5,, 117', '6, 65.2,'])
  expect(last).toEqual(['6', '65.2', ''])
})

it('they stay where a value of a later record has none', async () => {
  const { last } = await read(['id, height, weight', ...measured(200), '201,65.1, 7'])
  expect(last).toEqual(['201', '65.1', ' 7'])
})

it('where nothing stands behind the delimiters, none are trimmed', async () => {
  expect((await read(['a,,', 'b,,', 'c,,'])).about).not.toContain('trim')
})
