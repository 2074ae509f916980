import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CsvReader } from '../../../src/format/csv/read.ts'

/** What is between the delimiters of lines without quotes, found in the plainest way. */
function splitAt(bytes: Buffer, delimiter: number): string[][] {
  const records: string[][] = [['']]
  for (const byte of bytes) {
    const cells = records.at(-1) as string[]
    if (byte === 10) records.push([''])
    else if (byte === delimiter) cells.push('')
    else cells[cells.length - 1] += String.fromCharCode(byte)
  }
  const last = records.at(-1) as string[]
  if (last.length === 1 && last[0] === '') records.pop()
  return records.map((cells) => [...cells.slice(0, -1), (cells.at(-1) as string).replace(/\r$/, '')])
}

const characters = fc.integer({ min: 0, max: 127 }).filter((byte) => byte !== 10 && byte !== 13)

it('any bytes fall into the same cells, whatever the delimiter, and wherever in the memory they begin and end', () => {
  const bodies = fc.uint8Array({ maxLength: 60 })
  const rare = fc.array(fc.constantFrom(0, 1, 9, 10, 13, 43, 44, 45, 126, 127, 128, 129, 172, 173, 255), {
    maxLength: 40,
  })
  fc.assert(
    fc.property(
      fc.oneof(bodies, rare),
      characters,
      characters,
      fc.nat(3),
      (body, delimiter, quote, shift) => {
        fc.pre(delimiter !== quote)
        const around = Buffer.alloc(body.length + 8, delimiter)
        // The quote has rules of its own, which other tests have.
        const bytes = around.subarray(shift, shift + body.length)
        bytes.set(body.map((byte) => (byte === quote ? 200 : byte)))
        const reader = new CsvReader({
          delimiter: String.fromCharCode(delimiter),
          quote: String.fromCharCode(quote),
        })
        reader.open(bytes)
        const found: string[][] = []
        while (reader.next()) {
          found.push(
            Array.from({ length: reader.count }, (_, i) =>
              bytes.toString('latin1', reader.starts[i], reader.ends[i]),
            ),
          )
        }
        expect(found).toEqual(splitAt(bytes, delimiter))
      },
    ),
    { numRuns: 6_000 },
  )
})
