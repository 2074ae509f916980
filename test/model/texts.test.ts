import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fault } from '../../src/core/fault.ts'
import { boolean, custom, date, integer, json, text, uuid, varchar } from '../../src/model/columns.ts'
import { anyText, outcome, verdict } from './helpers.ts'

const detailOf = (result: unknown): string => (result as Fault).detail

describe('boolean', () => {
  it.each(['true', 'TRUE', 'True', 't', 'T', 'yes', 'y', 'Y', 'on', 'ON', '1'])('%j is true', (word) => {
    expect(verdict(boolean(), word)).toBe(true)
  })
  it.each(['false', 'FALSE', 'f', 'no', 'n', 'N', 'off', 'Off', '0'])('%j is false', (word) => {
    expect(verdict(boolean(), word)).toBe(false)
  })
  it.each(['', ' ', 'tru', 'truee', 'o', '2', '-1', 'null', ' t', 't ', 'ja', 'ＴＲＵＥ'])(
    '%j is no boolean',
    (word) => {
      expect(verdict(boolean(), word)).toEqual({ refused: 'BAD_BOOLEAN' })
    },
  )
})

describe('uuid', () => {
  const canonical = '0189f5a2-7c3e-7abc-9def-0123456789ab'
  it.each([canonical, canonical.toUpperCase(), canonical.replaceAll('-', '')])('%j is read', (word) => {
    expect(verdict(uuid(), word)).toBe(canonical)
  })
  it.each([
    '',
    `{${canonical}}`,
    canonical.slice(1),
    `${canonical}0`,
    canonical.replace('a', 'g'),
    `${canonical} `,
    '-'.repeat(36),
    canonical.replace('-', ''),
  ])('%j is no uuid', (word) => expect(verdict(uuid(), word)).toEqual({ refused: 'BAD_UUID' }))
})

describe('text', () => {
  it('every text comes through as it is', () => {
    fc.assert(fc.property(anyText, (word) => void expect(verdict(text(), word)).toBe(word)))
  })

  it('a custom type leaves every text to the database', () => {
    fc.assert(fc.property(anyText, (word) => void expect(verdict(custom('inet'), word)).toBe(word)))
  })

  it.each(['', 'abc', 'äöü', '中文字', '😀😀😀', 'e\u0301x', '   '])(
    'varchar(3) takes %j, counting code points',
    (word) => {
      expect(verdict(varchar(3), word)).toBe(word)
    },
  )

  it.each(['abcd', '中文字了', '😀😀😀😀', 'abc '])('varchar(3) refuses %j and cuts nothing', (word) => {
    expect(verdict(varchar(3), word)).toEqual({ refused: 'TOO_LONG' })
  })
})

describe('json', () => {
  it.each([
    '{}',
    '[]',
    'null',
    '0',
    '-0',
    '1E400',
    '"a"',
    '{"a": [1, 2.50, {"a": null}]}',
    ' [1]\n',
    '"\\u0000"',
    '{"a":1,"a":2}',
  ])('%j is kept as it came', (word) => expect(verdict(json(), word)).toBe(word))

  it.each([
    '',
    ' ',
    '{',
    "{'a': 1}",
    '{a: 1}',
    '[1,]',
    '01',
    'NaN',
    'undefined',
    '"a\nb"',
    '\u{feff}1',
    '1 2',
    '{"a":\n}',
  ])('%j is refused in one line', (word) => {
    expect(verdict(json(), word)).toEqual({ refused: 'BAD_JSON' })
    expect(detailOf(outcome(json(), word))).toMatch(/^[\P{Cc}]+$/u)
  })
})

describe('a fault quotes the text', () => {
  it('with what cannot be seen made visible, in one line', () => {
    expect(detailOf(outcome(integer(), '1\n\u007f\u009b\u2028\u00a0\u200b\u{e0001}\\"é'))).toBe(
      String.raw`"1\n\u{7f}\u{9b}\u{2028}\u{a0}\u{200b}\u{e0001}\\\"é" is not a whole number`,
    )
  })

  it('in one printable line, whatever it is', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(integer(), date(), uuid(), json()), (word, column) => {
        const result = outcome(column, `${word}x`)
        expect(detailOf(result)).toMatch(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u)
        expect(detailOf(result).length).toBeLessThan(1000)
      }),
      { numRuns: 2000 },
    )
  })

  it('cut between characters and never within one', () => {
    for (let length = 30; length < 50; length++) {
      const detail = detailOf(outcome(integer(), `${'x'.repeat(length)}${'😀'.repeat(20)}`))
      expect(detail).toMatch(/^"x+(😀)*…" is not a whole number$/u)
    }
  })
})
