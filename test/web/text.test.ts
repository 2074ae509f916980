import fc from 'fast-check'
import { expect, it } from 'vitest'
// @ts-expect-error Scripts of the page have types of their own.
import * as page from '../../src/web/page/text.js'

const { edit, indented, shownIn } = page as Readonly<{
  edit: (original: string, edited: string) => string
  indented: (text: string) => string
  shownIn: (text: string) => string
}>
const lines = fc.string({ unit: fc.constantFrom('a', 'b', ',', '\r', '\n', '\r\n', '\u00e9') })

it('what a person did not change in a text field comes back with the line ends that it had', () => {
  fc.assert(
    fc.property(lines, (original) => {
      expect(edit(original, shownIn(original))).toBe(original)
    }),
  )
  expect(edit('a\r\nb', 'a\nnew\nlines\nb')).toBe('a\r\nnew\r\nlines\r\nb')
  fc.assert(
    fc.property(lines, lines, lines, (before, after, typed) => {
      // Where a CR and an LF meet, they would be one line end.
      const original = `${before}<gone>${after}`
      const edited = `${shownIn(before)}|${shownIn(typed)}|${shownIn(after)}`
      const result = edit(original, edited)
      expect(result.startsWith(`${before}|`)).toBe(true)
      expect(result.endsWith(`|${after}`)).toBe(true)
      expect(shownIn(result)).toBe(edited)
    }),
  )
})

it('indented JSON is the same JSON, and what is cut or no JSON loses nothing but blanks', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(2), (json, indent) => {
      const text = indented(JSON.stringify(JSON.parse(json), null, indent))
      expect(text).toBe(JSON.stringify(JSON.parse(json), null, 2))
    }),
  )
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ',', ':', ' ', '1', 'x') }),
      (text) => {
        const bare = (each: string) => each.replaceAll(/\s/g, '')
        expect(bare(indented(text))).toBe(bare(text))
      },
    ),
  )
})
