/**
 * A chunk is known by its load and number, and its records by their place in the file, in whatever format
 * they lie.
 */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { SqliteFile } from '../../src/core/sqlite.ts'
import { integer, json, text } from '../../src/model/columns.ts'
import { hmacSha256, maskKey } from '../../src/model/mask.ts'
import { defineModel, type Model } from '../../src/model/model.ts'
import { envelopeHeaders } from '../../src/queue/envelope.ts'
import type { Layout } from '../../src/core/load.ts'
import { exportRejects } from '../../src/review/export.ts'
import { editReject, replayRejects } from '../../src/review/rejects.ts'
import type { StoredReject } from '../../src/sink/ledger.ts'
import { Fixture } from '../support/fixture.ts'

const id = '0d9e3d4c-6f0a-4b5e-9d3b-5c2a1b0f9e8d'
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')

const notes = defineModel({
  table: 'notes',
  columns: {
    id: integer().notNull(),
    note: text().from('Note'),
    doc: json(),
    key: text().generated('recordKey'),
  },
})
const mask = hmacSha256({ keys: [maskKey('k1', 'k'.repeat(32))] })
const visits = defineModel({ table: 'visits', columns: { user: text().notNull().mask(mask), n: integer() } })

/** One chunk of a file: its bytes from byte 40 on, which begin with record 11 on line 21. */
async function consumed(layout: Layout, body: string, records: number, model: Model = notes) {
  const fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const load = { id, source: 'x.json', sha256: sha256(''), bytes: 999, plan: sha256(''), chunks: 1, records }
  const place = { chunk: 0, records, byteStart: 40, firstRecord: 11, firstLine: 21 }
  const bytes = Buffer.from(body)
  const pipeline = model === notes ? 'notes' : 'visits'
  const headers = envelopeHeaders({ pipeline, load, ...place, sha256: sha256(bytes), layout })
  await queue.publish([{ key: `${id}/0`, body: bytes, headers }])
  await createConsumer({ queue, sink, model }).run({ untilEmpty: true })
  return {
    sink,
    rejects: () => sink.ledger.rejects({ limit: 10 }),
    letters: () => sink.ledger.deadLetters({ limit: 10 }),
    rows: () => {
      using file = new SqliteFile(fixture.target.url.slice('sqlite:'.length))
      return file.all<object>(`SELECT * FROM ${pipeline} ORDER BY 1`).map((row) => ({ ...row }))
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  }
}

const placeOf = ({ source, record, line, byte, code, raw, span }: StoredReject) => {
  const part = span && Buffer.from(raw).toString('utf8', span.start, span.end)
  return [`${source}:${line}`, record, byte, code, part]
}

describe.each([
  [
    'ndjson',
    '{"id":1,"Note":"a"}\n\n{"id":"x2"}\nnone {"id":3}\n {"doc": {"a" : [1]}, "id":4}',
    [
      ['x.json:23', 12, 61, 'BAD_INTEGER', '"x2"'],
      ['x.json:24', 13, 73, 'BAD_JSON', ''],
    ],
  ],
  [
    'json',
    ', {"id":1,"Note":"a"},\n{"id":\n "x2"},none {"id":3} ,{"doc": {"a" : [1]}, "id":4}\n,',
    [
      ['x.json:22', 12, 63, 'BAD_INTEGER', '"x2"'],
      ['x.json:23', 13, 77, 'BAD_JSON', ''],
    ],
  ],
])('a chunk of %s', (format, body, places) => {
  const layout = { format, fields: [] }

  it('is loaded under its number, and each bad record has its place in the file', async () => {
    await using at = await consumed(layout, body, 4)
    expect(at.rows()).toEqual([
      { id: 1, note: 'a', doc: null, key: `${id}/11` },
      { id: 4, note: null, doc: '{"a" : [1]}', key: `${id}/14` },
    ])
    expect((await at.rejects()).map(placeOf)).toEqual(places)
    expect((await at.rejects()).map((reject) => [reject.loadId, reject.layout])).toEqual([
      [id, layout],
      [id, layout],
    ])
  })

  it('gives records that are corrected, replayed and loaded under the key that they had', async () => {
    await using at = await consumed(layout, body, 4)
    const [bad] = (await at.rejects()) as [StoredReject]
    await editReject(bad, Buffer.from('{"id":2}\r\n'), { sink: at.sink, model: notes })
    const verdicts = await replayRejects(await at.rejects(), { sink: at.sink, model: notes })
    expect(verdicts.map(({ kind }) => kind)).toEqual(['applied', 'refused'])
    expect((await at.rejects()).map(({ code }) => code)).toEqual(['BAD_JSON'])
    expect(at.rows()).toContainEqual({ id: 2, note: null, doc: null, key: `${id}/12` })
  })

  it('gives rejects that are exported as lines, each record on one', async () => {
    await using at = await consumed(layout, body, 4)
    const pages = (async function* () {
      yield await at.rejects()
    })()
    const exported: unknown[][] = []
    for await (const { file, suffix, bytes } of exportRejects(pages))
      exported.push([file, suffix, String(bytes)])
    const lines = expect.stringMatching(/^\{"id": *"x2"\}\nnone \{"id":3\}\n$/)
    expect(exported).toEqual([[0, '.ndjson', lines]])
  })

  it('is masked where it is kept, and what a person types is masked too', async () => {
    await using at = await consumed(layout, '{"user":"ada","n":"x"}', 1, visits)
    const [bad] = (await at.rejects()) as [StoredReject]
    const masked = mask.apply('ada')
    expect(JSON.parse(String(Buffer.from(bad.raw)))).toEqual({ user: masked, n: 'x' })
    await editReject(bad, Buffer.from(`{"user":"${masked}","n":1}`), { sink: at.sink, model: visits })
    expect(await replayRejects(await at.rejects(), { sink: at.sink, model: visits })).toMatchObject([
      { loaded: 1 },
    ])
    expect(at.rows()).toEqual([{ user: masked, n: 1 }])
  })
})

it.each<[string, Layout, string]>([
  ['of a format that is not known', { format: 'parquet', fields: [] }, 'ENVELOPE_NEWER'],
  ['of CSV whose delimiter is none', { fields: ['id'], delimiter: ';;', quote: '"' }, 'BAD_ENVELOPE'],
  ['of CSV without fields', { fields: [], delimiter: ',', quote: '"' }, 'BAD_ENVELOPE'],
])('a chunk %s is a dead letter that counts its records', async (_, layout, code) => {
  await using at = await consumed(layout, '1\n2\n', 2)
  expect(await at.letters()).toMatchObject([{ code, records: 2, key: `${id}/0` }])
})
