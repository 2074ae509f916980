import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  createConsumer,
  defineModel,
  integer,
  load,
  openQueue,
  openSink,
  produce,
  text,
} from '../../src/index.ts'
import { republishMissing } from '../../src/producer/republish.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { knownByEach } from '../support/known.ts'

const { server, freshSqsUrl } = useSqs()
const model = defineModel({ table: 'notes', columns: { id: integer(), note: text() } })

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-sqs-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('chunks that a queue which keeps an order has lost are taken again when they are published again, within its five minutes too', async () => {
  const path = join(folder, 'notes.csv')
  writeFileSync(path, `id,note\n${Array.from({ length: 100 }, (_, id) => `${id},a\n`).join('')}`)
  const url = await freshSqsUrl({}, '.fifo')
  await using queue = await openQueue(url)
  await using sink = await openSink('sqlite::memory:')
  const producer = { queue, statePath: join(folder, 'producer.db'), place: sink.place }
  const [sent] = await produce({ ...producer, paths: [path], model, chunkBytes: 100 })
  await server().call('PurgeQueue', { QueueUrl: url })
  const published = await republishMissing({ ...producer, loadId: sent?.loadId as string, known: undefined })
  expect(published).toBe(sent?.chunks)
  expect((await queue.depth()).ready).toBe(published)
  expect(await createConsumer({ queue, model, sink }).run({ untilEmpty: true })).toMatchObject({
    loaded: 100,
    duplicates: 0,
  })
})

it('a file is loaded again after its database was lost, through a queue that takes equal messages once', async () => {
  const path = join(folder, 'notes.csv')
  writeFileSync(path, `id,note\n${Array.from({ length: 100 }, (_, id) => `${id},a\n`).join('')}`)
  await using queue = await openQueue(await freshSqsUrl({}, '.fifo'))
  const loaded = async () => {
    await using sink = await openSink('sqlite::memory:')
    const { account } = await load({
      paths: [path],
      model,
      queue,
      sink,
      statePath: join(folder, 'producer.db'),
    })
    return account.totals.loaded
  }
  expect([await loaded(), await loaded()]).toEqual([100, 100])
})

it('a load ends beside what another command left of the same file in a queue that keeps an order, which stays', async () => {
  const path = join(folder, 'notes.csv')
  writeFileSync(path, `id,note\n${Array.from({ length: 100 }, (_, id) => `${id},a\n`).join('')}`)
  await using queue = await openQueue(await freshSqsUrl({}, '.fifo'))
  const [sent] = await produce({
    paths: [path],
    model,
    queue,
    statePath: join(folder, 'other.db'),
    chunkBytes: 100,
  })
  await using sink = await openSink('sqlite::memory:')
  const { account } = await load({
    paths: [path],
    model,
    queue,
    sink,
    statePath: join(folder, 'producer.db'),
  })
  expect(account.totals).toMatchObject({ loaded: 100, open: 0 })
  // One that is given back for later counts as in flight until then.
  const { ready, inFlight = 0 } = await queue.depth()
  expect(ready + inFlight).toBe(sent?.chunks)
})

const row = (id: number): string => `${id},${'ab😀\u0001'.repeat(id % 40)}${Math.random()}\n`

it.each(['8192', '65536', '262144', '1048576'])(
  'a file is loaded through a queue whose messages have %s bytes, without a word',
  async (limit) => {
    const path = join(folder, 'notes.csv')
    const count = limit === '8192' ? 1_000 : 20_000
    writeFileSync(path, `id,note\n${Array.from({ length: count }, (_, id) => row(id)).join('')}`)
    const url = await freshSqsUrl({ MaximumMessageSize: limit })
    await using queue = await openQueue(url)
    await using sink = await openSink('sqlite::memory:')
    const producing = { paths: [path], model, queue, statePath: join(folder, 'producer.db') }
    const [sent] = await produce(producing)
    expect(sent?.published).toBe(sent?.chunks)
    expect(sent?.chunks).toBeGreaterThan(1)
    // The chunks are the same ones when it is resumed.
    const known = knownByEach(async () => ({
      plan: sent?.plan ?? '',
      complete: false,
      keys: new Set<string>(),
    }))
    expect((await produce({ ...producing, known }))[0]?.published).toBe(sent?.chunks)
    const tally = await createConsumer({ queue, model, sink }).run({ untilEmpty: true })
    expect(tally).toMatchObject({ loaded: count, duplicates: sent?.chunks, deadMessages: 0, rejected: 0 })
    expect(server().calls['SendMessageBatch']).toBeGreaterThan(0)
  },
)
