/** JSON: files, lines and messages, and records inside of other objects. `JSON.parse` is the judge of what is sound. */
import { linesIn } from '../../src/core/bytes.ts'
import type { WantedField } from '../../src/core/cells.ts'
import { isSpace } from '../../src/format/json/elements.ts'
import { json as array, jsonMessage, ndjson } from '../../src/format/json/json.ts'
import { jsonRecord } from '../../src/format/json/record.ts'
import { formatOf, type InsideOptions, messagesLayout, splitterFor } from '../../src/format/registry.ts'
import { anyFields } from '../../src/format/split.ts'
import { type ReadRecord, readAll, recordOf, requireOrder } from '../read.ts'
import { sizesOf, split } from '../split.ts'
import { requireSame, requireThat, type Target } from '../target.ts'

const places: readonly InsideOptions[] = [
  {},
  {},
  {},
  { records: 'data[]' },
  { records: 'a.b' },
  { records: '[]' },
  { records: '"x.y"[].b' },
  { unwrap: ['cloudevents'] },
  { unwrap: ['sns', 'eventbridge'] },
  { unwrap: ['debezium'] },
  { unwrap: ['cloudevents'], records: 'data[]' },
]

const wants: readonly (readonly WantedField[])[] = [
  [
    { name: 'a', take: 'text' },
    { name: 'b', take: 'either' },
    { name: 'é', take: 'source' },
  ],
  [
    { name: 'a.b', take: 'text' },
    { name: 'a', take: 'source' },
    { name: 'a.c.d', take: 'either' },
    { name: '"x.y"', take: 'text' },
    { name: 'b', take: 'key' },
  ],
  [
    { name: '$.id', take: 'text' },
    { name: 'a', take: 'text' },
    { name: 'a', take: 'text' },
  ],
]

export const json: Target = {
  name: 'json',
  options: 8,
  seeds: [
    '{"a":"x","b":[1,{"c":null}],"é":-1.5e+3}\n{"a":"\\u00e9\\n"}\n',
    '[{"a":1},\n {"b":"\\ud83d\\ude00"} , {}]',
    '{"a":{"b":"x","c":{"d":true}},"x.y":null}',
    '{"data":[{"a":1},[{"b":2}],null],"rest":{"data":[]}}',
    '{"specversion":"1.0","id":"7","data":{"a":1,"b":"x"}}\n{"specversion":"1.0","data_base64":"eyJhIjoxfQ=="}',
    '{"Type":"Notification","Message":"{\\"detail\\":{\\"a\\":1}}"}',
    '{"payload":{"op":"u","before":null,"after":{"a":1}}}\n{"op":"d","before":{"a":2},"after":null}\nnull',
    '\ufeff \r\n[ ]',
    '{"a":"\\ud800","a":2}\n\n  \n{"a":tru}\n"x"\n',
    `[${'['.repeat(70)}${']'.repeat(70)}]`,
  ],
  tokens: [
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    '\\"',
    '\\u',
    '\\ud83d\\ude00',
    '\\u0000',
    'null',
    'true',
    '1',
    '-0',
    '1e9',
    '{}',
    '[]',
    '"a":',
    '"b":',
    '"data":',
    '"detail":',
    '"payload":',
    '"after":',
    '"op":"d",',
    '\n',
    '\r\n',
    ' ',
    '\0',
    '\x01',
    '\xff',
    'é',
    '\ufeff',
  ],
  check(input) {
    const form = input.of(['ndjson', 'json', 'message'])
    const inside = input.of(places)
    const wanted = input.of(wants)
    const ignoreExtra = input.below(4) > 0
    const sizes = sizesOf(input)
    const source = input.body
    const isPlain = Object.keys(inside).length === 0
    if (form === 'message') {
      const reader = jsonMessage.reader(messagesLayout(inside), wanted, ignoreExtra)
      if (reader.open(source) !== undefined) return
      requireSound(readOpened(reader, source), source, isPlain)
      return
    }
    const make = () => splitterFor({ format: form, ...inside }, 'f.json', anyFields)
    const whole = split(make, source, { ...sizes, first: Math.max(1, source.length) })
    requireSame('the same chunks however the bytes are cut into pieces', split(make, source, sizes), whole)
    if (whole.refused !== undefined) return
    const { layout, chunks } = whole
    const reader = formatOf(layout)?.reader(layout, wanted, ignoreExtra)
    if (reader === undefined) throw new Error(`no format reads ${JSON.stringify(layout)}`)
    let [counted, linesBefore] = [0, 0]
    for (const { start, end, records, lines } of chunks) {
      const chunk = source.subarray(start, end)
      const read = readAll(reader, chunk)
      requireSame('a chunk is read as the records that were counted', read.length, records)
      linesBefore += linesIn(source, counted, start)
      counted = start
      requireSame('lines are counted', lines, linesBefore)
      if (isPlain) requireOrder(read, chunk, layout.format === 'ndjson' ? /^[ \t\r\n]*$/ : /^[ \t\r\n,\]]*$/)
      requireSound(read, chunk, isPlain)
    }
    const [format] = [array, ndjson].filter(({ name }) => name === layout.format)
    requireThat('the layout names a format', format !== undefined, layout)
  },
}

function readOpened(reader: Parameters<typeof readAll>[0], body: Buffer): ReadRecord[] {
  const records: ReadRecord[] = []
  while (reader.next()) {
    records.push(recordOf(reader))
    requireThat('reading comes to an end', records.length <= body.length + 1, records.length)
  }
  return records
}

/** What JSON.parse takes though it is refused here, and what is nothing but a matter of fields. */
const stricter: ReadonlySet<string> = new Set([
  'EXTRA_FIELD',
  'NO_FIELD',
  'NOT_AN_OBJECT',
  'DUPLICATE_FIELD',
  'NESTED_VALUE',
  'NUL_BYTE',
  'LONE_SURROGATE',
  'BAD_ENCODING',
])

function requireSound(records: readonly ReadRecord[], body: Buffer, isPlain: boolean): void {
  if (!isPlain) return
  for (const { start, end, fault, values } of records.slice(0, 100)) {
    const bytes = body.subarray(start, end)
    const parsed = parsedObject(bytes)
    if (fault === undefined) {
      requireThat('what is read is JSON', parsed !== undefined, bytes.toString('latin1'))
      const same = jsonRecord.rewrite(bytes, { format: 'ndjson', fields: [] }, () => undefined)
      requireSame(
        'a record in which nothing is replaced stays',
        same?.toString('latin1'),
        bytes.toString('latin1'),
      )
      requireThat('values are read', values.length > 0, values)
    } else if (!stricter.has(fault.code) && parsed !== undefined && !/deep/.test(fault.detail))
      requireThat('what is JSON is read', false, { bytes: bytes.toString('latin1'), fault })
  }
}

/** The object that the bytes are. */
function parsedObject(bytes: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject && !isSpace(bytes[0]) ? value : undefined
  } catch {
    return undefined
  }
}
