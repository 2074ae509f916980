/** Fields in nested objects: read, located and replaced by their paths. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellBytes, type Take, unquoted } from '../../../src/core/cells.ts'
import type { Format } from '../../../src/format/format.ts'
import { formatOf, messageLayout } from '../../../src/format/registry.ts'
import { text } from '../../../src/model/columns.ts'
import { redact } from '../../../src/model/mask.ts'
import { defineModel } from '../../../src/model/model.ts'
import { Keeping } from '../../../src/consumer/decode/keeping.ts'

const format = formatOf(messageLayout) as Format

function read(
  record: string,
  names: readonly string[],
  { takes = {} as Record<string, Take>, ignoreExtra = false } = {},
) {
  const wanted = names.map((name) => ({ name, take: takes[name] ?? ('text' as const), column: `of ${name}` }))
  const reader = format.reader(messageLayout, wanted, ignoreExtra)
  reader.openOne(Buffer.from(record))
  if (reader.fault !== undefined) return reader.fault
  return names.map((_, cell) =>
    reader.quoting[cell] === unquoted && reader.starts[cell] === reader.ends[cell]
      ? null
      : cellBytes(reader, cell).toString(),
  )
}

it('a path reaches a value in nested objects, with every digit, whatever the order of the members', () => {
  const record =
    '{"accountId":12345678901234567890,"event":{"transaction":{"transaction_id":9007199254740993}}}'
  expect(read(record, ['event.transaction.transaction_id', 'accountId'])).toEqual([
    '9007199254740993',
    '12345678901234567890',
  ])
})

it('several columns read parts of one object, and one may read the whole of it', () => {
  const record = '{"e":{"a":"x\\n","b":{"c":1.50},"d":[1]}}'
  expect(
    read(record, ['e.a', 'e.b.c', 'e.d', 'e.b'], { takes: { 'e.d': 'source', 'e.b': 'source' } }),
  ).toEqual(['x\n', '1.50', '[1]', '{"c":1.50}'])
  expect(read(record, ['e.a', 'e'], { takes: { e: 'source' } })).toEqual([
    'x\n',
    '{"a":"x\\n","b":{"c":1.50},"d":[1]}',
  ])
})

it('a field whose name has a point wins where the record has it, and a name in quotes is that of a member', () => {
  expect(read('{"a.b":1,"a":{"b":2}}', ['a.b'])).toEqual(['1'])
  expect(read('{"a":{"b":2}}', ['a.b'])).toEqual(['2'])
  expect(read('{"a":{"b":2,"c":3},"a.b":1}', ['a.b', 'a.c'])).toEqual(['1', '3'])
  expect(read('{"a.b":null,"a":{"b":2}}', ['a.b'])).toEqual([null])
  expect(read('{"a.b":{"c.d":3}}', ['"a.b"."c.d"'])).toEqual(['3'])
  expect(read('{"a.b":1}', ['"a.b"'])).toEqual(['1'])
})

it('a path that ends early has no value, and one through a value that is no object is a fault', () => {
  for (const record of [
    '{"x":1}',
    '{"x":1,"a":null}',
    '{"x":1,"a":{}}',
    '{"x":1,"a":{"b":null}}',
    '{"x":1,"a":{"b":{}}}',
  ])
    expect(read(record, ['x', 'a.b.c'])).toEqual(['1', null])
  expect(read('{"x":1,"a":[{"b":2}]}', ['x', 'a.b'])).toMatchObject({
    code: 'NOT_AN_OBJECT',
    column: 'of a.b',
    span: { start: 11, end: 20 },
  })
  expect(read('{"x":1,"a":5}', ['x', 'a.b'])).toMatchObject({ code: 'NOT_AN_OBJECT' })
  expect(read('{"a":{"b":{"c":1}}}', ['a.b'])).toMatchObject({ code: 'NESTED_VALUE', column: 'of a.b' })
})

it('a field that no column reads is refused in nested objects too, and none where no column finds its field', () => {
  expect(read('{"a":{"b":1,"z":2}}', ['a.b'])).toMatchObject({
    code: 'EXTRA_FIELD',
    detail: 'field "z" is not in the model',
    span: { start: 13, end: 14 },
  })
  expect(read('{"a":{"b":1,"z":2}}', ['a.b'], { ignoreExtra: true })).toEqual(['1'])
  for (const record of ['{}', '{"z":1}', '{"a":{}}', '{"a":{"z":1}}', '{"a":null}', '{"$":{"b":1}}'])
    expect(read(record, ['a.b', '$.b'], { ignoreExtra: true }), record).toMatchObject({ code: 'NO_FIELD' })
  expect(read('{"a":{"b":1,"b":1}}', ['a.b'])).toMatchObject({ code: 'DUPLICATE_FIELD' })
})

it('the place of a value is found by its path, that of a member with a point in its name first', () => {
  const at = (record: string, field: string) => {
    const span = format.record.locate(Buffer.from(record), messageLayout, field, -1)
    return span && record.slice(span.start, span.end)
  }
  expect(at('{"x":{"b":0},"a":{"x":0,"b":"here"}}', 'a.b')).toBe('"here"')
  expect(at('{"a":{"b":"not"},"a.b":"here"}', 'a.b')).toBe('"here"')
  expect(at('{"a":{"c":1}}', 'a.b')).toBeUndefined()
})

describe('a model that masks', () => {
  const masked = defineModel({
    table: 't',
    columns: {
      id: text(),
      ip: text().from('user.net.ip').mask(redact('***')),
      name: text().from('user.name'),
    },
  })
  const kept = (record: string) => Keeping.of(masked)?.record(Buffer.from(record), messageLayout).toString()

  it('masks a value where its path finds it, redacts what no column reads, and keeps the rest byte by byte', () => {
    expect(
      kept('{ "id": 1, "user": {"net":{"ip" : "203.0.113.7","mac":"m"},"name":"n","pin":{"a":1}}, "z":[2]}'),
    ).toBe(
      '{ "id": 1, "user": {"net":{"ip" : "***","mac":"[redacted]"},"name":"n","pin":"[redacted]"}, "z":"[redacted]"}',
    )
    expect(kept('{"user.net.ip":"203.0.113.7","user":5}')).toBe('{"user.net.ip":"***","user":"[redacted]"}')
    expect(kept('{"user":{"net":{"ip":{"v4":"203.0.113.7"}}}}')).toBe('{"user":{"net":{"ip":"[redacted]"}}}')
  })

  it('cannot have a column that reads an object with a masked value in it', () => {
    for (const [ip, whole] of [
      ['a.b', 'a'],
      ['a', 'a.b'],
      ['a.b', 'a.b'],
    ] as const)
      expect(() =>
        defineModel({
          table: 't',
          columns: { ip: text().from(ip).mask(redact()), whole: text().from(whole) },
        }),
      ).toThrow('is masked, and read by whole too')
    expect(() =>
      defineModel({
        table: 't',
        columns: { ip: text().from('a.b').mask(redact()), other: text().from('a.c') },
      }),
    ).not.toThrow()
  })
})

it('whatever the objects, a path reads what a parser finds', () => {
  const leaf = fc.oneof(
    fc.integer(),
    fc.string({ unit: fc.constantFrom('a', '"', '\\', '}', 'é') }),
    fc.constant(null),
  )
  const inner = fc.dictionary(fc.constantFrom('a', 'b'), leaf)
  const middle = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(leaf, inner))
  const record = fc.dictionary(fc.constantFrom('a', 'b', 'x', 'a.b', 'a.c.b'), fc.oneof(leaf, middle))
  const follow = (value: unknown, names: readonly string[]): unknown =>
    names.reduce<unknown>((at, name) => (at as Record<string, unknown> | null | undefined)?.[name], value)
  let compared = 0
  fc.assert(
    fc.property(record, fc.constantFrom('', ' ', '\n'), (value, space) => {
      const names = ['x', 'a.b', 'a.c.b', 'a.c.a', 'b.a']
      const cells = read(JSON.stringify(value, null, space), names, {
        ignoreExtra: true,
        takes: Object.fromEntries(names.map((name) => [name, 'either'])),
      })
      if (!Array.isArray(cells)) return
      compared++
      const expected = names.map((name) => {
        const found = Object.hasOwn(value, name) ? value[name] : follow(value, name.split('.'))
        if (typeof found === 'object' && found !== null) return JSON.stringify(found)
        return found === undefined || found === null ? null : String(found)
      })
      const compact = cells.map((cell, index) =>
        expected[index]?.startsWith('{') === true && cell !== null ? JSON.stringify(JSON.parse(cell)) : cell,
      )
      expect(compact).toEqual(expected)
    }),
    { numRuns: 3_000 },
  )
  expect(compared).toBeGreaterThan(1_000)
})
