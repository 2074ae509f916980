import fc from 'fast-check'
import { expect, it } from 'vitest'
import { countLines, hasByte } from '../../../src/format/csv/bytes.ts'

/** LF and the bytes that differ from it in the bits that counting by words plays with. */
const nearLf = fc.constantFrom(10, 10, 10, 0, 9, 11, 13, 0x8a, 0x0a ^ 0x40, 0x7f, 0x80, 0xff)
const anyBytes = fc
  .array(fc.oneof(nearLf, fc.nat(255)), { maxLength: 60 })
  .map((bytes) => Uint8Array.from(bytes))

it('lines are counted exactly, whatever the bytes are and wherever they lie in memory', () => {
  fc.assert(
    fc.property(anyBytes, fc.nat(5), fc.nat(60), fc.nat(60), (bytes, skip, a, b) => {
      const view = bytes.subarray(Math.min(skip, bytes.length))
      const [from, to] = [Math.min(a, b, view.length), Math.min(Math.max(a, b), view.length)]
      expect(countLines(view, from, to)).toBe(view.subarray(from, to).filter((byte) => byte === 10).length)
      expect(hasByte(view, 10, from, to)).toBe(view.subarray(from, to).includes(10))
    }),
    { numRuns: 5000 },
  )
})

it('a large block of nothing but LFs is counted without overflow', () => {
  const bytes = new Uint8Array(100_003).fill(10)
  expect(countLines(bytes, 0, bytes.length)).toBe(100_003)
  expect(countLines(bytes, 1, bytes.length - 1)).toBe(100_001)
})
