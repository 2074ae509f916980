/**
 * JSON.parse is the oracle: what it takes the scanner takes, and the other way round, apart from how deep a
 * text may be nested.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kinds, mostDepth, odds, Scanner } from '../../../src/format/json/scan.ts'
import { unescape } from '../../../src/format/json/text.ts'

const runs = { numRuns: 3000 }

/** Index after the value that fills the text, or -1. Bytes around it must make no difference. */
function scan(text: string | Buffer, around = ''): Scanner & { readonly sound: boolean } {
  const scanner = new Scanner()
  const [before, body] = [Buffer.from(around), Buffer.from(text)]
  scanner.bytes = Buffer.concat([before, body, before])
  scanner.end = before.length + body.length
  const after = scanner.value(scanner.space(before.length), 1)
  return Object.assign(scanner, { sound: after >= 0 && scanner.space(after) === scanner.end })
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What else a text may be made of that comes near to JSON. */
const pieces = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a"',
  '"\\n"',
  '0',
  '-',
  '1.5',
  'e',
  '+',
  '.',
  'true',
  'false',
  'null',
  ' ',
  '\n',
  '\\',
  '\t',
  '\u00a0',
  'ä',
  '/',
  '1',
]
const nearlyJson = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''))

/** Sound JSON with space between its parts. */
const spaced = fc
  .tuple(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'))
  .map(([value, space]) => JSON.stringify(value, null, space))

describe('the scanner takes what JSON.parse takes', () => {
  it('of sound documents', () => {
    fc.assert(
      fc.property(spaced, (text) => {
        expect(scan(text).sound).toBe(true)
      }),
      runs,
    )
  })

  it('of texts that come near', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        expect([text, scan(text).sound]).toEqual([text, parses(text)])
      }),
      { numRuns: 20_000 },
    )
  })

  it('of sound documents with one byte changed, and whatever stands around them', () => {
    const change = fc.tuple(
      spaced,
      fc.nat(),
      fc.integer({ min: 0, max: 127 }),
      fc.constantFrom('', '"', '1', ']', '}', ',', 'e1'),
    )
    fc.assert(
      fc.property(change, ([text, at, byte, around]) => {
        const bytes = Buffer.from(text)
        bytes[at % bytes.length] = byte
        // What is not UTF-8 any more JSON.parse never sees.
        fc.pre(Buffer.from(bytes.toString()).equals(bytes))
        const scanned = scan(bytes, around)
        expect([bytes.toString(), scanned.sound]).toEqual([bytes.toString(), parses(bytes.toString())])
      }),
      runs,
    )
  })

  it.each([
    '[1,]',
    '{"a":1,}',
    '{,}',
    '[,]',
    '{"a"}',
    '{"a":}',
    "{'a':1}",
    '{a:1}',
    '/**/1',
    '1//',
    '01',
    '-01',
    '1.',
    '.5',
    '+1',
    '1e',
    '1e+',
    '0x1',
    'NaN',
    'Infinity',
    '-',
    'tru',
    'truE',
    'nul',
    '"',
    '"\\"',
    '"\\x"',
    '"\\u12g4"',
    '"\\u12"',
    '"\t"',
    '"\n"',
    '"\u0000"',
    '"\u001f"',
    '',
    ' ',
    '[',
    ']',
    '{',
    '}',
    '[}',
    '{]',
    '1 2',
    '\u00a01',
    '\ufeff1',
    '\f1',
    '"a""b"',
    '{"a":1 "b":2}',
    '[1 2]',
  ])('%j is none', (text) => {
    expect(parses(text)).toBe(false)
    expect(scan(text).sound).toBe(false)
  })

  it.each([
    '0',
    '-0',
    '-0.0e-0',
    '1E+5',
    '12345678901234567890',
    '1e400',
    '"\u007f"',
    '"\\/"',
    '""',
    '{}',
    '[]',
    '[[],{}]',
    ' [ ] ',
    '{"":{"":[]}}',
    '\r\n\t 1 \r\n\t ',
  ])('%j is one', (text) => {
    expect(parses(text)).toBe(true)
    expect(scan(text).sound).toBe(true)
  })
})

it('every truncation of a sound object or array is refused', () => {
  const document = fc.oneof(
    fc.array(fc.jsonValue({ maxDepth: 3 })),
    fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
  )
  fc.assert(
    fc.property(document, (value) => {
      const text = Buffer.from(JSON.stringify(value))
      for (let end = 0; end < text.length; end++)
        expect(scan(text.subarray(0, end)).sound, text.toString('utf8', 0, end)).toBe(false)
    }),
    { numRuns: 300 },
  )
})

it('whatever the bytes, the scanner ends, and stays within them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const scanner = scan(Buffer.from(bytes))
      if (!scanner.sound && scanner.broken !== '') expect(scanner.brokenAt).toBeLessThanOrEqual(bytes.length)
    }),
    runs,
  )
})

/** JSON of a text in which any character may be escaped in any way. */
const escapedString = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 0xffff }), fc.boolean(), fc.boolean()))
  .map((units) =>
    units
      .map(([unit, escape, upper]) => {
        const character = String.fromCharCode(unit)
        if (!escape && unit >= 0x20 && unit !== 0x22 && unit !== 0x5c && (unit < 0xd800 || unit > 0xdfff))
          return character
        const digits = unit.toString(16).padStart(4, '0')
        return `\\u${upper ? digits.toUpperCase() : digits}`
      })
      .join(''),
  )

it('a string comes out as JSON.parse reads it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        escapedString,
        fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text).slice(1, -1)),
      ),
      (inner) => {
        const scanned = scan(`"${inner}"`)
        const text = JSON.parse(`"${inner}"`) as string
        expect(scanned.sound).toBe(true)
        expect(scanned.escaped).toBe(inner.includes('\\'))
        // Which of the two is told where both are does not matter.
        if (!text.isWellFormed() || text.includes('\0')) {
          expect(scanned.odd).not.toBe(odds.nothing)
          return
        }
        expect(scanned.odd).toBe(odds.nothing)
        const bytes = Buffer.from(inner)
        expect(unescape(bytes, 0, bytes.length).toString()).toBe(text)
      },
    ),
    runs,
  )
})

it.each([
  ['"\\n\\r\\t\\b\\f\\/\\\\\\""', '\n\r\t\b\f/\\"'],
  ['"\\uD83D\\ude00"', '😀'],
  ['"\\u00e4\\u20ac"', 'ä€'],
])('%s is %j', (source, text) => {
  const bytes = Buffer.from(source)
  expect(unescape(bytes, 1, bytes.length - 1).toString()).toBe(text)
})

it('different strings stay different, also where they hold half a surrogate pair', () => {
  const texts = ['\\ud800', '\\ud801', '\\udc00', '\\ufffd', '\\ud800\\ud800', '\\udc00\\ud800']
  const all = texts.map((text) => unescape(Buffer.from(text), 0, text.length).toString('hex'))
  expect(new Set(all).size).toBe(texts.length)
})

it.each([
  ['"\\u0000"', odds.nul],
  ['"a\\ud800"', odds.surrogate],
  ['"\\udc00\\ud800"', odds.surrogate],
  ['"\\ud800x\\udc00"', odds.surrogate],
  ['"\\ud83d\\ude00"', odds.nothing],
])('%s is known for what no database takes', (text, odd) => {
  expect(scan(text)).toMatchObject({ sound: true, kind: kinds.string, odd })
})

describe('depth', () => {
  const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth)

  it(`${mostDepth} levels are taken and more refused`, () => {
    expect(scan(nested(mostDepth)).sound).toBe(true)
    expect(scan(nested(mostDepth + 1))).toMatchObject({
      sound: false,
      broken: expect.stringContaining('64 levels'),
    })
  })

  it('a million levels cost no stack', () => {
    for (const open of ['[', '{"a":']) expect(scan(open.repeat(1_000_000)).sound).toBe(false)
  })
})

it.each([
  ['{"a":1,"a":2}', true],
  ['{"a":1,"\\u0061":2}', true],
  ['[{"a":{"b":1,"b":1}}]', true],
  ['{"a":{"a":1},"b":{"a":1}}', false],
  ['[{"a":1},{"a":1}]', false],
  ['{"__proto__":1,"constructor":2,"__proto__":3}', true],
  ['{"__proto__":1,"constructor":2,"toString":3}', false],
])('%s has a name twice: %s', (text, twice) => {
  const scanned = scan(text)
  expect(scanned.sound).toBe(true)
  expect(scanned.twiceStart >= 0).toBe(twice)
})
