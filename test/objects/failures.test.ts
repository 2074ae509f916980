/** What fails around objects while they are loaded, and what becomes of their messages. */
import { once } from 'node:events'
import { expect, it, vi } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import type { Queue } from '../../src/queue/queue.ts'
import { failingCall, untouched, wrapQueue } from '../support/wrappers.ts'
import { type Arrivals, failureOf, useArrivals } from './arrivals.ts'

const { s3, sqs, open } = useArrivals()

type Deliveries = Queue['deliveries']
const withDeliveries = ({ queue }: Arrivals, deliveries: (real: ReturnType<Deliveries>) => Deliveries) =>
  wrapQueue(queue, untouched, {
    deliveries: (options) => deliveries(queue.deliveries(options))(options),
  })

const unavailable = () => new LadingError('QUEUE_UNAVAILABLE', 'away, says the test')

it('a table that does not fit stops the consumer before a message is taken', async () => {
  await using arrivals = await open()
  await arrivals.fixture.target.execute('CREATE TABLE numbers (other TEXT)')
  await arrivals.tell(await arrivals.numbered(5))
  expect((await failureOf(arrivals.consume())).code).toBe('SCHEMA_MISMATCH')
  expect(await arrivals.queue.depth()).toMatchObject({ ready: 1 })
})

it('a message that cannot be settled comes again, and its object is not loaded twice', async () => {
  await using arrivals = await open()
  await arrivals.tell(await arrivals.numbered(5))
  vi.spyOn(Math, 'random').mockReturnValue(0)
  try {
    const { between } = failingCall('settle', 1, 'QUEUE_UNAVAILABLE', 'before')
    const tally = await arrivals.consume({ notifications: wrapQueue(arrivals.queue, between) })
    expect(tally).toMatchObject({ messages: 2, redelivered: 1, duplicates: 1, loaded: 5 })
  } finally {
    vi.restoreAllMocks()
  }
  expect(arrivals.events).toContainEqual(
    expect.objectContaining({ type: 'waiting', code: 'QUEUE_UNAVAILABLE' }),
  )
  await arrivals.fixture.expectAllOnce()
})

it('a queue that fails when the last batch is done, or after a stop, ends the run all the same', async () => {
  await using arrivals = await open()
  await arrivals.tell(await arrivals.numbered(5))
  const failing = withDeliveries(
    arrivals,
    (real) =>
      async function* () {
        try {
          yield* real
        } finally {
          // oxlint-disable-next-line no-unsafe-finally
          throw unavailable()
        }
      },
  )
  expect(await arrivals.consume({ notifications: failing }, { batches: 1 })).toMatchObject({ loaded: 5 })
  const stop = new AbortController()
  const ending = withDeliveries(
    arrivals,
    () =>
      // oxlint-disable-next-line require-yield
      async function* ({ signal }) {
        setImmediate(() => stop.abort())
        if (signal !== undefined) await once(signal, 'abort')
        throw unavailable()
      },
  )
  const { messages } = await arrivals.consume({ notifications: ending }, { signal: stop.signal })
  expect(messages).toBe(0)
})

it('what comes after a stop is given back', async () => {
  await using arrivals = await open()
  await arrivals.tell(await arrivals.numbered(5))
  const stop = new AbortController()
  const late = withDeliveries(
    arrivals,
    (real) =>
      async function* () {
        for await (const deliveries of real) {
          if (deliveries.length > 0) stop.abort()
          yield deliveries
        }
      },
  )
  const { messages } = await arrivals.consume({ notifications: late }, { signal: stop.signal })
  expect(messages).toBe(0)
  expect(await arrivals.consume({}, { idleTimeoutMs: 50 })).toMatchObject({ loaded: 5, redelivered: 1 })
})

it('a stop that does not wait for what is published settles nothing of it', async () => {
  await using arrivals = await open('sqlite', 1)
  await arrivals.tell(await arrivals.numbered(3), await arrivals.numbered(2))
  const stop = new AbortController()
  const onEvent = ({ type }: LadingEvent) => void (type === 'published' && stop.abort())
  await arrivals.consume({ onEvent, graceMs: 0 }, { signal: stop.signal })
  expect(await arrivals.isEmpty()).toBe(false)
  await arrivals.consume()
  await arrivals.fixture.expectAllOnce()
})

it('a message that crashed its consumers too often, and one of a newer lading, are dead letters of the pipeline', async () => {
  await using arrivals = await open()
  await arrivals.tell(await arrivals.numbered(5))
  for (let n = 0; n < 2; n++)
    await sqs().call('ReceiveMessage', { QueueUrl: arrivals.queueUrl, VisibilityTimeout: 0 })
  const own = JSON.stringify({ key: 'newer', headers: {}, body: 'zstd' })
  await sqs().call('SendMessage', {
    QueueUrl: arrivals.queueUrl,
    MessageBody: '?',
    MessageAttributes: { 'lading-message': { DataType: 'String', StringValue: own } },
  })
  const tally = await arrivals.consume({ maxAttempts: 2, pipeline: 'arrivals' })
  expect(tally).toMatchObject({ messages: 2, loaded: 0, deadMessages: 2 })
  const letters = await arrivals.letters()
  expect(letters.map(({ code, pipeline }) => [code, pipeline]).toSorted()).toEqual([
    ['ATTEMPTS_EXHAUSTED', 'arrivals'],
    ['ENVELOPE_NEWER', 'arrivals'],
  ])
})

it('a store that answers for none is asked for each alone in the end, and still makes no dead letter', async () => {
  await using arrivals = await open()
  await arrivals.tell(await arrivals.numbered(3), await arrivals.numbered(4))
  vi.spyOn(Math, 'random').mockReturnValue(0)
  s3().trouble = ({ bucket }) => (bucket === arrivals.bucket ? 'cut' : undefined)
  let waited = 0
  const onEvent = ({ type }: LadingEvent) => {
    if (type === 'waiting' && ++waited === 5) s3().trouble = () => undefined
  }
  try {
    const tally = await arrivals.consume({ maxAttempts: 1, onEvent })
    expect(tally).toMatchObject({ loaded: 7, retried: 0, deadMessages: 0 })
  } finally {
    s3().trouble = () => undefined
    vi.restoreAllMocks()
  }
})

it('a store that says that another object is gone is there: the one that it fails to send is at fault', async () => {
  await using arrivals = await open()
  const first = await arrivals.numbered(3)
  await arrivals.tell(first)
  vi.spyOn(Math, 'random').mockReturnValue(0)
  s3().trouble = ({ key }) => (key === 'in/bad.csv' ? { status: 500, code: 'InternalError' } : undefined)
  const done = Promise.withResolvers<void>()
  const onEvent = ({ type }: LadingEvent) => void (type === 'batch' && done.resolve())
  const stop = new AbortController()
  try {
    const running = arrivals.consume({ maxAttempts: 1, onEvent }, { signal: stop.signal })
    await done.promise
    await arrivals.remove(first)
    await arrivals.tell(await arrivals.put('in/bad.csv', 'id,note\n1,x\n'))
    await expect.poll(() => arrivals.letters(), { timeout: 20_000 }).toHaveLength(1)
    stop.abort()
    expect(await running).toMatchObject({ loaded: 3, deadMessages: 1 })
  } finally {
    stop.abort()
    s3().trouble = () => undefined
    vi.restoreAllMocks()
  }
  expect(await arrivals.letters()).toMatchObject([{ code: 'SOURCE_UNAVAILABLE' }])
})

it('rejects that are not in the ledger any more are told', async () => {
  await using arrivals = await open()
  await arrivals.consume()
  await arrivals.fixture.target.execute(
    'CREATE TRIGGER gone AFTER INSERT ON lading_reject BEGIN DELETE FROM lading_reject; END',
  )
  await arrivals.tell(await arrivals.put('in/some.csv', 'id,note\n1,a\nx,b\n'))
  expect(await arrivals.consume()).toMatchObject({ loaded: 1, rejected: 1, deadMessages: 0 })
  expect(arrivals.events).toContainEqual({
    type: 'warning',
    message: expect.stringMatching(/some\.csv.*: 1 records are rejected, and 0 rejects are kept$/),
  })
})
