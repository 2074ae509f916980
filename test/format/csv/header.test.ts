import { expect, it } from 'vitest'
import type { Code } from '../../../src/core/errors.ts'
import { type Dialect, defaultDialect, validateDialect } from '../../../src/format/csv/dialect.ts'
import { guessDelimiter, readHeader } from '../../../src/format/csv/header.ts'
import { bytesOf } from './helpers.ts'

const header = (text: string, dialect: Dialect = defaultDialect) => readHeader(bytesOf(text), dialect).fields
const fails = (code: Code, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string })
const caught = (call: () => unknown): unknown => {
  try {
    return call()
  } catch (error) {
    return error
  }
}

it('names are read without the spaces around them', () => {
  expect(header('a, b\t,"c d"," e ","f""g","h\ni"\r\n1,2\n')).toEqual(['a', 'b', 'c d', 'e', 'f"g', 'h\ni'])
  expect(header('größe|日', { delimiter: '|', quote: '"', header: true })).toEqual(['größe', '日'])
})

it('a header that cannot be read is refused with the place', () => {
  expect(caught(() => header(''))).toEqual(fails('HEADER_MISMATCH', /missing/))
  expect(caught(() => header('\na\n'))).toEqual(fails('HEADER_MISMATCH', /column 1 has no name/))
  expect(caught(() => header('a,\t ,c'))).toEqual(fails('HEADER_MISMATCH', /column 2 has no name/))
  expect(caught(() => header('a,b"c"'))).toEqual(fails('HEADER_MISMATCH', /quote/))
  expect(caught(() => header('a,"b\n'))).toEqual(fails('HEADER_MISMATCH', /never closed/))
  expect(caught(() => readHeader(Buffer.of(97, 44, 0xe9), defaultDialect))).toEqual(
    fails('HEADER_MISMATCH', /column 2 .* UTF-8/),
  )
})

it('a name given twice is refused, however it is written', () => {
  expect(caught(() => header('a,b,"a" '))).toEqual(fails('HEADER_MISMATCH', /quote/))
  expect(caught(() => header('a,b," a"'))).toEqual(fails('HEADER_DUPLICATE', /"a" twice, in columns 1 and 3/))
  expect(header('a,A')).toEqual(['a', 'A'])
})

it('names that a model reads are those of columns without one, and of names given twice', () => {
  const read = (text: string, wanted: readonly string[]) =>
    readHeader(bytesOf(text), defaultDialect, { wanted })
  expect(read('a,b,a', ['a', 'a_2']).fields).toEqual(['a', 'b', 'a_2'])
  expect(read(',a,', ['column_1', 'column_3'])).toMatchObject({ fields: ['column_1', 'a', 'column_3'] })
  expect(read('a,', ['a'])).toMatchObject({ fields: ['a'], isTrimmed: true, made: [] })
  expect(caught(() => read('a,b,a', ['a', 'b']))).toEqual(fails('HEADER_DUPLICATE', /twice/))
  expect(caught(() => read('a,,a', ['a', 'a_2']))).toEqual(fails('HEADER_MISMATCH', /column 2/))
})

it('the delimiter of a header is guessed for the error message', () => {
  expect(guessDelimiter(bytesOf('a,b,c\n1|2|3|4\n'))).toBe(',')
  expect(guessDelimiter(bytesOf('a;b;"c,d,e,f"\n'))).toBe(';')
  expect(guessDelimiter(bytesOf('a\tb, c\td\n'))).toBe('\t')
  expect(guessDelimiter(bytesOf('a|b'))).toBe('|')
  expect(guessDelimiter(bytesOf('alone\n1,2\n'))).toBeUndefined()
  expect(guessDelimiter(bytesOf(''))).toBeUndefined()
})

it('a dialect that could not be read is refused', () => {
  validateDialect(defaultDialect)
  validateDialect({ delimiter: '\t', quote: "'", header: false })
  const bad = [
    { delimiter: '' },
    { delimiter: '::' },
    { delimiter: 'é' },
    { delimiter: '\n' },
    { quote: '\r' },
    { quote: ',' },
    { quote: undefined },
    { header: 'yes' },
    { trim: false },
    { multiline: true },
    { blankLines: 'drop' },
  ]
  for (const part of bad) {
    expect(caught(() => validateDialect({ ...defaultDialect, ...part } as Dialect))).toEqual(
      fails('USAGE', /./),
    )
  }
})

it('the default dialect survives JSON', () => {
  expect(JSON.parse(JSON.stringify(defaultDialect))).toEqual(defaultDialect)
})
