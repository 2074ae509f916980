/** Of a file that grows, what is read of it does not depend on how its bytes come. */
import { expect, it } from 'vitest'
import type { StatedDialect } from '../../src/format/csv/dialect.ts'
import { written } from '../../src/producer/reading.ts'
import { inPieces } from '../support/pieces.ts'

const sizes = [700, 5000, 1 << 20]
const textOf = async (bytes: AsyncIterable<Buffer>): Promise<string> => {
  let text = ''
  for await (const piece of bytes) text += piece.toString()
  return text
}

/** Longer than the first piece. */
const head = `${Array.from({ length: 2000 }, (_, n) => `c${n}`).join()}\n`

it.each<[what: string, content: string, expected: string, line: number, dialect?: StatedDialect]>([
  ['a header that has no end yet is left', head.slice(0, -1), '', 1],
  ['lines above a header that is not there yet are left', 'a note\nanother\n', '', 1, { skipLines: 3 }],
  ['a header of which a row is not there yet is left', `${head}c\nd`, '', 1, { headerRows: 3 }],
  ['a header is read before there are records', head, head, 2],
  ['a record that has no end yet is left', `${head}1,2\n3,"4\n`, `${head}1,2\n`, 3],
])('%s, in pieces of any size', async (_, content, expected, line, dialect = {}) => {
  for (const size of sizes) {
    const source = written(inPieces(Buffer.from(content), [size]), { format: 'csv', dialect, grows: true })
    expect(await textOf(source.bytes())).toBe(expected)
    const bytes = content.length - expected.length
    expect(source.waiting).toEqual(bytes === 0 ? undefined : { bytes, line })
  }
})

it('no more is read than what was loaded before, in pieces of any size', async () => {
  const content = `${head}1,2\n3,4\n`
  for (const size of sizes)
    for (const until of [1, 700, 701, head.length + 4, content.length, content.length + 9]) {
      const source = written(inPieces(Buffer.from(content), [size]), { format: 'csv', until })
      const found = await textOf(source.bytes())
      expect(found === content.slice(0, until), `${size} ${until}`).toBe(true)
    }
})
