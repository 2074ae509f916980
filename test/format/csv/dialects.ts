/** Dialects of CSV for the suite of formats: how their records are written, and a reader that is not ours. */
import fc from 'fast-check'
import type { Layout } from '../../../src/core/load.ts'
import { csv } from '../../../src/format/csv/csv.ts'
import { defaultDialect, type Dialect, type RecordDialect } from '../../../src/format/csv/dialect.ts'
import { csvSplitter } from '../../../src/format/csv/split.ts'
import type { FormatUnderTest, Values } from '../../contract/format/format.ts'

const fields = ['a', 'b', 'ä "x"']
const expected = { table: 't', names: fields, isMasked: false, problems: () => [] }

export function dialectUnderTest(given: Partial<Dialect>): FormatUnderTest {
  const dialect = { ...defaultDialect, ...given }
  const { header: _, ...record } = dialect
  const line = (values: Values) =>
    fc.tuple(recordOf(values, record), between(record)).map(([text, end]) => `${text}${end}`)
  return {
    format: csv,
    layout: { fields, ...record } as Layout,
    fields,
    splitter: () => csvSplitter({ ...dialect, header: false })('x.csv', expected),
    texts: textsOf(record),
    around: ['', ''],
    anyBody: fc.array(fc.constantFrom(...deciding(record)), { maxLength: 40 }).map((parts) => parts.join('')),
    written: (records) => fc.tuple(...records.map(line)).map((lines) => lines.join('')),
    oracle: (body) => read(body, record),
  }
}

const deciding = ({ delimiter, quote, escape, comment }: RecordDialect) => [
  'a',
  '"',
  delimiter,
  '\n',
  '\r',
  ' ',
  '\t',
  '\r\n',
  'é',
  '\0',
  '\n\n',
  ...(quote === '' ? [] : [quote, quote + quote, quote + delimiter, `${quote}\n`]),
  ...(escape === undefined ? [] : [escape, escape + quote, `${escape}N`, `${escape}n`, `${escape}\r`]),
  ...(comment === undefined ? [] : [comment, `\n${comment}`]),
]

/** Without quotes there is no empty text, and without backslashes no delimiter in a text either. */
function textsOf({ delimiter, quote, escape, multiline }: RecordDialect): fc.Arbitrary<string> {
  const all = ['a', 'N', 'n', '"', '\\', delimiter, '\t', '\n', '\r', '\r\n', ' ', '#', '☃', "'"]
  const isBare = quote === '' && escape === undefined
  const parts = all.filter(
    (part) =>
      (!isBare || !(part === delimiter || /[\r\n]/.test(part))) && (multiline !== false || !/\n/.test(part)),
  )
  return fc
    .array(fc.constantFrom(...parts), { minLength: quote === '' ? 1 : 0, maxLength: 5 })
    .map((each) => each.join(''))
}

/** What ends a record, and lines that are none behind it. */
const between = ({ comment }: RecordDialect) =>
  fc.constantFrom('\n', '\r\n', ...(comment === undefined ? [] : [`\n${comment} "x,\n`, '\n\r\n\n']))

function recordOf(values: Values, dialect: RecordDialect): fc.Arbitrary<string> {
  const { delimiter, ragged } = dialect
  const last = values.findLastIndex((value) => value !== null)
  const counts = [
    values.length,
    ...(ragged === undefined ? [] : [values.length + 2]),
    ...(ragged === 'pad' ? [last + 1] : []),
  ]
  return fc
    .constantFrom(...counts)
    .chain((count) =>
      fc.tuple(
        ...Array.from({ length: count }, (_, index) =>
          index < values.length ? cellOf(values[index] ?? null, dialect, index) : fc.constant(''),
        ),
      ),
    )
    .map((cells) => cells.join(delimiter))
}

function cellOf(value: string | null, dialect: RecordDialect, cell: number): fc.Arbitrary<string> {
  const { escape, trim } = dialect
  const texts =
    value === null ? ['', ...(escape === undefined ? [] : [`${escape}N`])] : waysOf(value, dialect, cell)
  const spaces =
    trim === true ? fc.constantFrom('', ' ', ' \t').map(withoutDelimiter(dialect)) : fc.constant('')
  return fc.tuple(spaces, fc.constantFrom(...texts), spaces).map((parts) => parts.join(''))
}

const withoutDelimiter =
  ({ delimiter }: RecordDialect) =>
  (text: string) =>
    text.replaceAll(delimiter, '')

/** Every way to write the text. */
function waysOf(value: string, dialect: RecordDialect, cell: number): string[] {
  const { delimiter, quote, escape, comment, trim } = dialect
  const isPlain =
    value !== '' &&
    !/[\r\n]/.test(value) &&
    ![delimiter, quote, escape].some((mark) => mark !== undefined && mark !== '' && value.includes(mark)) &&
    !(comment !== undefined && cell === 0 && value.startsWith(comment)) &&
    !(trim === true && /^[ \t]|[ \t]$/.test(value))
  return [
    ...(isPlain ? [value] : []),
    ...(quote === ''
      ? []
      : escape === undefined
        ? [`${quote}${value.replaceAll(quote, quote + quote)}${quote}`]
        : [
            `${quote}${value.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`,
            `${quote}${value.replaceAll('\\', '\\\\').replaceAll(quote, quote + quote)}${quote}`,
          ]),
    // Every character behind a backslash, the letters excepted that mean something there.
    ...(escape === undefined || value === ''
      ? []
      : [
          Array.from(value, (each) => (/[nrtN]/.test(each) ? each : `\\${each}`)).join(''),
          Array.from(value, (each) => letterOf[each] ?? (/[nrtN]/.test(each) ? each : `\\${each}`)).join(''),
        ]),
  ]
}

/** A mark within a regular expression. */
const inPattern = (mark: string): string => mark.replace(/[|\\^$.*+?()[\]{}]/g, '\\$&')

const letterOf: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const meaning: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** By regular expressions, for records that keep to the rules. */
function read(body: string, dialect: RecordDialect): Values[] {
  const { delimiter, comment, ragged } = dialect
  const rows: Values[] = []
  for (let rest = body; rest !== '';) {
    const line = /^[^\n]*\n?/.exec(rest)?.[0] ?? ''
    if (comment !== undefined && (line.startsWith(comment) || /^\r?\n?$/.test(line))) {
      rest = rest.slice(line.length)
      continue
    }
    const row: (string | null)[] = []
    for (;;) {
      const [value, length] = readCell(rest, dialect)
      row.push(value)
      rest = rest.slice(length)
      if (!rest.startsWith(delimiter)) break
      rest = rest.slice(1)
    }
    rest = rest.replace(/^\r?\n/, '')
    if (ragged !== undefined) while (row.length > fields.length && row.at(-1) === null) row.pop()
    if (ragged === 'pad') while (row.length < fields.length) row.push(null)
    rows.push(row)
  }
  return rows
}

function readCell(text: string, dialect: RecordDialect): readonly [string | null, number] {
  const { delimiter, quote, escape, trim } = dialect
  const space = trim === true ? `[ \\t]*` : ''
  const behind = escape === undefined ? '' : '\\\\[^]|'
  const [d, q] = [inPattern(delimiter), inPattern(quote)]
  const undone = (content: string) =>
    content.replace(
      new RegExp(`${escape === undefined ? '(?!)()' : '\\\\([^])'}|${q || '(?!)'}${q}`, 'g'),
      (all, each?: string) => (each === undefined ? all.slice(1) : (meaning[each] ?? each)),
    )
  const inQuotes =
    quote === ''
      ? null
      : new RegExp(
          `^${space}${q}((?:${behind}${q}${q}|[^${q}${escape === undefined ? '' : '\\\\'}])*)${q}${space}`,
        ).exec(text)
  if (inQuotes !== null) return [undone(inQuotes[1] ?? ''), inQuotes[0].length]
  const [all] = new RegExp(`^(?:${behind}(?!\\r?\\n)[^${d}])*`).exec(text) ?? ['']
  const own = trim === true ? trimmed(all, escape !== undefined) : all
  if (own === '' || (escape !== undefined && own === '\\N')) return [null, all.length]
  return [
    escape === undefined ? own : own.replace(/\\([^])/g, (_, each: string) => meaning[each] ?? each),
    all.length,
  ]
}

/** Without the spaces around it, but for one behind a backslash. */
function trimmed(cell: string, escapes: boolean): string {
  const front = cell.replace(/^[ \t]+/, '')
  return escapes
    ? front.replace(/((?:^|[^\\])(?:\\\\)*(?:\\[ \t])?)[ \t]*$/, '$1')
    : front.replace(/[ \t]+$/, '')
}
