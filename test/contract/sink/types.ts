import { expect, it } from 'vitest'
import * as column from 'lading'
import { defineModel } from 'lading'
import { applied, type OpenTarget, write } from './target.ts'

/** Values of each type: as a source has them, and as they read back where that is another text. */
const samples: Readonly<
  Record<string, { type: column.Column; values: readonly (string | readonly [from: string, to: string])[] }>
> = {
  text: {
    type: column.text(),
    values: ['', 'ä€😀', 'a\tb\nc\r\\d\\N\\.', '"quoted", \'too\'', ' '.repeat(3), 'x'.repeat(70_000)],
  },
  varchar: { type: column.varchar(3), values: ['', 'abc', '😀😀😀'] },
  integer: { type: column.integer(), values: ['0', '-1', '2147483647', '-2147483648'] },
  bigint: {
    type: column.bigint(),
    values: ['0', '-1', '9007199254740993', '9223372036854775807', '-9223372036854775808'],
  },
  double: {
    type: column.doublePrecision(),
    values: ['0', '0.1', '-1.5', '1e300', '5e-324', '123456789.123456'],
  },
  numeric: {
    type: column.numeric(),
    values: ['0', '-0.5', '12345678901234567890.000000000001', '0.00001234', '100000000'],
  },
  boolean: { type: column.boolean(), values: ['true', 'false', ['yes', 'true'], ['0', 'false']] },
  date: { type: column.date(), values: ['1970-01-01', '2000-02-29', '1900-12-31', '9999-12-31'] },
  timestamp: {
    type: column.timestamp(),
    values: [
      ['2024-03-31 02:30:00', '2024-03-31T02:30:00.000000'],
      ['1969-12-31T23:59:59.999999', '1969-12-31T23:59:59.999999'],
    ],
  },
  timestamptz: {
    type: column.timestamptz(),
    values: [
      ['2024-03-31T02:30:00+02:00', '2024-03-31T00:30:00.000000Z'],
      ['1999-12-31 23:59:59.123456Z', '1999-12-31T23:59:59.123456Z'],
    ],
  },
  time: {
    type: column.time(),
    values: [
      ['12:30', '12:30:00.000000'],
      ['00:00:00', '00:00:00.000000'],
      ['23:59:59.999999', '23:59:59.999999'],
      ['24:00:00', '24:00:00.000000'],
    ],
  },
  interval: { type: column.interval(), values: ['1 day', '02:03:04'] },
  bytea: { type: column.bytea(), values: ['\\x', '\\x00ff5c', ['\\xABCD', '\\xabcd']] },
  base64: {
    type: column.bytea({ encoding: 'base64' }),
    values: [
      ['AP9c', '\\x00ff5c'],
      ['', '\\x'],
    ],
  },
  enumeration: { type: column.enumeration('open', "it's", 'ä'), values: ['open', "it's", 'ä'] },
  integers: {
    type: column.array(column.integer()),
    values: ['{1,NULL,-3}', '{}', ['[1, null]', '{1,NULL}'], ['[[1,2],[3,4]]', '{{1,2},{3,4}}']],
  },
  texts: {
    type: column.array(column.text()),
    values: [
      ['["a b", "", "null", "\\"q\\"", "c\\\\d", "ä\\n"]', '{"a b","","null","\\"q\\"","c\\\\d","ä\n"}'],
      ['{a, "b c" , d\\"e}', '{a,"b c","d\\"e"}'],
    ],
  },
  uuid: {
    type: column.uuid(),
    values: [['0123456789ABCDEF0123456789abcdef', '01234567-89ab-cdef-0123-456789abcdef']],
  },
  json: { type: column.json(), values: ['{"a": [1, null, "é"]}', 'null', '"\\n"', '1e400'] },
}

const from = (value: string | readonly [string, string]) => (typeof value === 'string' ? value : value[0])
const to = (value: string | readonly [string, string]) => (typeof value === 'string' ? value : value[1])

export function types(open: OpenTarget): void {
  it.for(Object.entries(samples))(
    'values of type %s come back as they were written, and NULL as NULL',
    async ([name, { type, values }]) => {
      await using target = await open()
      await using sink = target.open()
      for (const extra of [{}, { custom: column.custom('text') }]) {
        const table = `values_${name}_${Object.keys(extra).length}`
        const model = defineModel({
          table,
          columns: { id: column.integer().notNull(), value: type, ...extra },
        })
        await sink.prepare(model)
        const records = [null, ...values].map((value, id) => [
          `${id}`,
          value === null ? null : from(value),
          ...Object.keys(extra),
        ])
        expect(await write(sink, model, [{ key: table, records }])).toEqual([applied(records.length)])
        const texts = await target.texts(table, 'value', type.spec.type.kind)
        const form =
          name === 'double'
            ? (text: string | null) => (text === null ? null : String(Number(text)))
            : (text: string | null) => text
        expect(texts.map(form)).toEqual([null, ...values.map((value) => form(to(value)))])
      }
    },
  )

  it('a model without a value in any row but NULL, and a batch of many rows, are written whole', async () => {
    await using target = await open()
    await using sink = target.open()
    const model = defineModel({ table: 'many', columns: { a: column.text(), b: column.integer() } })
    await sink.prepare(model)
    const records = Array.from({ length: 20_000 }, () => [null, null])
    expect(await write(sink, model, [{ key: 'a', records }])).toEqual([applied(20_000)])
    const rows = await target.rows('many')
    expect(rows).toHaveLength(20_000)
    expect(rows.every(({ a, b }) => a === null && b === null)).toBe(true)
  })
}
