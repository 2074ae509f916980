/**
 * Texts that a pattern may try to match from each of their characters on. If that took the square of their length, none of these tests
 * would end within its limit.
 */
import { expect, it } from 'vitest'
import { withoutBlanks } from '../../src/core/text.ts'
import { decodedBody } from '../../src/consumer/encoding.ts'
import { readHeader } from '../../src/format/csv/header.ts'
import { jsonRecord } from '../../src/format/json/record.ts'
import { inspect } from '../../src/infer/inspect.ts'
import { readInferred, sourceOf } from '../support/inferred.ts'

const long = 1_000_000
const blanks = ' '.repeat(long)

it('blanks around a text are taken off, those within it stay', () => {
  expect(withoutBlanks(` \t a${blanks}b\t `)).toBe(`a${blanks}b`)
  expect(withoutBlanks(blanks)).toBe('')
  expect(withoutBlanks('a\n')).toBe('a\n')
})

it('a body that is no base64 is refused, whatever is in it', async () => {
  for (const body of [`${blanks}!`, `a=${blanks}=!`, `${'='.repeat(long)}a`]) {
    const found = await decodedBody(Buffer.from(body), { 'content-encoding': 'base64' })
    expect(found).toMatchObject({ code: 'CONTENT_ENCODING' })
  }
  const lines = `${Buffer.from('a text').toString('base64')}\n${blanks}`
  expect(String(await decodedBody(Buffer.from(lines), { 'content-encoding': 'base64' }))).toBe('a text')
})

it('a name of a header may hold any number of blanks', () => {
  const dialect = { delimiter: ',', quote: '"' }
  expect(readHeader(Buffer.from(` a${blanks}b ,c\n`), dialect).fields).toEqual([`a${blanks}b`, 'c'])
})

it('a record of JSON may', () => {
  const record = `{"a":"${blanks}"}`
  expect(jsonRecord.trimmed(Buffer.from(`\n${record}\n`), { fields: [] }).toString()).toBe(record)
})

it.each([
  ['blanks', `a,b\n1,x${' '.repeat(500_000)}y\n2,z\n`],
  ['one name for each column, in quotes', `a${',"a"'.repeat(80_000)}\n1\n`],
  ['quotes that open and close nothing', `a${",'a".repeat(40_000)}\n1\n`],
  ['blanks behind a total', `a;b\n1;2\nTotal${' '.repeat(60_000)}x;2\n`],
  [
    'one word, and bytes that are no UTF-8',
    Buffer.concat([Buffer.alloc(500_000, 'a'), Buffer.from(' x\xe9\n1\n', 'latin1')]),
  ],
])('a file without a description that holds %s is read', async (_, file) => {
  await expect(readInferred(Buffer.from(file))).resolves.toBeDefined()
})

it('a table of 20,000 columns is found in the time of its columns', async () => {
  const cells = Array.from({ length: 20_000 }, (_, index) => index)
  const file = Buffer.from(`${cells.map((index) => `c${index}`).join(',')}\n${cells.join(',')}\n`)
  const { model, outcome } = await inspect(sourceOf(file), {}, 'wide')
  expect([model.columns.length, outcome.records, outcome.rejected]).toEqual([cells.length, 1, 0])
})
