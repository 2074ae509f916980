import { expect, it } from 'vitest'
import type { Layout } from '../../src/core/load.ts'
import { csv } from '../../src/format/csv/csv.ts'
import { csvSplitter } from '../../src/format/csv/split.ts'
import {
  addFormat,
  formatOf,
  formatOfPath,
  type FormatOptions,
  otherSuffixes,
  splitterFor,
  splittersFor,
  suffixesOf,
} from '../../src/format/registry.ts'

it.each<[FormatOptions, RegExp]>([
  [{ format: 'xml' }, /^format is csv, tsv, ndjson, json, and not "xml"$/],
  [
    { format: 'json', dialect: { skipLines: 1 } },
    /^skipLines \(--skip-lines\) is for CSV and TSV; format json/,
  ],
  [{ format: 'ndjson', dialect: { multiline: false } }, /^multiline \(--no-multiline\) is for CSV and TSV/],
  [{ format: 'csv', records: 'd[]' }, /^records \(--records\) is for JSON and NDJSON, and not for csv$/],
  [{ format: 'tsv', unwrap: ['sns'] }, /^unwrap \(--unwrap\) is for JSON and NDJSON, and not for tsv$/],
])('options that do not belong to the format are refused before a file is opened: %j', (options, message) => {
  expect(() => splittersFor(options)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) as string }),
  )
})

it('a format does not take the name of another', () => {
  expect(() => addFormat(csv, { suffixes: [], splitter: () => () => expect.fail() })).toThrow(
    expect.objectContaining({ code: 'USAGE', message: 'there is a format csv already' }),
  )
})

it('a format that was added is known by its name and by the suffixes of its files', () => {
  const added = { ...csv, name: 'pipes' }
  const splitter = csvSplitter({ delimiter: '|', names: ['a'], header: false })
  addFormat(added, { suffixes: ['pipes'], splitter: () => splitter })
  expect(formatOf({ format: 'pipes', fields: ['a'], delimiter: '|', quote: '"' } as Layout)).toBe(added)
  expect([suffixesOf('pipes'), otherSuffixes(), formatOfPath('x.pipes.gz')]).toEqual([
    ['pipes'],
    expect.arrayContaining(['pipes', 'json']),
    'pipes',
  ])
  const expected = { table: 't', names: ['a'], isMasked: false, problems: () => [] }
  expect(splitterFor({}, 'x.pipes', expected).layout).toMatchObject({ delimiter: '|', fields: ['a'] })
  expect(splittersFor({ format: 'pipes' })('x', expected).layout).toMatchObject({ delimiter: '|' })
})

it.each([
  { delimiter: ';;' },
  { quote: 'é' },
  { escape: '"' },
  { comment: '##' },
  { ragged: 'fill' },
  { trim: false },
  { multiline: true },
  { escape: '\\', delimiter: 'n' },
])('a layout that a message states, and by which no file can be written, belongs to no format: %j', (odd) => {
  const layout = { fields: ['a'], delimiter: ',', quote: '"' }
  expect(formatOf(layout)?.name).toBe('csv')
  expect(formatOf({ ...layout, ...odd } as typeof layout)).toBeUndefined()
})

it.each([{ records: 'd[0]' }, { records: 5 }, { unwrap: 'sns' }, { unwrap: ['soap'] }])(
  'a layout of JSON that a message states, and whose records stand nowhere, belongs to no format: %j',
  (odd) => {
    const layout = { format: 'json', fields: [] }
    expect(formatOf(layout)?.name).toBe('json')
    expect(formatOf({ ...layout, ...odd } as Layout)).toBeUndefined()
  },
)
