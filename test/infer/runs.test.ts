/** The records of a source come in runs of whole records, wherever its pieces end. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linesIn } from '../../src/core/bytes.ts'
import { splitterFor } from '../../src/format/registry.ts'
import { runsOf } from '../../src/infer/records.ts'
import { inPieces } from '../support/pieces.ts'

const expected = { table: '', names: [], isMasked: false, namesColumns: true, problems: () => [] }

it('of a long source, no more than its head is given where that is enough, and all of a short one', async () => {
  const body = Buffer.from('1,word of many\n'.repeat(200_000))
  for (const [bytes, least, most] of [
    [body, 1 << 20, body.length / 2],
    [body.subarray(0, 15 * 1000), 15 * 1000, 15 * 1000],
  ] as const)
    for (const size of [70_000, 1 << 20]) {
      const splitter = splitterFor({ format: 'csv', dialect: { header: false } }, 'x', expected)
      let given = 0
      for await (const run of runsOf(inPieces(bytes, [size]), splitter, { isHead: true }))
        given += run.bytes.length
      expect(given).toBeGreaterThanOrEqual(size === 70_000 ? least : Math.min(least, 15_000))
      expect(given).toBeLessThanOrEqual(most)
    }
})

it('each run begins with the record behind the one before, on its line', async () => {
  const cell = fc.oneof(
    fc.constantFrom('1', '', '2024-02-29', '"a\nb"', '"say ""no"""', 'é'),
    fc.integer({ min: 1, max: 3000 }).map((length) => 'x'.repeat(length)),
    fc.integer({ min: 1, max: 40 }).map((lines) => `"${'y\n'.repeat(lines)}"`),
  )
  const record = fc.tuple(cell, cell).map((cells) => cells.join(','))
  const file = fc.record({
    records: fc.array(record, { maxLength: 60 }),
    times: fc.constantFrom(1, 40),
    sizes: fc.array(fc.constantFrom(700, 1024, 4096, 5000, 70_000, 600_000), { minLength: 1, maxLength: 4 }),
    end: fc.constantFrom('\n', '\r\n'),
    isOpen: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(file, async ({ records, times, sizes, end, isOpen }) => {
      const all = Array.from({ length: times }, () => records).flat()
      const ends = new Set([0])
      const written = all.map((text, index) => (isOpen && index === all.length - 1 ? text : text + end))
      const body = written.join('')
      let at = 0
      for (const text of written) ends.add((at += Buffer.byteLength(text)))
      const splitter = splitterFor({ format: 'csv' }, 'x', expected)
      const seen: Buffer[] = []
      for await (const { bytes, line } of runsOf(
        inPieces(Buffer.from(`a,b${end}${body}`), sizes),
        splitter,
      )) {
        const before = Buffer.concat(seen)
        expect(ends).toContain(before.length)
        expect(line).toBe(2 + linesIn(before))
        seen.push(Buffer.from(bytes))
      }
      expect(Buffer.concat(seen).toString()).toBe(body)
    }),
    { numRuns: 100 },
  )
})
