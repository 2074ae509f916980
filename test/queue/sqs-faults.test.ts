import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { ignoreEvents, type LadingEvent } from '../../src/core/events.ts'
import { retrying } from '../../src/core/retry.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { startSqsScript } from '../../tooling/servers/sqs-script.ts'
import { type SqsKnobs, type SqsStub, startSqsStub } from '../../tooling/servers/sqs-stub.ts'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { expectWhole, keysOf, sorted } from '../contract/queue/expected.ts'
import { messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'

let stub: SqsStub
let queues = 0

beforeAll(async () => {
  Object.assign(process.env, sqsEnvironment)
  stub = await startSqsStub()
})
afterEach(() => stub.turn({}))
afterAll(() => stub.stop())

const freshUrl = (suffix = '') => stub.createQueue(`faults-${queues++}${suffix}`, { VisibilityTimeout: '3' })

const all: SqsKnobs = {
  seed: 7,
  duplicates: 0.1,
  reorder: true,
  expireHandles: 0.02,
  failEntries: 0.1,
  throttle: 0.05,
  fail503: 0.05,
  cut: 0.02,
  slow: 0.05,
  slowMs: 500,
}

it('a stop is heard while SQS does not answer', async () => {
  let isSilent = false
  await using script = await startSqsScript('silent', () => (isSilent ? undefined : 'usual'))
  await using queue = await openQueue(script.url)
  isSilent = true
  const stop = new AbortController()
  const { signal } = stop
  const waiting = [
    openQueue(script.url, { signal }),
    queue.depth({ signal }),
    queue.peek(1, { signal }),
    queue.publish(messagesOf('a', 0, 1), { signal }),
  ]
  stop.abort()
  const ended = await Promise.allSettled(waiting)
  expect(ended).toEqual(
    waiting.map(() => ({
      status: 'rejected',
      reason: expect.objectContaining({ code: 'QUEUE_UNAVAILABLE' }),
    })),
  )
})

/**
 * Publishes and receives so many messages while the knobs are turned, settles each as done, and returns the
 * keys of all deliveries.
 */
async function through(url: string, knobs: SqsKnobs, count: number): Promise<string[]> {
  const events: LadingEvent[] = []
  await using queue = await openQueue(url, { onEvent: (event) => events.push(event) })
  stub.turn(knobs)
  const expected = keysOf(messagesOf('a', 0, count))
  const publish = async () => {
    // As a producer does: now and then a call loses all its three connections.
    for (let n = 0; n < count; n += 20)
      await retrying(() => queue.publish(messagesOf('a', n, 20)), { onEvent: ignoreEvents })
  }
  const keys: string[] = []
  const deadline = performance.now() + 40_000
  const drain = async () => {
    let reader = new Reader(queue, 200)
    while (new Set(keys).size < count) {
      // Three failures in a row end the intake, which a consumer begins anew.
      const taken = await reader.next().catch((error: unknown) => {
        if (!(error instanceof LadingError) || error.code !== 'QUEUE_UNAVAILABLE') throw error
        reader = new Reader(queue, 200)
        return []
      })
      if (taken === undefined || performance.now() > deadline)
        throw new Error(`${new Set(keys).size} of ${count} messages came`)
      taken.forEach(expectWhole)
      keys.push(...keysOf(taken))
      const settled = await Promise.allSettled(taken.map((delivery) => delivery.settle({ kind: 'done' })))
      // What was not settled comes again.
      for (const each of settled)
        if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    }
    await reader.stop()
  }
  await Promise.all([publish(), drain(), drain()])
  expect(sorted([...new Set(keys)])).toEqual(sorted(expected))
  // Whatever was delivered once more is settled too.
  stub.turn({})
  const reader = new Reader(queue)
  await expect
    .poll(
      async () => {
        await reader.drain(0)
        const { ready, inFlight } = await queue.depth()
        return [ready, inFlight]
      },
      { timeout: 20_000 },
    )
    .toEqual([0, 0])
  await reader.stop()
  return keys
}

describe('nothing is lost and everything is settled, although SQS', () => {
  it.each<[string, SqsKnobs]>([
    ['delivers some messages twice', { duplicates: 0.3 }],
    ['keeps no order', { reorder: true }],
    ['forgets receipt handles', { expireHandles: 0.1 }],
    ['fails entries of a batch, or says so', { failEntries: 0.3 }],
    ['refuses calls as too many', { throttle: 0.3 }],
    ['answers 503', { fail503: 0.3 }],
    ['loses connections', { cut: 0.1 }],
    ['answers late', { slow: 0.3, slowMs: 1_000 }],
    ['does all of that', all],
  ])('%s', async (_, knobs) => {
    const before = { ...stub.faults }
    await through(await freshUrl(), { seed: 3, ...knobs }, 200)
    for (const [fault, count] of Object.entries(stub.faults)) {
      const name = fault === 'delayed' ? 'reorder' : fault
      if (name in knobs) expect(count, fault).toBeGreaterThan(before[fault as keyof typeof before])
    }
  })

  it('does all of that to a queue that keeps an order, which it keeps', async () => {
    const { duplicates: _, reorder: __, failEntries: ___, ...knobs } = all
    const keys = await through(await freshUrl('.fifo'), knobs, 40)
    const first = keys.filter((key, index) => keys.indexOf(key) === index)
    expect(first).toEqual(keysOf(messagesOf('a', 0, 40)))
  })
})

it('what is on its way to a consumer that does not come back for a while is not kept from everybody', async () => {
  const count = 400
  const url = await stub.createQueue('busy-consumer', { VisibilityTimeout: '60' })
  await using queue = await openQueue(url)
  await queue.publish(messagesOf('a', 0, count))
  stub.turn({ seed: 3, slow: 1, slowMs: 500 })
  const reader = new Reader(queue, count)
  const first = await reader.take(1)
  await sleep(2_500)
  const rest = await reader.take(count - first.length)
  expect(sorted(keysOf([...first, ...rest]))).toEqual(sorted(keysOf(messagesOf('a', 0, count))))
})

it('an entry that SQS says nothing about is sent again', async () => {
  let silences = 2
  await using script = await startSqsScript('ours', ({ action }) => {
    return action === 'SendMessageBatch' && silences-- > 0
      ? { body: { Successful: [], Failed: [] } }
      : 'usual'
  })
  await using queue = await openQueue(script.url)
  await queue.publish(messagesOf('a', 0, 3)).catch(() => undefined)
  const sent = script.requests
    .filter(({ action }) => action === 'SendMessageBatch')
    .map(({ input }) => (input['Entries'] as object[]).length)
  expect(sent.slice(0, 3)).toEqual([3, 3, 3])
})

describe('while SQS is too busy', () => {
  it('for long, somebody hears of it, and of its end', async () => {
    const events: LadingEvent[] = []
    await using queue = await openQueue(await freshUrl(), { onEvent: (event) => events.push(event) })
    stub.turn({ throttle: 1 })
    const published = queue.publish(messagesOf('a', 0, 10))
    await expect.poll(() => events.length, { timeout: 20_000 }).toBeGreaterThan(0)
    expect(events[0]).toMatchObject({
      type: 'waiting',
      code: 'QUEUE_BUSY',
      message: expect.stringMatching(/^queue \S+: Rate exceeded/),
    })
    stub.turn({})
    await published
    expect(events.at(-1)).toEqual({ type: 'resumed', code: 'QUEUE_BUSY' })
    expect((await queue.depth()).ready).toBe(10)
  })

  it('a stop does not wait for it', async () => {
    await using queue = await openQueue(await freshUrl())
    stub.turn({ failEntries: 1 })
    const abort = new AbortController()
    const published = queue.publish(messagesOf('a', 0, 10), { signal: abort.signal })
    setTimeout(() => abort.abort(), 200)
    await expect(published).rejects.toMatchObject({ code: 'QUEUE_BUSY' })
  })
})
