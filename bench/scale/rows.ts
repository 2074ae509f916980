/**
 * What fills a ledger: a few rows of each kind, by the sink's own calls, as loads make them. They are multiplied inside the database
 * (`multiply.ts`), because a million of them by batches would measure the batches.
 */
import { createHash } from 'node:crypto'
import type { Reject } from '../../src/core/fault.ts'
import type { LoadInfo } from '../../src/core/load.ts'
import { defineModel, integer } from '../../src/index.ts'
import type { Model } from '../../src/model/model.ts'
import { loadIdOf } from '../../src/producer/identity.ts'
import { chunkKey } from '../../src/queue/envelope.ts'
import type { Part, Sink } from '../../src/sink/sink.ts'

export const pipeline = 'readings'
export const model: Model = defineModel({ table: pipeline, columns: { id: integer().notNull() } })

/** Of a chunk of 1 MiB, in lines of 35 bytes. */
export const recordsOfChunk = 30_000
export const lineBytes = 35

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex')

export const sourceOf = (number: number): string =>
  `/srv/readings/2026-03-01/sensor-${String(number).padStart(7, '0')}.csv`

export function loadOf(number: number, chunks: number): LoadInfo {
  const source = sourceOf(number)
  const hash = sha256(source)
  const id = loadIdOf(pipeline, source, hash)
  const records = chunks * recordsOfChunk
  return { id, source, sha256: hash, bytes: records * lineBytes, plan: sha256(id), chunks, records }
}

/** A chunk of which one record is a row, and the others are left out on purpose. */
export const chunkOf = (load: LoadInfo, chunk: number): Part => ({
  ...partOf(chunkKey(load.id, chunk), recordsOfChunk),
  load,
})

export const messageOf = (number: number): Part => partOf(`message:${sha256(`m${number}`).slice(0, 36)}`, 1)

const partOf = (key: string, records: number): Part => ({
  key,
  sha256: sha256(key),
  records,
  rows: 1,
  rejects: [],
  filtered: records - 1,
  describe: () => {
    throw new Error('no row is refused')
  },
})

export function write(sink: Sink, parts: readonly Part[]) {
  const rows = sink.rows(model)
  for (const part of parts)
    for (let row = 0; row < part.rows; row++) {
      rows.startRow()
      rows.integer(row)
      rows.endRow()
    }
  return sink.write({ pipeline, model, parts, rows })
}

const rejectOf = (source: string, record: number): Reject => ({
  code: 'VALUE_REFUSED',
  detail: 'not a number: much',
  column: 'value',
  span: { start: 30, end: 34 },
  record,
  line: record + 1,
  byte: record * lineBytes,
  source,
  raw: Buffer.from('2026-03-01T00:00:00Z,sensor-1,much'),
  masked: [],
})

const layout = { fields: ['record_time', 'sensor_id', 'value'], delimiter: ',', quote: '"' }

/** Numbers of the loads that are multiplied: one that is complete, one that is not, one with rejects. */
export const templates = { complete: 0, open: 1, rejects: 2 } as const
export const rejectsOfTemplate = 10

/** What is multiplied. */
export async function writeTemplates(sink: Sink): Promise<void> {
  await sink.prepare(model)
  await write(sink, [
    chunkOf(loadOf(templates.complete, 1), 0),
    chunkOf(loadOf(templates.open, 1), 0),
    messageOf(0),
  ])
  const load = loadOf(templates.rejects, 1)
  const rejects = Array.from({ length: rejectsOfTemplate }, (_, index) => rejectOf(load.source, index + 1))
  await write(sink, [{ ...chunkOf(load, 0), filtered: recordsOfChunk - 1 - rejects.length, rejects, layout }])
  await sink.ledger.fold([loadOf(templates.complete, 1).id, load.id])
  const { key, sha256: hash, records } = messageOf(9)
  await sink.ledger.bury({
    pipeline,
    key,
    sha256: hash,
    records,
    headers: { 'content-type': 'application/json' },
    body: Buffer.alloc(200, 'x'),
    attempts: 3,
    code: 'UNPROCESSABLE',
    detail: 'it failed alone, three times',
  })
}
