/** The options that say how files are written, and what a person reads of lines that are left out. */
import { expect, it } from 'vitest'
import { expectError, Folder, header, record, records, library } from './run.ts'

/** A file that needs every option. */
const odd = Buffer.from(
  [
    'Report of "the sensors',
    '',
    "record_time;'sensor_id;value",
    '[UTC];[name];[unit]',
    '# calibrated',
    '2021-01-01T00:00:00Z; a\\;ü ;1',
    '2021-01-01T00:00:01Z;"b',
    '2021-01-01T00:00:02Z;c;3;;',
    'total;2',
  ].join('\r'),
  'latin1',
)

const options =
  '--encoding windows-1252 --line-end cr --skip-lines 2 --header-rows 2 --comment # --footer-lines 1 --delimiter ; --quote none --escape \\ --trim --ragged pad --model ./m.ts'.split(
    ' ',
  )

const model = `import { defineModel, text, timestamptz, doublePrecision } from '${library}'
export default defineModel({ table: 't', columns: {
  record_time: timestamptz().from('record_time [UTC]'),
  sensor_id: text().from("'sensor_id [name]"),
  value: doublePrecision().from('value [unit]'),
} })`

it.concurrent('a file is read as the options say, and every line that is left out is said', async () => {
  await using folder = await Folder.make({ 'odd.csv': odd, 'm.ts': model })
  const run = await folder.lading('load', 'odd.csv', ...options)
  expect([run.code, run.err]).toEqual([0, expect.stringContaining('published odd.csv: 3 records')])
  expect(run.out).toContain(
    'left out of odd.csv: 2 lines above the header, 1 comment or empty line, 1 line at the end\n',
  )
  expect(folder.sql('SELECT sensor_id, value FROM t ORDER BY record_time')).toEqual([
    { sensor_id: 'a;ü', value: 1 },
    { sensor_id: '"b', value: null },
    { sensor_id: 'c', value: 3 },
  ])
})

it.concurrent('produce says it too, as JSON and in its log', async () => {
  await using folder = await Folder.make({ 'odd.csv': odd, 'm.ts': model })
  const run = await folder.run(['produce', 'odd.csv', ...options, '--json'], {
    env: { LADING_LOG_LEVEL: 'debug' },
  })
  expect(JSON.parse(run.out)).toMatchObject([{ leftOut: { preamble: 2, comments: 1, footer: 1 } }])
  expect(run.err).toMatch(/planned odd\.csv: 3 records in 1 chunk; left out: 2 lines above the header, /)
  const plain = await Folder.make({ 'a.csv': records(1) })
  await using _ = plain
  expect(await plain.json('produce', 'a.csv', '--model', 'records')).toMatchObject([{ records: 1 }])
  expect((await plain.lading('produce', 'a.csv', '--model', 'records')).out).not.toContain('left out')
})

it.concurrent('of many files, five are named and the sum of the others is said', async () => {
  const files = Array.from({ length: 7 }, (_, n) => [`in/${n}.csv`, `title\n${header}${record(n)}`] as const)
  await using folder = await Folder.make(Object.fromEntries(files))
  const { out } = await folder.lading('load', 'in', '--skip-lines', '1', '--model', 'records')
  expect(out.match(/^left out of .*$/gm)).toEqual([
    ...[0, 1, 2, 3, 4].map((n) => `left out of ${n}.csv: 1 line above the header`),
    'left out of 2 more files: 2 lines above the header',
  ])
})

it.concurrent('UTF-16 with a mark needs no option, also on standard input', async () => {
  await using folder = await Folder.make()
  const stdin = Buffer.from(`\ufeff${records(2)}`, 'utf16le')
  const run = await folder.run(['load', '-', '--model', 'records'], { stdin })
  expect([run.code, folder.rows()]).toEqual([0, 2])
})

it.concurrent('an empty line at the end of a large file is no reject, and is counted', async () => {
  const rows = Array.from({ length: 120_000 }, (_, n) => `${n},${n}\n`).join('')
  await using folder = await Folder.make({ 'large.csv': `a,b\n${rows}\n` })
  const run = await folder.lading('load', 'large.csv')
  expect([run.code, run.err]).toEqual([0, expect.stringContaining('blank lines: skipped')])
  expect(run.out).toMatch(/large\.csv +120,001 +120,000 +0 +1 +0 +0\n/)
})

it.concurrent.each([
  [['--blank-lines', 'drop'], /reject, skip/],
  [['--ragged', 'fill'], /reject, trim, pad/],
  [['--skip-lines', '-1'], /whole number of 0 or more/],
  [['--encoding', 'klingon'], /the encoding "klingon" is not known; some are utf-8/],
  [['--escape', '"'], /the escape must be a backslash/],
  [['--comment', ','], /delimiter and comment are the same character/],
  [['--format', 'ndjson', '--skip-lines', '1'], /--skip-lines.* is for CSV/],
  [['--format', 'json', '--ragged', 'pad'], /--ragged.* is for CSV/],
])('%j is refused before anything is opened', async (flags, message) => {
  await using folder = await Folder.make({ 'a.csv': records(1) })
  expectError(await folder.lading('load', 'a.csv', '--model', 'records', ...flags), 'USAGE', 64, message)
})
