import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LadingError } from '../../../src/core/errors.ts'
import { readInferred, sniffed } from '../../support/inferred.ts'

const parts = [
  'a',
  'b1',
  '7',
  '2,5',
  '2024-01-01',
  '12:30',
  'Total',
  '#',
  '# a',
  'sep=;',
  '"',
  "'",
  '""',
  '\\',
  '\\"',
  '=',
  '="0"',
  ',',
  ',',
  ';',
  ';',
  '\t',
  '|',
  ':',
  ' ',
  '\n',
  '\n',
  '\r\n',
  '\r',
  '\u001f',
  'é',
  '\ufeff',
  '{',
  '[',
  '\\N',
]
/** A CR alone within the first line; the error names the option. */
const refusals = ['SOURCE_LINE_ENDS']

const text = fc.array(fc.constantFrom(...parts), { maxLength: 60 }).map((each) => each.join(''))

it('whatever a file holds, it can be read as it was found, with the same fields', () => {
  return fc.assert(
    fc.asyncProperty(text, async (each) => {
      const bytes = Buffer.from(each)
      const found = sniffed(bytes)
      // Where CR alone ends lines, inspection takes those within quotes for line ends, too.
      fc.pre(found.format === 'csv' && found.lineEnd === undefined)
      const read = await readInferred(bytes).catch((error: LadingError) => error)
      if (read instanceof LadingError) {
        expect(refusals).toContain(read.code)
        return
      }
      expect(read.fields).toEqual(found.fields)
    }),
    { numRuns: 700 },
  )
})

it('bytes that are no text are looked at as well', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(sniffed(Buffer.from(bytes)).format).toBeDefined()
    }),
    { numRuns: 700 },
  )
})
