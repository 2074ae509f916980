import fc from 'fast-check'
import { parse } from 'csv-parse/sync'
import { csv } from '../../src/format/csv/csv.ts'
import { csvSplitter } from '../../src/format/csv/split.ts'
import { json as jsonArray, ndjson } from '../../src/format/json/json.ts'
import { ndjsonSplitter } from '../../src/format/json/lines.ts'
import { jsonSplitter } from '../../src/format/json/split.ts'
import { dialectUnderTest } from './csv/dialects.ts'
import { formatContract, type FormatUnderTest, type Values } from '../contract/format/format.ts'

const fields = ['a', 'b', 'ä "x"']
const expected = { table: 't', names: fields, isMasked: false, problems: () => [] }

function dialect(delimiter: string): FormatUnderTest {
  const line = (values: Values) =>
    fc
      .tuple(...values.map((value) => cell(value, delimiter)), fc.constantFrom('\n', '\r\n'))
      .map((parts) => `${parts.slice(0, -1).join(delimiter)}${parts.at(-1)}`)
  return {
    format: csv,
    layout: { fields, delimiter, quote: '"' },
    fields,
    splitter: () => csvSplitter({ delimiter, header: false })('x.csv', expected),
    around: ['', ''],
    anyBody: joined('a', '"', delimiter, '\n', '\r', ' ', '\r\n', '""', `"${delimiter}`, '"\n', 'é', '\0'),
    written: (records) => fc.tuple(...records.map(line)).map((lines) => lines.join('')),
    oracle: (body) =>
      parse(body, {
        delimiter,
        record_delimiter: ['\r\n', '\n'],
        cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
      }),
  }
}

/** Objects that name their fields, in any order, with others between them. */
function json(name: 'ndjson' | 'json'): FormatUnderTest {
  const isLines = name === 'ndjson'
  const space = isLines ? fc.constantFrom('', ' ', '\t') : fc.constantFrom('', ' ', '\n', '\r\n\t')
  const object = (values: Values): fc.Arbitrary<string> => {
    const members = values.flatMap((value, index) =>
      value === null && index % 2 === 0 ? [] : [[fields[index] as string, value] as const],
    )
    const others = fc.constantFrom([], [['x', { y: [1, '}'] }] as const])
    return others
      .chain((more) =>
        fc.shuffledSubarray([...members, ...more], { minLength: members.length + more.length }),
      )
      .chain((all) => fc.tuple(...all.map(([field, value]) => member(field, value, space))))
      .map((all) => `{${all.join(',')}}`)
  }
  const between = isLines ? fc.constantFrom('\n', '\r\n', ' \n\n') : fc.constantFrom(',', ' ,\n', ',,')
  return {
    format: isLines ? ndjson : jsonArray,
    layout: { format: name, fields: [] },
    splitter: () => (isLines ? ndjsonSplitter() : jsonSplitter())('x.json', expected),
    exported: { format: ndjson, layout: { format: 'ndjson', fields: [] } },
    fields,
    around: isLines ? ['', ''] : ['[', ']'],
    anyBody: joined(
      'a',
      '"',
      '\\',
      ',',
      '\n',
      '\r',
      ' ',
      '{',
      '}',
      '[',
      ']',
      ':',
      '{"a":1}',
      '1',
      '\0',
      '\ufeff',
    ),
    written: (records) =>
      fc
        .tuple(...records.map((values) => fc.tuple(object(values), between)))
        .map((all) =>
          all.flatMap(([text, separator], index) => (index === 0 ? [text] : [separator, text])).join(''),
        ),
    oracle: (body) =>
      (isLines ? body.split('\n').filter((line) => line.trim() !== '') : elements(body)).map(valuesOf),
  }
}

const member = (field: string, value: unknown, space: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(JSON.stringify(field), escapedWhole(field)), textOf(value), space, space)
    .map(([name, text, before, behind]) => `${before}${name}${behind}:${before}${text}${behind}`)

const textOf = (value: unknown): fc.Arbitrary<string> =>
  typeof value === 'string'
    ? fc.constantFrom(JSON.stringify(value), escapedWhole(value))
    : fc.constant(JSON.stringify(value))

/** The string with every UTF-16 unit as an escape. */
const escapedWhole = (text: string): string =>
  `"${text.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`

/**
 * The texts of an array's elements, which `JSON.parse` is to read: a string that it takes ends an element.
 */
function elements(body: string): string[] {
  const found: string[] = []
  for (let rest = body.replace(/^[\s,]+/, ''); rest !== ''; rest = rest.replace(/^[\s,]+/, '')) {
    const end = Array.from(rest.matchAll(/\}/g), ({ index }) => index + 1).find((at) =>
      isJson(rest.slice(0, at)),
    )
    found.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  return found
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function valuesOf(text: string): Values {
  const object = JSON.parse(text) as Record<string, string | null>
  return fields.map((field) => object[field] ?? null)
}

const joined = (...parts: string[]) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 40 }).map((each) => each.join(''))

/** Quoted where it must be, and where it need not. */
function cell(value: string | null, delimiter: string): fc.Arbitrary<string> {
  if (value === null) return fc.constant('')
  const quoted = `"${value.replaceAll('"', '""')}"`
  const isPlain = value !== '' && !/["\r\n]/.test(value) && !value.includes(delimiter)
  return fc.constantFrom(...(isPlain ? [value, quoted] : [quoted]))
}

formatContract('CSV', dialect(','))
formatContract('TSV', dialect('\t'))
formatContract('CSV without quotes', dialectUnderTest({ quote: '', delimiter: '\t' }))
formatContract('CSV with backslashes', dialectUnderTest({ escape: '\\' }))
formatContract(
  'CSV with backslashes and no quotes',
  dialectUnderTest({ escape: '\\', quote: '', delimiter: '\t' }),
)
formatContract('CSV with comments', dialectUnderTest({ comment: '#' }))
formatContract('CSV with spaces around cells', dialectUnderTest({ trim: true }))
formatContract('CSV without line ends in cells', dialectUnderTest({ multiline: false }))
formatContract('CSV with short and long records', dialectUnderTest({ ragged: 'pad' }))
formatContract(
  'CSV with all of it',
  dialectUnderTest({ delimiter: ';', quote: "'", escape: '\\', comment: '#', trim: true, ragged: 'pad' }),
)
formatContract('NDJSON', json('ndjson'))
formatContract('JSON', json('json'))
