import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { type PlannedChunk, planSource } from '../../src/producer/plan.ts'
import { readRanges } from '../../src/source/ranges.ts'
import { sourceAt } from '../../src/source/registry.ts'
import { produce } from '../../src/producer/produce.ts'
import { Fixture } from '../support/fixture.ts'

const model = defineModel({ table: 't', columns: { a: text(), b: text() } })
const mark = Buffer.from([0xef, 0xbb, 0xbf])

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-plan-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function planned(bytes: Buffer, chunkBytes: number, gz: boolean) {
  const path = join(folder, gz ? 'file.csv.gz' : 'file.csv')
  await writeFile(path, gz ? gzipSync(bytes) : bytes)
  const source = sourceAt(path, 'file.csv')
  const chunks: PlannedChunk[] = []
  const plan = await planSource(source, { model, chunkBytes }, (chunk) => chunks.push(chunk))
  const bodies: Buffer[] = []
  for await (const [, body] of readRanges(source, chunks)) bodies.push(Buffer.from(body))
  return { plan, chunks, bodies }
}

const cell = fc.oneof(
  fc
    .constantFrom('', '""', 'x', 'with a "quote" inside', '"a\nb"', '"a\r\n\r\nb"', '"""', '"q""q"', 'ä€😀')
    .filter((each) => each !== '"""'),
  fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é'), maxLength: 40 }),
)
const line = fc
  .tuple(fc.array(cell, { minLength: 1, maxLength: 4 }), fc.constantFrom('\n', '\r\n'))
  .map(([cells, end]) => [cells.join(','), end] as const)

const file = fc.record({
  marked: fc.boolean(),
  lines: fc.array(line, { maxLength: 30 }),
  ended: fc.boolean(),
  chunkBytes: fc.integer({ min: 1, max: 300 }),
  gz: fc.boolean(),
})

it('the chunks of any file are its body, cut between records, with the right counts', async () => {
  await fc.assert(
    fc.asyncProperty(file, async ({ marked, lines, ended, chunkBytes, gz }) => {
      const body = lines
        .map(([cells, end], index) => cells + (index === lines.length - 1 && !ended ? '' : end))
        .join('')
      const bytes = Buffer.concat([marked ? mark : Buffer.of(), Buffer.from(`a,b\n${body}`)])
      const { plan, chunks, bodies } = await planned(bytes, chunkBytes, gz)
      expect(Buffer.concat(bodies).toString()).toBe(body)
      expect(plan).toMatchObject({
        bytes: bytes.length,
        chunks: chunks.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      })
      // A last line that is empty and has no end is no record.
      const records = lines.length - (!ended && lines.at(-1)?.[0] === '' ? 1 : 0)
      expect(plan.records).toBe(records)
      let [at, record, lineNo] = [bytes.length - Buffer.byteLength(body), 1, 2]
      for (const [index, chunk] of chunks.entries()) {
        const piece = bodies[index] as Buffer
        expect(chunk).toMatchObject({
          chunk: index,
          byteStart: at,
          bytes: piece.length,
          firstRecord: record,
          firstLine: lineNo,
        })
        expect(chunk.sha256).toBe(createHash('sha256').update(piece).digest('hex'))
        at += piece.length
        record += chunk.records
        lineNo += piece.filter((byte) => byte === 10).length
      }
      expect(record - 1).toBe(records)
    }),
    { numRuns: 300 },
  )
})

it('the same file has the same plan whatever compresses it, and another plan with another chunk size', async () => {
  const bytes = Buffer.from(`a,b\n${'x,y\n'.repeat(1_000)}`)
  const plain = await planned(bytes, 100, false)
  expect((await planned(bytes, 100, true)).plan.plan).toBe(plain.plan.plan)
  expect((await planned(bytes, 101, false)).plan.plan).not.toBe(plain.plan.plan)
})

it.each([
  [
    'a mark, quotes and CR LF',
    '\ufeffa,b\r\n1,"x\ny"\n2,z\n3,w',
    {},
    '211855d51e975169a4488beb9ea92886cc9a657c0edebce052e77335b468f3e0',
  ],
  [
    'a dialect of its own',
    'b;a\n1;2\n3;4\n',
    { delimiter: ';', quote: "'" },
    '20c96440363aa1162b2110e37c955b5f53014f86f066fda565d42a645d7e0114',
  ],
  [
    'no header',
    '1\t2\n3\t4\n',
    { delimiter: '\t', header: false },
    'f5a1baa3ae2010a65e22658292a1d2ec181c2afcae617bdf2f4e9f4eb317a969',
  ],
  ['nothing', '', {}, '114f56c356a98ff6e74c9f58bdb6a66da54bb022672a5760ace275bf2d3d089f'],
])('a CSV file with %s has the plan that version 0.1.0 made of it', async (_, content, dialect, plan) => {
  const path = join(folder, 'file.csv')
  await writeFile(path, content)
  const options = { model, dialect, chunkBytes: 8 }
  expect(await planSource(sourceAt(path, 'file.csv'), options, () => undefined)).toMatchObject({ plan })
})

it.each([
  ['nothing at all', ''],
  ['a byte order mark', '\ufeff'],
  ['a header', 'id,note'],
  ['a header and its end', '\ufeffid,note\r\n'],
])('a file of %s is a load of no record, complete when its paper has come', async (_, content) => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const path = join(folder, 'empty.csv')
  await writeFile(path, content)
  const { createConsumer } = await import('../../src/consumer/consumer.ts')
  const { numbers } = await import('../support/fixture.ts')
  await produce(fixture.producing(queue, [path]))
  await createConsumer({ queue, sink, model: numbers }).run({ untilEmpty: true })
  const [receipt] = await fixture.expectAllOnce()
  expect(receipt).toMatchObject({ records: 0, loaded: 0, chunks: 1, chunksDone: 1 })
})

it.each([1, 20])(
  'a quote that is never closed is named by the line on which it opened, %i MiB before the end',
  async (mib) => {
    const lines = Buffer.alloc(mib << 20, 'x,y\n')
    const path = join(folder, 'file.csv')
    await writeFile(path, Buffer.concat([Buffer.from('a,b\n1,2\n3,"4\n'), lines]))
    const planning = planSource(sourceAt(path, 'file.csv'), { model, chunkBytes: 1 << 20 }, () => undefined)
    await expect(planning).rejects.toMatchObject({
      code: 'UNCLOSED_QUOTE',
      message: expect.stringContaining('file.csv:3: the quote opened here'),
    })
  },
)

it('a file that changes while it is planned is refused', async () => {
  const path = join(folder, 'large.csv')
  await writeFile(path, `a,b\n${'x,y\n'.repeat(5 * 1024 * 1024)}`)
  const onRead = (bytes: number) => {
    if (bytes > 0) appendFileSync(path, 'more,\n')
  }
  const planning = planSource(
    sourceAt(path, 'large.csv'),
    { model, chunkBytes: 1 << 24, onRead },
    () => undefined,
  )
  await expect(planning).rejects.toMatchObject({ code: 'SOURCE_CHANGED' })
})
