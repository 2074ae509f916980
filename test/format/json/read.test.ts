import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Take, WantedField } from '../../../src/core/cells.ts'
import { JsonReader } from '../../../src/format/json/read.ts'

const fields = (...names: string[]): WantedField[] => names.map((name) => ({ name, take: 'text' }))
const one = (name: string, take: Take): WantedField[] => [{ name, take }]

type Cell = string | null

/** A record's cells as texts, null where there is none; or its flaw. */
type Read = readonly Cell[] | string

function readAll(reader: JsonReader, body: string | Buffer): Read[] | string {
  const unreadable = reader.open(Buffer.from(body))
  if (unreadable !== undefined) return unreadable
  const records: Read[] = []
  while (reader.next()) records.push(reader.fault?.code ?? cellsOf(reader))
  return records
}

const cellsOf = (reader: JsonReader): Cell[] =>
  Array.from({ length: reader.count }, (_, cell) => cellOf(reader, cell))

function cellOf(reader: JsonReader, cell: number): Cell {
  const { bytes, starts, ends, quoting } = reader
  if (quoting[cell] === 0 && starts[cell] === ends[cell]) return null
  return quoting[cell] === 2
    ? reader.unescaped(cell).toString()
    : bytes.toString('utf8', starts[cell], ends[cell])
}

const read = (body: string | Buffer, of = fields('a', 'b'), ignoreExtra = false) =>
  readAll(new JsonReader(of, ignoreExtra), body)

describe('the forms of a message', () => {
  it.each([
    ['an object', '{"a":1,"b":"x"}', [['1', 'x']]],
    ['an object over several lines', ' {\r\n "a": 1,\n\t"b": "x"\n}\n', [['1', 'x']]],
    ['an object without fields', '{}', ['NO_FIELD']],
    [
      'an array',
      '[{"a":1},{"b":2}]',
      [
        ['1', null],
        [null, '2'],
      ],
    ],
    [
      'an array over several lines',
      '[\n{"a":1},\n{"b":2}\n]\n',
      [
        ['1', null],
        [null, '2'],
      ],
    ],
    ['an empty array', ' [ ] ', []],
    [
      'lines',
      '{"a":1}\n{"a":2}',
      [
        ['1', null],
        ['2', null],
      ],
    ],
    [
      'lines with CRLF, blank ones and an end',
      '\n\r\n{"a":1}\r\n \t\n{"a":2} \r\n\n',
      [
        ['1', null],
        ['2', null],
      ],
    ],
    ['a byte order mark', '\ufeff{"a":1}', [['1', null]]],
    [
      'a byte order mark before lines',
      '\ufeff{"a":1}\n{"a":2}',
      [
        ['1', null],
        ['2', null],
      ],
    ],
    ['lines of which one is no JSON', '{"a":1}\noops\n{"a":2}', [['1', null], 'BAD_JSON', ['2', null]]],
    [
      'lines of which the first is no JSON',
      '{"a":1\n{"a":2}\n{"a":3}',
      ['BAD_JSON', ['2', null], ['3', null]],
    ],
    [
      'lines of which most are none',
      '{"a":1}\noops\noops\n5\n[{"a":1}]',
      [['1', null], ...Array(4).fill('BAD_JSON')],
    ],
    ['lines with two objects on one', '{"a":1}\n{"a":2}{"a":3}', [['1', null], 'BAD_JSON']],
    [
      'an array with something else in it',
      '[5,{"a":1},null,[{"a":2}]]',
      ['BAD_JSON', ['1', null], 'BAD_JSON', 'BAD_JSON'],
    ],
  ])('%s', (_, body, records) => {
    expect(read(body)).toEqual(records)
  })

  it.each([
    '',
    ' \n\r\n',
    '\ufeff',
    '5',
    '"text"',
    'null',
    'true',
    'oops',
    '[1,2]',
    '[[{"a":1}]]',
    '{"a":1}{"a":2}',
    '{"a":1} x',
    '[{"a":1}] x',
    '{"a":1,}',
    '[{"a":1},]',
  ])('%j holds no records', (body) => {
    expect(read(body)).toBeTypeOf('string')
  })

  it('says where it stops', () => {
    const reader = new JsonReader(fields('a'), false)
    expect(reader.open(Buffer.from('{"a":1,\n "b":}'))).toBe('at byte 13, a value is expected')
    expect(reader.open(Buffer.from('{"a":1'))).toBe(
      'at byte 6, it ends where a comma or a closing brace is expected',
    )
  })

  it('a byte order mark inside is no space', () => {
    expect(read('\ufeff\ufeff{"a":1}')).toBeTypeOf('string')
  })
})

const row = fc.record({ a: fc.jsonValue({ maxDepth: 1 }), b: fc.jsonValue({ maxDepth: 1 }) })

it('no part of an object or array is taken for the whole, however it is broken into lines', () => {
  const document = fc.tuple(
    fc.oneof(row, fc.array(row, { minLength: 1, maxLength: 4 })),
    fc.constantFrom('', '\n', ' \n'),
    fc.boolean(),
  )
  fc.assert(
    fc.property(document, ([value, gap, pretty]) => {
      // Each object on a line of its own is what lines look like.
      const text = pretty
        ? JSON.stringify(value, null, 1)
        : Array.isArray(value)
          ? `[${gap}${value.map((each) => JSON.stringify(each)).join(`${gap},${gap}`)}${gap}]`
          : JSON.stringify(value)
      const bytes = Buffer.from(text)
      for (let end = 0; end < bytes.length; end++)
        expect(read(bytes.subarray(0, end)), bytes.toString('utf8', 0, end)).toBeTypeOf('string')
      expect(read(bytes)).toBeInstanceOf(Array)
    }),
    { numRuns: 200 },
  )
})

it('bytes changed at random end in records or in a reason, always', () => {
  const bodies = [
    '{"a":"x\\n","b":[1,{"c":null}]}',
    '[{"a":1},{"b":"\\ud83d\\ude00"}]',
    '{"a":1}\n{"b":2}\n\n{"a":{}}\n',
  ].map((body) => Buffer.from(body))
  const reader = new JsonReader([...fields('a'), ...one('b', 'source')], true)
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
  fc.assert(
    fc.property(fc.constantFrom(...bodies), changes, (body, changed) => {
      const bytes = Buffer.from(body)
      for (const [at, byte] of changed) bytes[at % bytes.length] = byte
      const records = readAll(reader, bytes)
      if (typeof records === 'string') return
      expect(records.length).toBeLessThanOrEqual(5)
      // The reader that was used for others reads as a fresh one.
      expect(records).toEqual(readAll(new JsonReader([...fields('a'), ...one('b', 'source')], true), bytes))
    }),
    { numRuns: 10_000 },
  )
})

describe('values', () => {
  it.each([
    ['"text"', 'text'],
    ['""', ''],
    ['12345678901234567890', '12345678901234567890'],
    ['1e400', '1e400'],
    ['-0.10', '-0.10'],
    ['true', 'true'],
    ['false', 'false'],
    ['null', null],
    ['"null"', 'null'],
    ['"a\\u0041\\n"', 'aA\n'],
    ['"\\ud83d\\ude00"', '😀'],
  ])('%s is the text %j', (source, text) => {
    expect(read(`{"a":${source}}`, fields('a'))).toEqual([[text]])
    expect(read(`{"a":${source}}`, one('a', 'either'))).toEqual([[text]])
  })

  it.each(['"text"', '""', '"\\u0000\\ud800"', '1.50', 'true', '{"b": [1 , 2]}', '[]', '"\\n"'])(
    '%s is kept as it stands where that is wanted',
    (source) => {
      expect(read(`{"a": ${source} }`, one('a', 'source'))).toEqual([[source]])
      expect(read('{"a": null }', one('a', 'source'))).toEqual([[null]])
    },
  )

  it('a value with parts is refused where a single one is wanted, and kept as it stands where either is', () => {
    for (const value of ['{}', '[1, 2]', '{"b":{}}']) {
      expect(read(`{"a":${value}}`, fields('a'))).toEqual(['NESTED_VALUE'])
      expect(read(`{"a":${value}}`, one('a', 'either'))).toEqual([[value]])
    }
  })

  it.each([
    ['"\\u0000"', 'NUL_BYTE'],
    ['"\\ud800"', 'LONE_SURROGATE'],
    ['"\\udc00 \\ud800"', 'LONE_SURROGATE'],
  ])('%s is no text', (value, flaw) => {
    expect(read(`{"a":${value}}`, fields('a'))).toEqual([flaw])
    expect(read(`{"a":1,"x":${value}}`, fields('a'), true)).toEqual([['1']])
  })

  it('two fields of one name each take the value in their own way', () => {
    expect(read('{"a":"x"}', [...fields('a'), ...one('a', 'source')])).toEqual([['x', '"x"']])
  })
})

describe('an object in which no column finds its field', () => {
  it.each([
    '{}',
    '[{},{"x":1}]',
    '{"x":1}\n{"x":null,"y":{"a":1}}',
    '{"Type":"Notification","Message":"{\\"a\\":1}"}',
  ])('is refused: %s', (body) => {
    for (const each of read(body, fields('a', 'b'), true)) expect(each).toBe('NO_FIELD')
  })

  it('is refused after one that had it, and in whatever place unknown fields stand', () => {
    const body = '[{"a":1,"x":2},{"x":2,"y":1},{"y":1,"b":null},{"x":1}]'
    expect(read(body, fields('a', 'b'), true)).toEqual([['1', null], 'NO_FIELD', [null, null], 'NO_FIELD'])
  })

  it('is refused where it has the key alone, which no column reads', () => {
    const of = [...fields('a'), ...one('k', 'key')]
    expect(read('[{"k":"1"},{"k":"1","a":2}]', of, true)).toEqual(['NO_FIELD', ['2', '1']])
    expect(read('{"a":"1"}', [...fields('a'), ...one('a', 'key')], true)).toEqual([['1', '1']])
  })

  it('is any of a model whose columns are all generated', () => {
    expect(read('{"x":1}', [], true)).toEqual([[]])
  })
})

describe('names', () => {
  it('are found in any order, also after many in another', () => {
    const reader = new JsonReader(fields('a', 'b', 'c'), false)
    const orders = [
      '{"a":1,"b":2,"c":3}',
      '{"c":3,"b":2,"a":1}',
      '{"b":2,"c":3,"a":1}',
      '{"\\u0061":1,"c":3,"b":2}',
    ]
    for (const body of [...orders, ...orders.toReversed(), ...orders])
      expect(readAll(reader, body)).toEqual([['1', '2', '3']])
  })

  it('that the model does not know are refused, or left out', () => {
    expect(read('{"a":1,"x":2}')).toEqual(['EXTRA_FIELD'])
    expect(read('{"a":1,"x":{"y":[]},"b":2}', fields('a', 'b'), true)).toEqual([['1', '2']])
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', '', 'ä', '😀', 'a"b'])(
    '%j is a name like any other',
    (name) => {
      const body = JSON.stringify({ a: 1 }).replace('"a"', JSON.stringify(name))
      expect(read(body, fields(name))).toEqual([['1']])
      expect(read(body, fields('a'))).toEqual(['EXTRA_FIELD'])
      expect(read(body, fields('a'), true)).toEqual(['NO_FIELD'])
      expect(read(body.replace('}', ',"a":2}'), fields('a'), true)).toEqual([['2']])
    },
  )

  it('that stand twice are refused, known or not, nested or not', () => {
    for (const ignoreExtra of [false, true]) {
      expect(read('{"a":1,"a":1}', fields('a'), ignoreExtra)).toEqual(['DUPLICATE_FIELD'])
      expect(read('{"a":1,"\\u0061":1}', fields('a'), ignoreExtra)).toEqual(['DUPLICATE_FIELD'])
      expect(read('{"a":{"x":1,"x":1}}', one('a', 'source'), ignoreExtra)).toEqual(['DUPLICATE_FIELD'])
    }
    expect(read('{"x":1,"x":1}', fields('a'), true)).toEqual(['DUPLICATE_FIELD'])
    expect(read('[{"x":1,"a":1},{"x":1,"a":2},{"a":1},{"a":1}]', fields('a'), true)).toEqual([
      ['1'],
      ['2'],
      ['1'],
      ['1'],
    ])
  })

  it('are compared with all before them, however many unknown fields come along', () => {
    const reader = new JsonReader(fields('a'), true)
    const many = (n: number) =>
      `{${Array.from({ length: 700 }, (_, index) => `"${n}-${index}":0`).join(',')},"a":1`
    for (let n = 0; n < 10; n++) {
      expect(readAll(reader, `${many(n)}}`)).toEqual([['1']])
      expect(readAll(reader, `${many(n)},"${n}-500":0}`)).toEqual(['DUPLICATE_FIELD'])
    }
    const long = 'x'.repeat(100_000)
    expect(readAll(reader, `{"${long}":1,"a":2}`)).toEqual([['2']])
    expect(readAll(reader, `{"${long}":1,"${long}":2}`)).toEqual(['DUPLICATE_FIELD'])
    expect(readAll(reader, `[{"a":1,"${long}":1},{"${long}":1,"a":2}]`)).toEqual([['1'], ['2']])
  })
})

it('objects of any fields and order come out as JSON.parse reads them', () => {
  const names = ['a', 'b', 'ab', '', 'ä', '__proto__']
  const value = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.integer(),
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.boolean(),
    fc.constant(null),
  )
  const member = fc.tuple(fc.constantFrom(...names), value)
  const object = fc.uniqueArray(member, { selector: ([name]) => name })
  const reader = new JsonReader(fields(...names), false)
  fc.assert(
    fc.property(fc.array(object, { minLength: 1 }), fc.constantFrom('array', 'lines'), (objects, form) => {
      const texts = objects.map(
        (members) =>
          `{${members.map(([name, each]) => `${JSON.stringify(name)}:${JSON.stringify(each)}`).join(',')}}`,
      )
      const body = form === 'array' ? `[${texts.join(',')}]` : texts.join('\n')
      const expected = objects.map((members) => {
        if (members.length === 0) return 'NO_FIELD'
        const values = new Map(members)
        return names.map((name) => {
          const each = values.get(name) ?? null
          return each === null || typeof each === 'string' ? each : JSON.stringify(each)
        })
      })
      expect(readAll(reader, body)).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})

it('what a record says nothing of is absent, and null is said: of members, in objects, and of names in quotes', () => {
  const absent = (body: string) => {
    const names = ['a', 'b.c', '"d.e"', '"b"']
    const wanted = names.map((name) => ({ name, take: 'either' as const }))
    const reader = new JsonReader(wanted, true)
    expect([reader.open(Buffer.from(body)), reader.next()]).toEqual([undefined, true])
    return reader.fields.filter((_, cell) => reader.isAbsent(cell))
  }
  expect(absent('{"x":1}')).toEqual(['a', 'b.c', '"d.e"', '"b"'])
  expect(absent('{"a":null,"d.e":null}')).toEqual(['b.c', '"b"'])
  expect(absent('{"b":{"c":null}}')).toEqual(['a', '"d.e"'])
  expect(absent('{"b":{},"d.e":1}')).toEqual(['a', 'b.c'])
  expect(absent('{"b":null}')).toEqual(['a', '"d.e"'])
})

it('the place of each record is that of its own bytes', () => {
  const body = Buffer.from('\ufeff{"a":1}\r\n\n  {"a":2} \noops \r\n{"a":3}')
  const reader = new JsonReader(fields('a'), false)
  reader.open(body)
  const raws: string[] = []
  while (reader.next()) raws.push(body.toString('utf8', reader.recordStart, reader.recordEnd))
  expect(raws).toEqual(['{"a":1}', '{"a":2}', 'oops ', '{"a":3}'])
})

it('64 levels are taken in any form, and more refused', () => {
  const deep = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
  for (const form of [
    (text: string) => text,
    (text: string) => `[${text}]`,
    (text: string) => `${text}\n{"a":1}`,
  ]) {
    expect(read(form(deep(64)), one('a', 'source'))).toBeInstanceOf(Array)
    const refused = read(form(deep(65)), one('a', 'source'))
    if (typeof refused !== 'string') expect(refused[0]).toBe('BAD_JSON')
  }
  expect(read(deep(200), one('a', 'source'))).toContain('64 levels')
})
