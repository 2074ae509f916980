/** A file whose lines are all alike is found to be what the look at all of its lines finds. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { variants } from '../../../bench/polluted/variants.ts'
import { sniffAlike } from '../../../src/infer/sniff/alike.ts'
import { text as textType } from '../../../src/model/columns.ts'
import { headBytes, sniff, tailBytes } from '../../../src/infer/sniff/sniff.ts'
import { sniffSource } from '../../../src/infer/sniffed.ts'
import { namedSources } from '../../../src/source/registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'lading-alike-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Without how many lines show the delimiter. */
function told({ decisions, ...found }: ReturnType<typeof sniff>) {
  return {
    ...found,
    decisions: decisions.map((each) => (each.about === 'delimiter' ? { ...each, because: '' } : each)),
  }
}

/** A table that the file may go to. */
const goal = {
  columns: ['id', 'name', 'price', 'day'].map((name) => ({
    name,
    type: textType().spec.type,
    shown: 'text',
    notNull: false,
    hasDefault: false,
    generated: false,
  })),
}

/** Whether the file was taken for one whose lines are alike; then it must be one. Of a larger file, head and tail are seen. */
function isAlike(bytes: Buffer, most = headBytes): boolean {
  const isWhole = bytes.length <= most
  const [head, tail] = [bytes.subarray(0, most), isWhole ? undefined : bytes.subarray(-tailBytes)]
  const found = sniffAlike(head, tail, {})
  if (found !== undefined) expect(told(found)).toEqual(told(sniff(head, tail, {})))
  const around = { goal }
  const forTable = sniffAlike(head, tail, {}, around)
  if (forTable !== undefined) expect(told(forTable)).toEqual(told(sniff(head, tail, {}, around)))
  return found !== undefined
}

const rowsOf = (count: number, delimiter = ',', end = '\n') =>
  Array.from({ length: count }, (_, row) =>
    [row, `name ${row % 7}`, (row * 0.25).toFixed(2), '2024-02-29'].join(delimiter).concat(end),
  )

it.each([
  ['commas', 2000, ',', '\n'],
  ['semicolons and CR LF', 2000, ';', '\r\n'],
  ['tabs', 1000, '\t', '\n'],
  ['more than the head', 60_000, '|', '\r\n'],
])('lines with %s are alike', (_name, count, delimiter, end) => {
  const header = ['id', 'name', 'price', 'day'].join(delimiter).concat(end)
  const bytes = Buffer.from(header + rowsOf(count, delimiter, end).join(''))
  expect(isAlike(bytes)).toBe(true)
  expect(isAlike(bytes.subarray(0, -end.length))).toBe(true)
  expect(
    isAlike(Buffer.concat([bytes, Buffer.from(rowsOf(1, delimiter, end)[0] ?? '').subarray(0, 5)])),
  ).toBe(false)
})

it('a line that begins with an empty cell is like the others, and one of empty cells is not', () => {
  const rows = rowsOf(2000)
  const withRow = (row: string) => Buffer.from(`id,name,price,day\n${rows.with(1000, `${row}\n`).join('')}`)
  expect(isAlike(withRow(', name,2.00,2024-02-29'))).toBe(true)
  expect(isAlike(withRow(', ,,'))).toBe(false)
})

it('a text that may mean no value is told wherever it stands', () => {
  const withRow = (row: string) =>
    Buffer.from(`id,name,price,day\n${rowsOf(2000).with(1000, `${row}\n`).join('')}`)
  expect(isAlike(withRow(String.raw`1,\N,2.00,2024-02-29`))).toBe(false)
  expect(isAlike(withRow('1,NULL,2.00,2024-02-29'))).toBe(true)
})

it('whatever stands among the lines', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '',
      ',,,',
      ' , ,\u00a0,',
      '# note',
      '#1,a,2.00,2024-02-29',
      'Total,,5,',
      'Total',
      'id,name,price,day',
    ),
    fc.constantFrom(
      '1,"a",2.00,x',
      "1,'a',2.00,x",
      '1,O\u2019Brien,2,x',
      '1;5,a,2,x',
      String.raw`1,\N,2.00,x`,
      '1,NULL,2.00,x',
      '1,null,2.00,x',
      '1,a\tb,2,x',
      '1,a|b,2,',
      '1,a\rb,2,x',
      '1,a,2',
      '1,a,2,x,',
    ),
    fc.constantFrom(
      'sep=,',
      'Ärger,é,ü,ß',
      'text,text,text,text',
      '1, a, 2, x',
      '\u00e4',
      '2020,2021,2022,2023',
      'kg,m,s,K',
    ),
    fc.string(),
  )
  const file = fc.record({
    header: fc.constantFrom(
      'id,name,price,day',
      'id,,price,day',
      'id,name,price,',
      '1,2,3,4',
      '2020,2021,2022,2023',
      'name 1,name 2,name 3,a',
      '',
      'id,name,name,day',
    ),
    rows: fc.constantFrom(0, 320, 700, 3000),
    odd: fc.array(fc.record({ line, at: fc.constantFrom(0, 1, 2, 299, 300, 301, 650, 699, 2999, 3000) }), {
      maxLength: 3,
    }),
    end: fc.constantFrom('\n', '\r\n'),
    isOpen: fc.boolean(),
    mark: fc.constantFrom('', '', '\ufeff'),
  })
  fc.assert(
    fc.property(file, ({ header, rows, odd, end, isOpen, mark }) => {
      const lines = [header, ...rowsOf(rows, ',', '')]
      for (const { line: text, at } of odd) lines.splice(Math.min(at, lines.length), 0, text)
      const bytes = Buffer.from(mark + lines.join(end) + (isOpen ? '' : end))
      isAlike(bytes)
      isAlike(bytes, 24_000)
      isAlike(bytes, 70_001)
    }),
    { numRuns: 60 },
  )
})

it('whatever one thing is amiss', () => {
  for (const [index, { bytes }] of [...variants()].entries()) {
    if (index >= 22 && index % 97 !== 0) continue
    const text = Buffer.from(bytes)
    const body = text.subarray(text.indexOf(0x0a) + 1)
    isAlike(Buffer.concat([text, body, body, body, body]))
    isAlike(Buffer.concat([Buffer.from(`id,name,price,day\n${rowsOf(700).join('')}`), text]))
  }
})

it('whatever people write', () => {
  for (const kind of ['real-shapes', 'cases'])
    for (const name of readdirSync(join('test/fixtures', kind)).filter(
      (each) => !each.endsWith('.csv.json'),
    )) {
      const bytes = readFileSync(join('test/fixtures', kind, name))
      const body = bytes.subarray(bytes.indexOf(0x0a) + 1)
      const many = Array.from({ length: Math.ceil(20_000 / (body.length + 1)) }, () => body)
      isAlike(Buffer.concat([bytes, ...many]))
      isAlike(Buffer.concat([bytes, ...many, bytes]))
    }
})

it('a source has the same ends, compressed or not', async () => {
  const all = Buffer.from(`id,name,price,day\n${rowsOf(50_000).join('')}`)
  for (const size of [headBytes - 1, headBytes, headBytes + 1, headBytes + tailBytes + 7]) {
    const bytes = Buffer.concat([all.subarray(0, size - 10), Buffer.from('\nTotal,,5,')])
    writeFileSync(join(folder, 'plain.csv'), bytes)
    writeFileSync(join(folder, 'packed.csv.gz'), gzipSync(bytes))
    const [packed, plain] = await namedSources([join(folder, '*')], ['csv'])
    const isCut = bytes.length > headBytes
    const found = sniff(bytes.subarray(0, headBytes), isCut ? bytes.subarray(-tailBytes) : undefined, {})
    expect(found.questions).toHaveLength(1)
    for (const source of [packed, plain]) expect(source && (await sniffSource(source, {}))).toEqual(found)
  }
})
