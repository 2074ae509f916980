/** What a consumer would make of messages, without a queue, a database or a command. */
import { rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sha256Of } from '../../src/core/sha256.ts'
import { type Preview, preview, type PreviewOptions } from '../../src/review/preview.ts'
import { bigint, integer, text, timestamptz, varchar } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { type ChunkEnvelope, envelopeHeaders } from '../../src/queue/envelope.ts'
import type { Peeked } from '../../src/queue/queue.ts'

const people = defineModel({
  table: 'people',
  columns: {
    id: bigint().notNull(),
    name: text().transform((name) => `${name.slice(0, 1)}…`),
    size: integer(),
    born: timestamptz(),
    city: varchar(5),
  },
})

const message = (key: string, body: unknown, headers: Peeked['headers'] = {}): Peeked => ({
  key,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  headers,
  attempt: 2,
})

const load = {
  id: '3d04a1b2-0000-4000-8000-000000000001',
  source: 'a.csv',
  sha256: 'a'.repeat(64),
  bytes: 99,
  plan: 'b'.repeat(64),
  chunks: 1,
  records: 2,
}

function chunk(body: string, more: Partial<ChunkEnvelope> = {}): Peeked {
  const places = {
    chunk: 0,
    records: 2,
    byteStart: 8,
    firstRecord: 1,
    firstLine: 2,
    layout: { fields: ['id', 'name'], delimiter: ',', quote: '"' },
  }
  const envelope: ChunkEnvelope = {
    pipeline: 'people',
    load,
    sha256: sha256Of(Buffer.from(body)),
    ...places,
    ...more,
  }
  return message(`${load.id}/0`, envelope.reference === undefined ? body : '', envelopeHeaders(envelope))
}

const see = (messages: readonly Peeked[], more: Partial<PreviewOptions> = {}) =>
  preview(messages, { model: people, ...more })
const only = async (seen: Peeked, more: Partial<PreviewOptions> = {}) =>
  (await see([seen], more))[0] as Preview

it('a record is shown as the model makes it, with the key, the size and the deliveries of its message', async () => {
  const seen = await only(
    message('one', '{"id":9007199254740993,"name":"Ada","born":"1815-12-10T00:00:00Z"}'),
  )
  expect(seen).toEqual({
    key: 'one',
    bytes: 66,
    attempt: 2,
    chunk: undefined,
    outlook: {
      kind: 'rows',
      records: 1,
      rejected: 0,
      filtered: 0,
      rejects: [],
      rows: [
        {
          id: 9_007_199_254_740_993n,
          name: 'A…',
          size: null,
          born: '1815-12-10T00:00:00.000000Z',
          city: null,
        },
      ],
    },
  })
})

it('of a chunk it is said whose it is, and the first of its rows and rejects are shown, counted in the file', async () => {
  const lines = ['1,Ada', 'SECRET,Bob', '3,Cyd', '4,Dee', '5,Eve', '6,"F"G']
  const { chunk: of, outlook } = await only(
    chunk(`${lines.join('\n')}\n`, { firstRecord: 11, firstLine: 12 }),
    { most: 2 },
  )
  expect(of).toEqual({ pipeline: 'people', loadId: load.id, source: 'a.csv', chunk: 0 })
  expect(outlook).toMatchObject({
    kind: 'rows',
    records: 6,
    rejected: 2,
    rows: [{ id: 1n }, { id: 3n }],
    rejects: [
      { record: 12, line: 13, column: 'id', code: 'BAD_INTEGER', meaning: 'not a whole number' },
      { record: 16, line: 17, code: 'BAD_QUOTE' },
    ],
  })
})

it('each message is decoded by itself: rows of one are not shown with the next', async () => {
  const seen = await see([message('a', [{ id: 1 }, { id: 2 }]), message('b', '{'), message('c', { id: 3 })])
  expect(
    seen.map(({ outlook }) => (outlook.kind === 'rows' ? outlook.rows.map(({ id }) => id) : outlook.kind)),
  ).toEqual([[1n, 2n], 'dead', [3n]])
})

it.each<[string, unknown, string]>([
  ['no JSON', 'SECRET', 'NOT_OURS'],
  ['an object that is cut', '{"id":1,"name":"SECRET', 'NOT_OURS'],
  ['a value of a wrong type', { id: 'SECRET' }, 'BAD_INTEGER'],
  ['a text that is too long', { id: 1, city: 'SECRET TOWN' }, 'TOO_LONG'],
  ['a field that nobody knows', { id: 1, SECRET: 'SECRET' }, 'EXTRA_FIELD'],
  ['a field that stands twice', '{"id":1,"name":"SECRET","name":"SECRET"}', 'DUPLICATE_FIELD'],
  ['a nested value', { id: 1, city: { first: 'SECRET' } }, 'NESTED_VALUE'],
  ['records of which none fits', [{ id: 'SECRET' }, { id: 1.5, name: 'SECRET' }], 'BAD_INTEGER'],
])('%s is refused with its reason, and nothing of it is quoted', async (_, body, code) => {
  const seen = await only(message('x', body))
  expect(seen.outlook).toMatchObject({ kind: 'dead', code })
  expect(JSON.stringify(seen)).not.toContain('SECRET')
})

it('of a message of which some records fit, the others are refused without a word of theirs', async () => {
  const seen = await only(message('x', [{ id: 1 }, { id: 'SECRET' }, { id: 3, city: 'SECRET' }]))
  expect(seen.outlook).toMatchObject({
    kind: 'rows',
    records: 3,
    rejected: 2,
    rejects: [
      { record: 2, column: 'id' },
      { record: 3, column: 'city' },
    ],
  })
  expect(JSON.stringify(seen.outlook.kind === 'rows' && seen.outlook.rejects)).not.toContain('SECRET')
})

it('the options are those of the consumer', async () => {
  const external = message('', { id: 1, other: 'x' })
  expect((await only(external)).outlook).toMatchObject({ kind: 'dead', code: 'KEY_MISSING' })
  expect((await only(external, { dedupKey: 'content' })).outlook).toMatchObject({
    kind: 'dead',
    code: 'EXTRA_FIELD',
  })
  expect((await only(external, { dedupKey: 'content', ignoreExtra: true })).outlook).toMatchObject({
    kind: 'rows',
    rejected: 0,
  })
  expect((await only(external, { dedupKey: 'field:other' })).outlook).toMatchObject({
    kind: 'rows',
    rejected: 0,
  })
  expect((await only(chunk('1,Ada\n'), { pipeline: 'others' })).outlook).toEqual({
    kind: 'foreign',
    pipeline: 'people',
  })
  expect(
    (await only(chunk('1,Ada\n', { pipeline: 'others' }), { pipeline: 'others' })).outlook,
  ).toMatchObject({ kind: 'rows' })
})

it('a chunk that is damaged, of another model or of a newer version says so, and does not hide the next message', async () => {
  const newer = message('n', 'x', { lading: JSON.stringify({ v: 99 }) })
  const seen = await see([
    chunk('1,Ada\n', { sha256: 'c'.repeat(64) }),
    chunk('1,Ada\n', { layout: { fields: ['key', 'name'], delimiter: ',', quote: '"' } }),
    message('e', 'x', { lading: '{' }),
    newer,
    message('good', { id: 1 }),
  ])
  expect(
    seen.map(({ outlook }) =>
      outlook.kind === 'rows' ? outlook.records : `${outlook.kind} ${'code' in outlook && outlook.code}`,
    ),
  ).toEqual(['dead CHECKSUM', 'dead MODEL_MISMATCH', 'dead BAD_ENVELOPE', 'dead ENVELOPE_NEWER', 1])
})

it('a reference is read below the root, and nowhere else', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lading-preview-'))
  try {
    await writeFile(join(root, 'a.csv'), 'id,name\n1,Ada\n')
    const refer = (path: string) => chunk('1,Ada\n', { reference: { path, bytes: 6 } })
    const seen = await see([refer('a.csv'), refer('../a.csv'), refer('b.csv')], { root })
    expect(seen.map(({ outlook }) => ('code' in outlook ? outlook.code : outlook.kind))).toEqual([
      'rows',
      'REFERENCE_REFUSED',
      'REFERENCE_UNREADABLE',
    ])
  } finally {
    await rm(root, { recursive: true })
  }
})

it('where a consumer would wait for the files that it refers to, each message says so', async () => {
  const root = await mkdtemp(join(tmpdir(), 'lading-preview-'))
  await writeFile(join(root, 'a.csv'), 'id,name\n1,Ada\n')
  const refer = (path: string) => chunk('1,Ada\n', { reference: { path, bytes: 6 } })
  function* messages() {
    yield refer('a.csv')
    rmSync(root, { recursive: true })
    yield refer('b.csv')
    yield message('good', { id: 1 })
  }
  const seen = await preview(messages(), { model: people, root })
  expect(seen.map(({ outlook }) => outlook)).toMatchObject([
    { kind: 'rows' },
    { kind: 'held', code: 'REFERENCE_HOLD', detail: expect.stringContaining('the root cannot be reached') },
    { kind: 'rows' },
  ])
})

it('what cannot be had as it was sent would be a dead letter, or is left to its own pipeline', async () => {
  const fault = { code: 'UNPROCESSABLE', detail: 'its body is lost' } as const
  const [ours, theirs] = await see([
    { ...message('a', ''), fault },
    { ...chunk('1,Ada\n', { pipeline: 'others' }), fault },
  ])
  expect(ours?.outlook).toEqual({ kind: 'dead', ...fault })
  expect(theirs?.outlook).toEqual({ kind: 'foreign', pipeline: 'others' })
})

it('an option that cannot be used is no property of a message', async () => {
  await expect(see([], { dedupKey: 'nothing' as 'content' })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
})

it('a message that its queue could not read is dead, unless its header names another pipeline', async () => {
  const fault = { code: 'ENVELOPE_NEWER', detail: 'written as zstd' } as const
  const [own, other] = await see([
    { ...message('own', 'x'), fault },
    { ...chunk('1,a\n', { pipeline: 'others' }), fault },
  ])
  expect(own?.outlook).toEqual({ kind: 'dead', ...fault })
  expect(other?.outlook).toEqual({ kind: 'foreign', pipeline: 'others' })
})
