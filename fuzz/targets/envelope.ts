/** What a message says of itself, whoever has sent it: nothing in it may end a consumer, and its records add up. */
import { sha256Of } from '../../src/core/sha256.ts'
import type { Decoded, Parts } from '../../src/consumer/decode/decoded.ts'
import { Decoder } from '../../src/consumer/decode/decode.ts'
import { decodedBody } from '../../src/consumer/encoding.ts'
import * as columns from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { ValueWriter } from '../../src/model/value-writer.ts'
import type { RowBuffer } from '../../src/model/writer.ts'
import { envelopeHeaders, readEnvelope } from '../../src/queue/envelope.ts'
import type { Headers } from '../../src/queue/queue.ts'
import { Broken, type Input, requireSame, requireThat, type Target } from '../target.ts'

const model = defineModel({ table: 't', columns: { a: columns.bigint(), b: columns.text() } })

const hash = 'a'.repeat(64)
const load = {
  id: '3c9d0000-0000-4000-8000-000000000000',
  source: 'a.csv',
  sha256: hash,
  bytes: 9,
  plan: hash,
  chunks: 1,
  records: 2,
}
const parts = {
  pipeline: 'p',
  load,
  chunk: 0,
  records: 2,
  sha256: hash,
  byteStart: 4,
  firstRecord: 1,
  firstLine: 2,
}
const csv = { fields: ['a', 'b'], delimiter: ',', quote: '"' }
const bases = [
  { v: 1, ...parts, ...csv },
  { v: 2, ...parts, ...csv, reference: { path: 'f', bytes: 9 } },
  { v: 3, ...parts, layout: { ...csv, escape: '\\', comment: '#', ragged: 'pad', trim: true } },
  { v: 3, ...parts, layout: { format: 'ndjson', fields: [], records: 'data[]', unwrap: ['debezium'] } },
  {
    v: 3,
    ...parts,
    layout: { format: 'json', fields: [], notation: { decimal: ',' }, skipWhen: { a: '1' } },
  },
  { v: 3, ...parts, layout: { ...csv, notations: { a: { thousands: '.' }, b: { nulls: ['-'] } } } },
]

/** Parts that are replaced by whatever the input holds. */
const places = [
  'v',
  'pipeline',
  'target',
  'load',
  'load.id',
  'load.source',
  'load.records',
  'load.plan',
  'chunk',
  'records',
  'sha256',
  'byteStart',
  'firstRecord',
  'firstLine',
  'fields',
  'delimiter',
  'quote',
  'reference',
  'reference.path',
  'reference.bytes',
  'layout',
  'layout.format',
  'layout.fields',
  'layout.delimiter',
  'layout.quote',
  'layout.escape',
  'layout.comment',
  'layout.ragged',
  'layout.trim',
  'layout.multiline',
  'layout.notation',
  'layout.notations',
  'layout.skipWhen',
  'layout.records',
  'layout.unwrap',
  'layout.ofTable',
  'layout.other',
]

/** Between what is replaced and the body of the message. */
const separator = 0x1e

export const envelope: Target = {
  name: 'envelope',
  options: 8,
  seeds: [
    '1\x1e2\x1e1,x\n2,y\n',
    '["a","b","a"]\x1e"\\u0000"\x1e1,"x ""\n2,y\n',
    '{"decimal":",","pattern":"DD.MM.YYYY"}\x1e{"a":["","1"]}\x1e{"a":1}\n{"op":"d","before":{"a":1}}\n',
    '{"path":"../x","bytes":1}\x1enull\x1e# x\n1;2\n',
    '"a[].b"\x1e["sns","debezium"]\x1e{"Message":"{}"}',
    '\x1e{"lading":1}\x1e[{"a":1},{"b":"x"}]',
  ],
  tokens: [
    'null',
    'true',
    '0',
    '-1',
    '1e400',
    '9007199254740993',
    '""',
    '"a"',
    '[]',
    '{}',
    '["a"]',
    '{"a":1}',
    '"ndjson"',
    '"message"',
    '__proto__',
    'constructor',
    '\x1e',
    ',',
    ':',
    '"',
    '\\',
    '\n',
    '\0',
    'é',
    '\xff',
  ],
  async check(input) {
    const base = input.of(bases)
    const [one, other] = [input.of(places), input.of(places)]
    const kind = input.of(['chunk', 'chunk', 'chunk', 'damaged', 'header', 'message'])
    const dedupKey = input.of(['message-id', 'content', 'field:a'] as const)
    const ignoreExtra = input.below(2) > 0
    const encoding = input.of(['', '', '', 'gzip', 'zstd', 'base64', 'gzip, base64'])
    const [first, second, body] = divided(input)
    const stated = put(
      put({ ...base, sha256: kind === 'damaged' ? hash : sha256Of(body) }, one, first),
      other,
      second,
    )
    const headers: Headers = {
      ...(kind !== 'message' && { lading: kind === 'header' ? first : JSON.stringify(stated) }),
      ...(encoding !== '' && { 'content-encoding': encoding }),
    }
    try {
      const read = readEnvelope(headers)
      if (read !== undefined && !('code' in read))
        requireSame('what is written of an envelope is read', readEnvelope(envelopeHeaders(read)), read)
      const plain = encoding === '' ? body : await decodedBody(body, headers)
      if (!Buffer.isBuffer(plain)) return
      const rows = new Rows()
      for (let times = 0; times < 2; times++)
        requireParts(
          new Decoder({ pipeline: 'p', model, ignoreExtra, dedupKey }, rows).decode({
            key: 'k',
            body: plain,
            headers,
          }),
          rows,
          plain,
        )
    } catch (error) {
      if (error instanceof Broken) throw error
      // Nothing of a message is thrown, in whatever words.
      throw new Error('a message is decoded without an error', { cause: error })
    }
  },
}

function divided({ body }: Input): readonly [string, string, Buffer] {
  const first = body.indexOf(separator)
  const second = body.indexOf(separator, first + 1)
  if (first < 0 || second < 0) return ['', '', body]
  return [
    body.toString('utf8', 0, first),
    body.toString('utf8', first + 1, second),
    body.subarray(second + 1),
  ]
}

/** The envelope with another part at that place; nothing stands for the part that is there. */
function put(stated: object, place: string, text: string): object {
  if (text === '') return stated
  const [name = '', ...inner] = place.split('.')
  const before = (stated as Record<string, unknown>)[name]
  if (inner.length > 0)
    return typeof before === 'object' && before !== null
      ? { ...stated, [name]: put(before, inner.join('.'), text) }
      : stated
  return { ...stated, [name]: valueOf(text) }
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** What is said of a message may be shown: it is of bounded length, whatever stands in the message. */
const mostDetail = 8192

function requireParts(decoded: Decoded, rows: Rows, body: Buffer): void {
  const before = rows.clear()
  if (decoded.kind === 'foreign') return
  if (decoded.kind === 'dead')
    return requireThat('a reason is short', decoded.detail.length < mostDetail, decoded.detail.length)
  const sum = (of: (part: Parts['parts'][number]) => number) =>
    decoded.parts.reduce((all, part) => all + of(part), 0)
  requireThat('a message has a part at least', decoded.parts.length > 0, decoded)
  requireSame(
    'rows are those of the parts',
    before,
    sum((part) => part.rows),
  )
  for (const part of decoded.parts) {
    const { records, rows: own, rejects, filtered = 0 } = part
    requireSame('records = rows + rejects + what is left out', records, own + rejects.length + filtered)
    for (const reject of rejects) requireReject(reject, body)
    if (own > 0) requireReject(part.describe(own - 1, { code: 'CONSTRAINT_NOT_NULL', detail: 'x' }), body)
  }
  requireSame(
    'the claim is the sum of its parts',
    decoded.claim.records,
    sum(({ records }) => records),
  )
}

function requireReject(
  {
    raw,
    span,
    line,
    byte,
    record,
    detail,
  }: {
    raw: Uint8Array
    span?: { start: number; end: number } | undefined
    line: number
    byte: number
    record: number
    detail: string
  },
  body: Buffer,
): void {
  requireThat('a reject has a place', line >= 0 && byte >= 0 && record >= 0, { line, byte, record })
  requireThat(
    'a reject holds at most the message',
    raw.length <= Math.max(body.length, 1) * 2 + 1024,
    raw.length,
  )
  requireThat('a reason is short', detail.length < mostDetail, detail.length)
  if (span !== undefined)
    requireThat(
      'the place of a fault is in its record',
      span.start >= 0 && span.start <= span.end && span.end <= raw.length + 1,
      { span, raw: raw.length },
    )
}

/** Rows of a sink that keeps none. */
class Rows extends ValueWriter implements RowBuffer {
  rows = 0
  bytes = 0

  constructor() {
    super(model)
  }

  override endRow(): void {
    requireSame('a row has a value for each column', this.values.length, model.columns.length)
    this.values.length = 0
    this.rows++
  }

  /** Rows that there were. */
  clear(): number {
    const { rows } = this
    this.rows = 0
    return rows
  }
}
