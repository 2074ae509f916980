import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { integer, text } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { SqliteSink } from '../../src/sink/sqlite/sqlite.ts'
import { atomicity } from '../contract/sink/atomic.ts'
import { conflicts } from '../contract/sink/conflict.ts'
import { isolation } from '../contract/sink/isolation.ts'
import { effects } from '../contract/sink/once.ts'
import { types } from '../contract/sink/types.ts'
import { allRejects, applied, entries, numbers, type Texts, write } from '../contract/sink/target.ts'
import { openSqlite } from './sqlite-target.ts'

const open = () => openSqlite({ threadBytes: 0 })

// The thread writes batches; what else a sink does goes another way, and sqlite.test.ts has the whole contract.
describe('SQLite, written by a thread', { timeout: 60_000 }, () => {
  describe('takes effect once', () => effects(open))
  describe('together or not at all', () => atomicity(open))
  describe('conflicts', () => conflicts(open))
  describe('types', () => types(open))
  describe('isolation of bad records', () => isolation(open))
})

const columns = { id: integer().notNull(), note: text() }
const model = defineModel({ table: 'items', columns, primaryKey: ['id'], onConflict: 'error' })
const records = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index): Texts => [`${from + index}`, 'x'])

it('a batch with a refused row is written whole, and so are those before, behind and after it', async () => {
  await using target = await open()
  await using sink = target.open()
  await sink.prepare(model)
  const batches = [
    records(0, 20),
    [...records(20, 40), ['5', 'twice']],
    records(40, 60),
    records(60, 80),
  ] as const
  const verdicts: unknown[] = []
  for (const [key, rows] of batches.entries())
    verdicts.push(...(await write(sink, model, [{ key: `${key}`, records: rows }])))
  expect(verdicts).toEqual([applied(20), applied(20, 1), applied(20), applied(20)])
  expect(await numbers(target, 'items')).toEqual(Array.from({ length: 80 }, (_, id) => id))
  expect((await allRejects(sink)).map(({ record, code }) => [record, code])).toEqual([
    [20, 'CONSTRAINT_UNIQUE'],
  ])
})

it('batches that are written without waiting are written in their order, and closing waits for them', async () => {
  await using target = await open()
  const sink = target.open()
  await sink.prepare(model)
  const writing = [0, 1, 2, 3].map((key) =>
    write(sink, model, [{ key: `${key}`, records: records(key * 20, key * 20 + 20) }]),
  )
  await sink[Symbol.asyncDispose]()
  expect((await Promise.all(writing)).flat()).toEqual([0, 1, 2, 3].map(() => applied(20)))
  expect(await numbers(target, 'items')).toHaveLength(80)
})

it.for<readonly [does: string, spoil: (thread: Worker) => void, message: RegExp]>([
  ['ends', (thread: Worker) => void thread.terminate(), /the thread that writes is lost: it ended$/],
  // No job has such a form.
  ['fails', (thread: Worker) => thread.postMessage({}, []), /the thread that writes is lost: Cannot read /],
])('a thread that %s costs an attempt, and the next batch has another', async ([, spoil, message]) => {
  await using target = await open()
  await using sink = target.open()
  await sink.prepare(model)
  const threads: Worker[] = []
  const onWorker = (thread: Worker) => void threads.push(thread)
  process.on('worker', onWorker)
  await write(sink, model, [{ key: 'a', records: records(0, 20) }])
  process.off('worker', onWorker)
  spoil(threads[0] as Worker)
  const batch = [{ key: 'b', records: records(20, 40) }]
  await expect(write(sink, model, batch)).rejects.toMatchObject({
    code: 'SINK_FAILED',
    message: expect.stringMatching(message),
  })
  expect(await write(sink, model, batch)).toEqual([applied(20)])
  expect(await numbers(target, 'items')).toHaveLength(40)
})

it('what the thread cannot write has the same code as without it, and nothing is left of it', async () => {
  await using target = await openSqlite()
  for (const threadBytes of [0, Number.POSITIVE_INFINITY]) {
    await using sink = new SqliteSink(target.path, { busyMs: 1, threadBytes })
    await sink.prepare(model)
    await target.query('BEGIN IMMEDIATE')
    await expect(write(sink, model, [{ key: 'a', records: records(0, 20) }])).rejects.toMatchObject({
      code: 'SINK_BUSY',
    })
    await target.query('ROLLBACK')
    expect(await entries(target)).toEqual([])
  }
})
