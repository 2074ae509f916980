import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxRecordBytes } from '../../../src/core/load.ts'
import { formatOf } from '../../../src/format/registry.ts'
import type { FormatName } from '../../../src/format/registry.ts'
import { text } from '../../../src/model/columns.ts'
import { defineModel } from '../../../src/model/model.ts'
import { type PlannedChunk, planSource } from '../../../src/producer/plan.ts'
import { inPieces, margin } from '../../support/pieces.ts'

const model = defineModel({ table: 't', columns: { a: text() } })

async function planned(
  format: FormatName,
  content: string | Buffer,
  sizes = [1 << 20],
  chunkBytes = 1 << 20,
) {
  const bytes = Buffer.from(content)
  const chunks: PlannedChunk[] = []
  const plan = await planSource(inPieces(bytes, sizes), { model, format, chunkBytes }, (chunk) =>
    chunks.push(chunk),
  )
  return {
    ...plan,
    chunks,
    bodies: chunks.map(({ byteStart, bytes: size }) => bytes.subarray(byteStart, byteStart + size)),
  }
}

/** What the plan says of the chunks is true of the bytes, and what their reader finds in them. */
function expectTrue(bytes: Buffer, { chunks, bodies, layout }: Awaited<ReturnType<typeof planned>>): void {
  const reader = formatOf(layout)?.reader(layout, [{ name: 'a', take: 'either' }], true)
  for (const [index, body] of bodies.entries()) {
    expect(reader?.open(Buffer.from(body))).toBeUndefined()
    let found = 0
    while (reader?.next() === true) found++
    expect(found).toBe(chunks[index]?.records)
  }
  let records = 0
  let end = chunks[0]?.byteStart
  for (const chunk of chunks) {
    expect(chunk.byteStart).toBe(end)
    expect(chunk.firstRecord).toBe(records + 1)
    expect(chunk.firstLine).toBe(1 + bytes.subarray(0, chunk.byteStart).filter((byte) => byte === 10).length)
    records += chunk.records
    end = chunk.byteStart + chunk.bytes
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 })
const chunkBytes = fc.integer({ min: 1, max: 120 })
const space = fc.constantFrom('', '', ' ', '\n', '\r\n', ' \t\n  ')
const document = fc.oneof(
  fc.constantFrom(
    '{}',
    '[]',
    '1',
    '"x"',
    'null',
    '{"a":"\\"}"}',
    '{"a":"x\\\\"}',
    '{"a":[{"b":"],[{\\\\\\""}]}',
  ),
  fc.json({ maxDepth: 2, stringUnit: 'grapheme' }),
  // Sound to a scanner of brackets and quotes alone.
  fc.constantFrom('{"a":}', '{"a":1,}', '{a:tru}', '{"a":"x\ny"}', 'nul', '{"a":"\u0001"}'),
  fc.constantFrom('{"a":"\\"},{",}', '{"a":"\\\\",}', '{"a":"]\\\\\\"[",}'),
)
const array = fc.array(fc.tuple(space, document, space), { maxLength: 12 })

describe('the chunks of a JSON array', () => {
  it('hold its elements, cut between them, whatever they are and however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(array, space, sizes, chunkBytes, async (elements, around, pieces, size) => {
        const content = `${margin}${around}[${around}${elements.map((each) => each.join('')).join(',')}]${around}`
        const plan = await planned('json', content, pieces, size)
        expectTrue(Buffer.from(content), plan)
        expect(plan).toMatchObject({ records: elements.length, layout: { format: 'json', fields: [] } })
        // What closes the array is in the last chunk, or in none.
        const all = plan.bodies.map((body) => body.toString().trim().replace(/^,/, '')).join(',')
        const expected = elements.map(([, each]) => each).join(',')
        const bare = (spaced: string) => spaced.replaceAll(/\s/g, '')
        expect([bare(expected), bare(`${expected}]`)]).toContain(bare(all))
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['never closes', '[{"a":1},\n{"a":2}\n', 3, 'before the bracket'],
    ['ends in an element', '[\n{"a":1},\n{"a":\n2', 3, 'element that begins here is never closed'],
    ['has a quote that is never closed', '[\n{"a":1},\n{"a":"2},\n{"a":3}\n]', 3, 'element that begins here'],
    ['lacks a comma', '[\n{"a":1}\n{"a":2}\n]', 3, 'a comma'],
    ['has rubbish between elements', '[\n{"a":1},\n{"a":2} x,\n{"a":3}]', 3, 'a comma'],
    ['has two commas', '[\n{"a":1},\n,{"a":2}]', 3, 'an element is expected'],
    ['ends with a comma', '[\n{"a":1},\n]', 3, 'an element is expected'],
    ['has one brace too many', '[\n{"a":1}},\n{"a":2}]', 2, 'a comma'],
    ['is followed by more', '[{"a":1}]\n[{"a":2}]', 2, 'more follows the array'],
    ['is none', '\n"x"', 2, 'neither an array nor an object'],
  ])('are not published where it %s: the line is named', async (_, content, line, what) => {
    for (const size of [1, 1000])
      await expect(planned('json', margin + content, [size], 1)).rejects.toMatchObject({
        code: 'SOURCE_MALFORMED',
        message: expect.stringMatching(new RegExp(`^x:${line}: .*${what}`)),
      })
  })
})

it('any bytes that are taken for an array have the records that their reader finds', async () => {
  const unit = fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '\n', ' ', 'a', '1')
  let taken = 0
  await fc.assert(
    fc.asyncProperty(fc.string({ unit, maxLength: 14 }), sizes, chunkBytes, async (content, pieces, size) => {
      const bytes = Buffer.from(`${margin}[${content}]`)
      const plan = await planned('json', bytes, pieces, size).catch(() => undefined)
      if (plan === undefined) return
      taken++
      expectTrue(bytes, plan)
    }),
    { numRuns: 5_000 },
  )
  expect(taken).toBeGreaterThan(100)
})

describe('a JSON file', () => {
  it('of a single object is one record, pretty-printed or not', async () => {
    for (const content of ['{"a":1}', ' {\n  "a": [1, {"b": "}"}]\n}\n\n', '\ufeff{"a":1}\n']) {
      const plan = await planned('json', content, [3], 1)
      expect(plan).toMatchObject({ records: 1, chunks: [{ records: 1 }], layout: { format: 'json' } })
    }
  })

  it('of objects one a line is NDJSON, and has its plan', async () => {
    const content = `${margin}{"a":1}\r\n  \n{"a":2\n{"a":3}\n`
    for (const pieces of [[1], [3, 1, 4], [1000]]) {
      const plan = await planned('json', content, pieces, 1)
      expectTrue(Buffer.from(content), plan)
      expect(plan).toMatchObject({ records: 3, layout: { format: 'ndjson', fields: [] } })
    }
  })

  it('of nothing but space has no record', async () => {
    for (const content of ['', '\n', `${margin}\n \n`])
      expect(await planned('json', content, [1])).toMatchObject({ records: 0 })
  })

  it.each(['{"a":1} {"a":2}', '{"a":1}x', '{\n"a":1}\n{"a":2}', '{"a":1}]'])(
    'of anything else is refused: %j',
    async (content) => {
      await expect(planned('json', margin + content, [1])).rejects.toMatchObject({ code: 'SOURCE_MALFORMED' })
    },
  )
})

it('objects one a line in a JSON file are all counted, also where later pieces are larger than the first', async () => {
  const lines = Array.from({ length: 1000 }, (_, index) => `{"a":${index}}`)
  for (const content of [lines.join('\n'), `${lines.join('\n')}\n`])
    for (const pieces of [[4096, 5000], [4100, 4099, 1000], [1 << 20]]) {
      const plan = await planned('json', content, pieces, 100)
      expect(plan).toMatchObject({ records: lines.length, layout: { format: 'ndjson' } })
      expectTrue(Buffer.from(content), plan)
      expect(Buffer.concat(plan.bodies).toString()).toBe(content)
    }
})

describe('the chunks of NDJSON', () => {
  const line = fc.oneof(
    fc.constantFrom('', ' ', '\t \r', '{"a":1}', '{"a":', 'x', '"', '{"a":"\\'),
    fc.string({ unit: fc.constantFrom('{', '}', '"', ' ', 'a', '[', '\r'), maxLength: 30 }),
  )

  it('hold its lines, blank ones not counted, whatever is in them and however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 20 }),
        fc.boolean(),
        sizes,
        chunkBytes,
        async (lines, ended, pieces, size) => {
          const content = margin + lines.join('\n') + (ended ? '\n' : '')
          fc.pre(!content.trim().startsWith('['))
          const plan = await planned('ndjson', content, pieces, size)
          expectTrue(Buffer.from(content), plan)
          expect(plan.records).toBe(lines.filter((each) => each.trim() !== '').length)
          expect(Buffer.concat(plan.bodies).toString().trim()).toBe(content.trim())
          expect(plan.chunks.slice(0, -1).every(({ records }) => records > 0)).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('have the same head however the first bytes arrive: a mark, or an array on a later line', async () => {
    for (const pieces of [[1], [2], [3], [1000]]) {
      const plan = await planned('ndjson', '\ufeff{"a":1}\n', pieces)
      expect(plan.bodies.map(String)).toEqual(['{"a":1}\n'])
      await expect(planned('ndjson', '\n\n[{"a":1},\n{"a":2}]', pieces)).rejects.toMatchObject({
        code: 'SOURCE_MALFORMED',
        message: expect.stringMatching(/^x:3: .*--format json/),
      })
    }
  })

  it('are not published where an array begins: --format json is named', async () => {
    await expect(planned('ndjson', ' [{"a":1}]')).rejects.toMatchObject({
      code: 'SOURCE_MALFORMED',
      message: expect.stringContaining('--format json'),
    })
  })
})

describe('a record of 16 MiB is taken, and one of a byte more is refused with its line', () => {
  const of = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`

  it.each([
    ['ndjson', (record: string) => `{}\n${record}\n{}\n`],
    ['ndjson', (record: string) => `{}\n${record}\r\n{}`],
    ['ndjson', (record: string) => `{}\n${record}`],
    ['json', (record: string) => `[{},\n${record}, {}]`],
  ] as const)('of %s', async (format, file) => {
    const { records } = await planned(format, file(of(maxRecordBytes)))
    expect(records).toBeGreaterThan(1)
    const refused = planned(format, file(of(maxRecordBytes + 1))).then(({ plan }) => plan)
    await expect(refused).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
      message: expect.stringMatching(/^x:2: /),
    })
  })
})

it('space between elements is refused where it is larger than a record may be', async () => {
  const file = (spaces: number) => Buffer.from(`[{},${' '.repeat(spaces)}{}]`)
  expect((await planned('json', file(maxRecordBytes - 1))).records).toBe(2)
  await expect(planned('json', file(maxRecordBytes + (2 << 20)))).rejects.toMatchObject({
    code: 'SOURCE_MALFORMED',
    message: expect.stringMatching(/^x:1: more than a record may have is space/),
  })
})
