/** What a file says of itself: it can be read as it was found, and every record has the types that were found, or stands aside. */
import { decodeSource } from '../../src/infer/decoded.ts'
import { modelOf, proposalFor } from '../../src/infer/inspect.ts'
import { Profile } from '../../src/infer/profile/profile.ts'
import { propose } from '../../src/infer/profile/propose.ts'
import { csvReader } from '../../src/format/csv/choose.ts'
import type { CsvLayout } from '../../src/format/csv/dialect.ts'
import { formatOf, splitterFor } from '../../src/format/registry.ts'
import { anyFields } from '../../src/format/split.ts'
import { LadingError } from '../../src/core/errors.ts'
import { type ReadSource, readAs } from '../../src/producer/reading.ts'
import type { Source } from '../../src/source/source.ts'
import { type Input, requireSame, requireThat, type Target } from '../target.ts'

export const infer: Target = {
  name: 'infer',
  options: 2,
  seeds: [
    'id,name,price\n1,a,2.50\n2,b,3.00\n3,c,\n',
    'id;Datum;Betrag\r\n1;31.12.2024;1.234,50\r\n2;01.01.2025;-3,00\r\n',
    'a\tb\n2024-01-01T10:00:00Z\ttrue\n2024-01-02T10:00:00+02:00\tfalse\n',
    '# note\n\nid|x\n1|NA\n2|5%\nTotal|7\n',
    '{"id":1,"at":"2024-01-01","x":{"y":[1]}}\n{"id":"2","z":null}\n',
    '[{"id":1},{"id":2.5}]',
    '\xff\xfei\0d\0\n\x001\0\n\0',
    `n\n${Array.from({ length: 400 }, (_, n) => `${n}.25`).join('\n')}\n`,
    `a,b\n${'1,"x"\n'.repeat(300)}x,y\n`,
    '"a","b"\n"007","550e8400-e29b-41d4-a716-446655440000"\n"12:30","1e5"\n',
  ],
  tokens: [
    ',',
    ';',
    '\t',
    '|',
    ':',
    ' ',
    '"',
    "'",
    '\n',
    '\r\n',
    '\r',
    '#',
    '\\',
    'id',
    '1',
    '-2.5',
    '1.000,5',
    '2024-01-01',
    '31/12/2024',
    '12:30',
    'T',
    'Z',
    'true',
    'no',
    'NA',
    '-',
    '$5',
    '5%',
    '="0"',
    '1e400',
    '99999999999999999999',
    'Total',
    'sep=;',
    '{',
    '}',
    '[',
    ']',
    '":',
    'é',
    '\xe9',
    '\0',
    '\ufeff',
    '\u001f',
  ],
  async check(input) {
    const source = sourceOf(input)
    const { proposal, reading } = await proposalFor(source, {})
    const read = await readAs(source, { readingOf: async () => reading })
    const model = modelOf('t', proposal)
    const outcome = await decodeSource(read, model, { namesColumns: true })
    const again = await proposalFor(source, {})
    requireSame(
      'the same file says the same',
      again.proposal.columns.map(({ name, type }) => [name, type]),
      proposal.columns.map(({ name, type }) => [name, type]),
    )
    requireThat('a proposal has columns', proposal.columns.length > 0, proposal)
    const aside = new Set([
      'COLUMN_COUNT',
      'BLANK_LINE',
      'BAD_QUOTE',
      'UNCLOSED_QUOTE',
      'BAD_ENCODING',
      'NUL_BYTE',
      'BAD_JSON',
      'NO_FIELD',
      'DUPLICATE_FIELD',
      'LONE_SURROGATE',
      'OBJECT_TOO_LARGE',
    ])
    const typed = outcome.rejects.filter(({ code }) => !aside.has(code))
    requireThat(
      'a value has the type that was found for it',
      typed.length === 0 || proposal.questions.length > 0,
      { typed, columns: proposal.columns.map(({ name, type }) => [name, type]), reading },
    )
    await requirePasses(read)
  },
}

function sourceOf(input: Input): Source {
  const name = input.of(['f.csv', 'f.csv', 'f.tsv', 'f.json', 'f.ndjson', 'f.txt'])
  const piece = input.of([100_000, 4096, 5000])
  const bytes = input.body
  return {
    name,
    path: name,
    location: name,
    isTransient: false,
    size: async () => bytes.length,
    state: async () => 'the same',
    bytes: async function* () {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
    },
    ranges: async () => undefined,
    reference: async () => undefined,
  }
}

/** Records that are passed over without a look at their cells count as if each had been looked at. */
async function requirePasses(read: ReadSource): Promise<void> {
  const splitter = splitterFor(read.reading, read.path, anyFields)
  const pieces: Buffer[] = []
  for await (const piece of read.bytes()) pieces.push(Buffer.from(piece))
  const plain = Buffer.concat(pieces)
  if (plain.length === 0) return
  try {
    const head = splitter.begin(plain)
    const { layout } = splitter
    if (layout.format !== undefined || formatOf(layout) === undefined) return
    const body = plain.subarray(head)
    const [passed, looked] = [true, false].map((passes) => profiled(read, layout as CsvLayout, body, passes))
    requireSame('what is passed over counts', passed, looked)
  } catch (error) {
    if (!(error instanceof LadingError)) throw error
  }
}

function profiled({ name, reading }: ReadSource, layout: CsvLayout, body: Buffer, passes: boolean): unknown {
  const profile = new Profile()
  profile.begin(name, layout.fields, reading)
  const reader = csvReader(layout, layout.fields)
  reader.open(body)
  while (reader.next()) {
    profile.add(reader, 2)
    if (passes) profile.passOver(reader)
  }
  profile.end()
  const { columns, questions } = propose(profile)
  const said = columns.map((column) => ({ ...column, profile: undefined }))
  return { records: profile.records, faults: profile.faults, lastLines: profile.lastLines, questions, said }
}
