/** Records that stand inside of other objects: found by the splitter and the reader alike. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LadingError } from '../../../src/core/errors.ts'
import { cellBytes } from '../../../src/core/cells.ts'
import { parsePath, type Path } from '../../../src/core/path.ts'
import type { Format } from '../../../src/format/format.ts'
import { formatOf, messagesLayout, splittersFor } from '../../../src/format/registry.ts'
import type { Splitter } from '../../../src/format/split.ts'

const expected = { table: 't', names: ['id'], isMasked: false, problems: () => [] }
const wanted = [{ name: 'id', take: 'either' as const }]

interface Options {
  readonly format: 'json' | 'ndjson'
  readonly records?: string
  readonly unwrap?: readonly string[]
}

/** Cuts a source into chunks of at least `min` bytes, given in pieces of these sizes. */
function split(source: Buffer, options: Options, sizes: readonly number[] = [7], min = 1) {
  const splitter: Splitter = splittersFor(options)('x.json', expected)
  const chunks: Buffer[] = []
  let counted = 0
  let start = -1
  for (let at = 0, index = 0; at < source.length; index++) {
    const piece = Buffer.from(source.subarray(at, at + (sizes[index % sizes.length] as number)))
    let from = splitter.begin(piece)
    if (splitter.isPastHead && start < 0) start = at + from
    while (start >= 0 && from < piece.length) {
      const end = splitter.cut(from, from + Math.max(0, min - (at + from - start)))
      if (end < 0) break
      chunks.push(source.subarray(start, at + end))
      counted = splitter.records
      from = end
      start = at + end
    }
    at += piece.length
    piece.fill(0)
  }
  splitter.finish()
  if (splitter.records > counted || chunks.length === 0) chunks.push(source.subarray(start))
  return { splitter, chunks }
}

function read(chunks: readonly Buffer[], splitter: Pick<Splitter, 'layout'>) {
  const { layout } = splitter
  const reader = (formatOf(layout) as Format).reader(layout, wanted, true)
  const records: { id: string | undefined; raw: string; fault: string | undefined }[] = []
  for (const chunk of chunks) {
    expect(reader.open(chunk)).toBeUndefined()
    while (reader.next()) {
      const text = reader.text ?? chunk.subarray(reader.recordStart, reader.recordEnd)
      const id = reader.fault === undefined ? cellBytes(reader, 0).toString() : undefined
      records.push({ id, raw: text.toString(), fault: reader.fault?.code })
    }
  }
  return records
}

function refusal(source: string, options: Options, size = 7): string {
  try {
    split(Buffer.from(source), options, [size])
  } catch (error) {
    if (error instanceof LadingError) return `${error.code} ${error.message}`
    throw error
  }
  return 'none'
}

/** What a path reaches, by the rules, in a parsed document: as text, because the reader keeps bytes. */
function reached(value: unknown, path: readonly (string | null)[], step = 0, isElement = false): string[] {
  const isEnd = step === path.length
  const name = path[step]
  if (Array.isArray(value) && (name === null || !isElement))
    return value.flatMap((each) => reached(each, path, name === null ? step + 1 : step, true))
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && typeof name === 'string')
    return Object.hasOwn(value, name)
      ? reached((value as Record<string, unknown>)[name], path, step + 1)
      : [JSON.stringify(value)]
  return !isEnd && !isElement && value === null ? [] : [JSON.stringify(value)]
}

const leaf = fc.constantFrom(1, null, 'x', '}],"', {}, [], { id: 1 }, { id: 'é"' }, [{ id: 2 }, { id: 3 }])
const node = fc.oneof(
  leaf,
  fc.dictionary(fc.constantFrom('a', 'b', 'x'), leaf),
  fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'x'), leaf), { maxLength: 4 }),
)
const document = fc.dictionary(fc.constantFrom('a', 'b', 'x y', 'z'), node)
const paths = ['a', 'a[]', 'a.b', 'a[].b', 'a[].b[]', 'a.b[]', '"a"[]."b"']
const spaced = (value: unknown, indent: number) => Buffer.from(JSON.stringify(value, null, indent))

describe('whatever the document, the path, the pieces and the size of chunks', () => {
  it('an array inside of a JSON file is split into the records that a parser finds there', () => {
    let compared = 0
    fc.assert(
      fc.property(
        fc.tuple(document, fc.array(node, { maxLength: 5 }), document),
        fc.constantFrom('d', 'd[]', 'd.b', 'd[].b', 'd[].b[]'),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(0, 1),
        ([before, elements, after], records, sizes, min, indent) => {
          const source = spaced({ ...before, d: elements, e: after }, indent)
          const { splitter, chunks } = split(source, { format: 'json', records }, sizes, min)
          const all = reached({ d: elements }, parsePath(records) as Path)
          const found = read(chunks, splitter)
          expect(found.map(({ raw }) => JSON.stringify(JSON.parse(raw)))).toEqual(all)
          expect(splitter.records).toBe(all.length)
          expect(splitter.lines).toBe(source.filter((byte) => byte === 0x0a).length)
          compared += all.length
        },
      ),
      { numRuns: 1_000 },
    )
    expect(compared).toBeGreaterThan(1_000)
  })

  it('a path leads to the same records in each line, and in messages', () => {
    fc.assert(
      fc.property(
        fc.array(document, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...paths),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
        (lines, records, sizes) => {
          const source = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
          const { splitter, chunks } = split(source, { format: 'ndjson', records }, sizes)
          const all = lines.flatMap((line) => reached(line, parsePath(records) as Path))
          expect(read(chunks, splitter).map(({ raw }) => raw)).toEqual(all)
          expect(splitter.records).toBe(all.length)
          const layout = messagesLayout({ records })
          for (const body of [source, spaced(lines, 1)])
            expect(read([body], { layout }).map(({ raw }) => JSON.stringify(JSON.parse(raw)))).toEqual(all)
        },
      ),
      { numRuns: 500 },
    )
  })
})

it('a member that lacks the next step is a record that is refused, and null holds none', () => {
  const source =
    '{"a":{"b":[{"id":1}]}}\n{"a":{"c":1}}\n{"x":1}\n{"a":null}\n{"a":{"b":[5,{"id":2}]}}\n{broken\n'
  const { splitter, chunks } = split(Buffer.from(source), { format: 'ndjson', records: 'a.b[]' })
  expect(read(chunks, splitter)).toEqual([
    { id: '1', raw: '{"id":1}', fault: undefined },
    { id: undefined, raw: '{"c":1}', fault: 'NO_RECORDS' },
    { id: undefined, raw: '{"x":1}', fault: 'NO_RECORDS' },
    { id: undefined, raw: '5', fault: 'BAD_JSON' },
    { id: '2', raw: '{"id":2}', fault: undefined },
    { id: undefined, raw: '{broken', fault: 'BAD_JSON' },
  ])
  expect(splitter.layout).toEqual({ format: 'ndjson', fields: [], records: 'a.b[]' })
})

it('the layout of a file keeps of the path what leads into the elements, and nothing where they are the records', () => {
  const layoutOf = (records: string) =>
    split(Buffer.from('{"n":[1],"d":[{"s":{"id":1}}],"m":{}}'), { format: 'json', records }).splitter.layout
  expect(layoutOf('d[]')).toEqual({ format: 'json', fields: [] })
  expect(layoutOf('d[].s')).toEqual({ format: 'json', fields: [], records: 's' })
})

it('no chunk holds what stands beside the array, whatever its size', () => {
  const beside = JSON.stringify('x'.repeat(100_000))
  for (const elements of ['', '{"id":1}', '{"id":1},{"id":2}', ' {"id":1}\n, {"id":2} ']) {
    const source = Buffer.from(`{"before":${beside},"d":[${elements}],"after":[${beside}]}`)
    for (const min of [1, 9, 1_000_000]) {
      const { splitter, chunks } = split(source, { format: 'json', records: 'd' }, [4096], min)
      expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(40)
      expect(read(chunks, splitter).map(({ id }) => id)).toEqual(elements.match(/\d/g) ?? [])
    }
  }
})

it('a file without the array, or broken around it, is refused with its line and what to do', () => {
  const at = (source: string, records = 'd[]') => refusal(source, { format: 'json', records })
  expect(at('{\n"x":[1]\n}')).toBe('SOURCE_MALFORMED x.json:3: no "d" stands in the object that ends here')
  expect(at('{"d":\n{"id":1}}')).toContain(
    "x.json:2: an object stands at d, where --records expects an array: leave --records out, and read its fields with from('d.NAME')",
  )
  expect(at('{"d":5}')).toContain('x.json:1: a single value stands at d')
  expect(at('5')).toContain('a single value stands at the beginning')
  expect(at('{"d":[{}],\n"d":[]}')).toContain('x.json:2: "d" stands twice in an object')
  expect(at('{"d":[{"id":1}]')).toContain('the file ends before')
  expect(at('{"d":[{"id":1}')).toContain('the file ends before the bracket')
  expect(at('')).toContain('the file ends before')
  expect(at('\n')).toContain('the file ends before')
  expect(at('{"x":')).toContain('the file ends before')
  expect(at('{"d":[]}\n{"d":[]}')).toContain('x.json:2: more follows the array')
  expect(at('{"d":[{"id":1} {"id":2}]}')).toContain('a comma or a closing bracket is expected')
  expect(at('{"d":[] "x":1}')).toContain('a comma or a closing brace is expected')
  expect(at('{d:[]}')).toContain('a name in quotes is expected')
  expect(at('{"d"=[]}')).toContain('a colon is expected')
  expect(at('{\n}')).toBe('SOURCE_MALFORMED x.json:2: no "d" stands in the object that ends here')
  expect(at('{"\\x":1,"d":[]}')).toContain('a name is no sound string')
  expect(at('{"a":,"d":[]}')).toContain('a value is expected')
  expect(at('{"d":[]}', 'd[0]')).toContain('USAGE records (--records) is a path such as')
})

it('what stands around the array takes a bounded amount of memory: a name of 64 KiB, a string of 16 MiB', () => {
  const around = (source: string) => refusal(source, { format: 'json', records: 'd' }, 1 << 20)
  const name = (bytes: number) => `{"${'n'.repeat(bytes)}":1,"d":[]}`
  const open = (bytes: number) => `{"a":"${'x'.repeat(bytes)}`
  expect(around(name(60_000))).toBe('none')
  expect(around(name(70_000))).toContain('SOURCE_MALFORMED x.json:1: a name has more than')
  expect(around(open(15 << 20))).toContain('the file ends before')
  expect(around(open(18 << 20))).toContain('a string is not closed within 16 MiB')
})
