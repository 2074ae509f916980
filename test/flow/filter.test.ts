/** Records that are left out on purpose: counted, shown, and neither loaded nor rejected. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  balance,
  createConsumer,
  defineModel,
  dryRun,
  integer,
  load,
  type LoadOptions,
  type Model,
  type ModelOptions,
  openQueue,
  openSink,
  preview,
  replayRejects,
  text,
} from '../../src/index.ts'
import { Records } from '../../src/consumer/decode/records.ts'
import type { Layout } from '../../src/core/load.ts'
import { ValueWriter } from '../../src/model/value-writer.ts'
import { Fixture } from '../support/fixture.ts'
import { describePostgres } from '../../tooling/servers/database.ts'

const columns = { id: integer().notNull(), note: text() }
const model = (more: Partial<ModelOptions<typeof columns>> = {}) =>
  defineModel({ table: 'items', columns, ...more })

async function opened(kind: 'sqlite' | 'postgres' = 'sqlite') {
  const fixture = await Fixture.open(kind)
  const queue = await openQueue(`embedded:${join(fixture.folder, 'queue.db')}`)
  const sink = await openSink(fixture.target.url)
  const counts = (receipts: Awaited<ReturnType<typeof sink.ledger.receipts>>) =>
    receipts.map((receipt) => {
      expect(balance(receipt)).toEqual({ open: 0, problems: [] })
      const { records, loaded, rejected, skipped, filtered } = receipt
      return { records, loaded, rejected, skipped, filtered }
    })
  const path = join(fixture.folder, 'a.csv')
  return {
    path,
    sink,
    queue,
    load: async (of: Model, content: string, more: Partial<LoadOptions> = {}) => {
      await writeFile(path, content)
      const statePath = join(fixture.folder, 'state.db')
      const { receipts } = await load({ paths: [path], model: of, queue, sink, statePath, ...more })
      return counts(receipts)[0]
    },
    rejects: async () =>
      (await sink.ledger.rejects({ limit: 10 })).map(({ line, code, detail }) => ({ line, code, detail })),
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      await fixture[Symbol.asyncDispose]()
    },
  }
}

function everywhere(kind: 'sqlite' | 'postgres'): void {
  it('empty lines are rejects, or are skipped and counted, as is said', async () => {
    const csv = 'id,note\n1,a\n\n2,b\n\n\n'
    for (const [dialect, rejected, filtered] of [
      [{}, 3, 0],
      [{ blankLines: 'skip' as const }, 0, 3],
    ] as const) {
      await using target = await opened(kind)
      expect(await target.load(model(), csv, { dialect })).toEqual({
        records: 5,
        loaded: 2,
        rejected,
        skipped: filtered,
        filtered,
      })
    }
  })

  it('the model says which, by texts of fields and by its own code, and others become rejects as ever', async () => {
    await using target = await opened(kind)
    const of = model({ skipWhen: { id: ['Total', 'Sum'] }, where: ({ note }) => note !== 'test' })
    const csv = 'id,note\n1,a\nTotal,\n2,test\nx,b\n3,\nSum,1,2\n'
    expect(await target.load(of, csv)).toEqual({
      records: 6,
      loaded: 2,
      rejected: 2,
      skipped: 2,
      filtered: 2,
    })
    expect(await target.rejects()).toMatchObject([
      { line: 5, code: 'BAD_INTEGER' },
      { line: 7, code: 'COLUMN_COUNT' },
    ])
  })
}

describe('SQLite', () => everywhere('sqlite'))
describePostgres('PostgreSQL', () => everywhere('postgres'))

it('an option says which, of fields that no column reads too, and the empty text is no value', async () => {
  await using target = await opened()
  const csv = 'id,note,state\n1,a,ok\n2,,ok\n3,"",ok\n4,d,deleted\n'
  const skipWhen = { state: 'deleted', note: [''] }
  expect(await target.load(model(), csv, { skipWhen })).toMatchObject({ loaded: 1, filtered: 3 })
  const missing = target.load(model(), 'id,note\n1,a\n', { skipWhen })
  await expect(missing).rejects.toMatchObject({ code: 'HEADER_MISMATCH' })
  await expect(target.load(model(), csv, { skipWhen: { state: [] } })).rejects.toMatchObject({
    code: 'USAGE',
  })
})

it('records of JSON are left out by any of their fields', async () => {
  await using target = await opened()
  const lines = '{"id":1,"state":"ok"}\n{"id":"-"}\n{"id":2,"state":"deleted"}\n{"id":3}\n'
  const of = model({ skipWhen: { state: 'deleted' }, where: ({ id }) => id !== '-' })
  expect(await target.load(of, lines, { format: 'ndjson' })).toMatchObject({ loaded: 2, filtered: 2 })
})

it('messages are left out record by record, whatever identifies them', async () => {
  for (const dedupKey of ['message-id', 'field:id'] as const) {
    await using target = await opened()
    const body = Buffer.from('[{"id":1},{"id":2,"note":"test"},{"id":3}]')
    await target.queue.publish([{ key: 'm', body, headers: {} }])
    const consumer = createConsumer({
      queue: target.queue,
      sink: target.sink,
      model: model({ where: ({ note }) => note !== 'test' }),
      dedupKey,
    })
    expect(await consumer.run({ untilEmpty: true })).toMatchObject({ loaded: 2, rejected: 0, skipped: 1 })
  }
})

it('a preview says how many a consumer would leave out', async () => {
  const body = Buffer.from('[{"id":1},{"id":2,"note":"test"},{"id":"x"}]')
  const message = { key: 'm', body, headers: {}, attempt: 1 }
  const [seen] = await preview([message], { model: model({ skipWhen: { note: 'test' } }) })
  expect(seen?.outlook).toMatchObject({ records: 3, rejected: 1, filtered: 1, rows: [{ id: 1 }] })
})

it('code that throws rejects its record', async () => {
  await using target = await opened()
  const of = model({
    where: ({ note }) => {
      if (note === null) throw new Error('no note')
      return true
    },
  })
  expect(await target.load(of, 'id,note\n1,a\n2,\n')).toMatchObject({ loaded: 1, rejected: 1, filtered: 0 })
  expect(await target.rejects()).toEqual([
    { line: 3, code: 'TRANSFORM_FAILED', detail: 'the where of the model threw: no note' },
  ])
})

it.each([
  ['a value of type undefined', () => undefined],
  ['a promise', async () => true],
])('a where that gives no answer stops the load: %s', async (what, where) => {
  await using target = await opened()
  const of = model({ where: where as never })
  const failed = (place: string) => ({
    code: 'HOOK_FAILED',
    message: expect.stringMatching(`${place}: the where of model .+ returned ${what}, and not true or false`),
  })
  await expect(target.load(of, 'id,note\n1,a\n')).rejects.toMatchObject(failed(':2'))
  expect(await target.rejects()).toEqual([])
  const { path, sink } = target
  await expect(dryRun({ paths: [path], model: of, sink })).rejects.toMatchObject(failed('a.csv, record 1'))
})

it('a where that gives no answer stops a consumer at its message, whose record it names', async () => {
  await using target = await opened()
  await target.queue.publish([{ key: 'm', body: Buffer.from('[{"id":1},{"id":2}]'), headers: {} }])
  const where = ({ id }: Readonly<Record<string, string | null>>) => (id === '1' ? true : undefined) as never
  const consumer = createConsumer({ ...target, model: model({ where }), dedupKey: 'field:id' })
  await expect(consumer.run({ untilEmpty: true })).rejects.toMatchObject({
    code: 'HOOK_FAILED',
    message: expect.stringContaining('record 2 of a message: the where of model'),
  })
  expect(await target.queue.depth()).toMatchObject({ ready: 1 })
})

it('a reject that the model leaves out by now stays one, and says so', async () => {
  await using target = await opened()
  await target.load(model(), 'id,note\nTotal,\n')
  const rejects = await target.sink.ledger.rejects({ limit: 1 })
  await replayRejects(rejects, { sink: target.sink, model: model({ skipWhen: { id: 'Total' } }) })
  expect(await target.rejects()).toMatchObject([{ line: 2, code: 'RECORD_FILTERED' }])
})

it('what is left out is part of the fingerprint', () => {
  const prints = [
    model(),
    model({ skipWhen: { id: 'a' } }),
    model({ skipWhen: { id: 'b' } }),
    model({ where: () => true }),
  ].map(({ fingerprint }) => fingerprint)
  expect(new Set(prints).size).toBe(4)
  expect(() => model({ skipWhen: { id: 1 as never } })).toThrow('skipWhen of id must be a text')
  expect(() => model({ where: 'x' as never })).toThrow("where 'x' is not a function")
})

it.each(['a', ['id'], null, { id: 1 }, { id: [] }])(
  'a layout that a message states, and that leaves out by what is no text, cannot be read: %j',
  (skipWhen) => {
    const layout = { fields: ['id', 'note'], delimiter: ',', quote: '"', skipWhen }
    const options = { model: model(), ignoreExtra: false }
    expect(Records.of(layout as Layout, options, new ValueWriter(options.model))).toMatchObject({
      code: 'BAD_ENVELOPE',
      detail: expect.stringMatching(/cannot be read: skipWhen (must have|of id must be)/),
    })
  },
)
