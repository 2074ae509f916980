import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openQueue } from '../../src/queue/registry.ts'
import { type Request, startSqsScript, type Written } from '../../tooling/servers/sqs-script.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { expectWhole, keysOf, sorted } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { startChild } from '../contract/queue/start-child.ts'
import { queueModule } from './module.ts'
import { Reader } from '../contract/queue/reader.ts'
import { externalMessage, rawFrom } from './sqs-messages.ts'

const { server, freshSqsUrl, freshSqsUrlWithDead } = useSqs()
const raw = rawFrom(server)

const done = { kind: 'done' } as const
const kib = 1024
const nameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1)
const retry = { kind: 'retry', afterMs: 0, code: 'SINK_BUSY' } as const
const siblingOf = (url: string): string => server().url(`dead-${nameOf(url)}`)

describe('what is sent to SQS', () => {
  it('is text as it is, with key and headers in one attribute of ASCII', async () => {
    const url = await freshSqsUrl()
    await using queue = await openQueue(url)
    await queue.publish([
      {
        key: 'ключ',
        body: Buffer.from('id;name\n1;Łódź\r\n'),
        headers: { 'content type': 'text/csv', ü: '😀\u0000' },
      },
    ])
    const [message] = await raw(url, 1)
    expect(message?.['Body']).toBe('id;name\n1;Łódź\r\n')
    expect(Object.keys(message?.['MessageAttributes'] as object)).toEqual(['lading-message'])
    expect(message?.['MessageAttributes']['lading-message'].StringValue).toMatch(/^[\x20-\x7e]+$/)
  })

  it('is a mark where the body is empty, which SQS refuses', async () => {
    const url = await freshSqsUrl()
    await using queue = await openQueue(url)
    await queue.publish([{ key: 'a', body: new Uint8Array(), headers: {} }])
    expect((await raw(url, 1))[0]?.['Body']).toBe('-')
  })

  it.each([
    ['a NUL', Buffer.from('a\u0000b')],
    ['an escape', Buffer.from('\u001b[0m')],
    ['no UTF-8', Buffer.from([0x61, 0xff, 0xfe])],
    ['a surrogate as UTF-8 must not have it', Buffer.from([0xed, 0xa0, 0x80])],
    ['a character beyond the basic plane', Buffer.from('😀')],
    ['a character that is none', Buffer.from('\ufffe\uffff')],
    ['a byte order mark', Buffer.from('\ufeffid\n')],
    ['a single space', Buffer.from(' ')],
    ['the mark of an empty body', Buffer.from('-')],
    ['nothing', Buffer.alloc(0)],
    ['line ends of all kinds', Buffer.from('\r\n\n\r\t')],
    ['200 KiB of text', Buffer.alloc(200 * kib, 'id;value;\n')],
    ['200 KiB of everything', Buffer.alloc(200 * kib, randomBytes(999))],
    ['200 KiB of noise', randomBytes(200 * kib)],
  ])('arrives byte for byte: %s', async (_, body) => {
    await using queue = await openQueue(await freshSqsUrl())
    await queue.publish([{ key: 'a', body, headers: {} }])
    const { body: arrived } = await new Reader(queue).takeOne()
    expect(Buffer.compare(arrived, body)).toBe(0)
  })

  it.each([1024, 65_536, 262_144, 1_048_576])(
    'fits into a queue of %i bytes up to its largest body, whatever the bytes are',
    async (limit) => {
      const url = await freshSqsUrl({ MaximumMessageSize: String(limit) })
      await using queue = await openQueue(url)
      const { maxBytes } = queue.traits
      expect(maxBytes).toBeGreaterThan(limit / 2)
      const bodies = [randomBytes(maxBytes), Buffer.alloc(maxBytes, 'x'), Buffer.alloc(maxBytes, '\u0001')]
      await queue.publish(bodies.map((body, n) => ({ key: String(n), body, headers: {} })))
      for (const { key, body } of await new Reader(queue).take(3))
        expect(Buffer.compare(body, bodies[Number(key)] as Buffer)).toBe(0)
    },
  )

  it('is refused before anything is sent where it is larger, with its headers or without', async () => {
    const url = await freshSqsUrl({ MaximumMessageSize: '262144' })
    await using queue = await openQueue(url)
    const { maxBytes } = queue.traits
    for (const large of [
      { key: 'l', body: Buffer.alloc(maxBytes + 1), headers: {} },
      { key: 'l', body: randomBytes(maxBytes), headers: { many: 'x'.repeat(9 * kib) } },
    ]) {
      await expect(queue.publish([messageOf('a', 0), large])).rejects.toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
      })
    }
    expect((await queue.depth()).ready).toBe(0)
  })

  it('goes in calls of ten messages and of 1 MiB at most', async () => {
    await using queue = await openQueue(await freshSqsUrl())
    const before = server().calls['SendMessageBatch'] ?? 0
    await queue.publish(messagesOf('a', 0, 95))
    expect((server().calls['SendMessageBatch'] ?? 0) - before).toBe(10)
    await queue.publish(
      Array.from({ length: 8 }, (_, n) => ({ key: `b/${n}`, body: randomBytes(200 * kib), headers: {} })),
    )
    expect((server().calls['SendMessageBatch'] ?? 0) - before).toBe(13)
    expect((await queue.depth()).ready).toBe(103)
  })
})

describe('what comes from SQS', () => {
  it("is an external one too, whose key is the message's id and whose attributes are headers", async () => {
    const url = await freshSqsUrl()
    await using queue = await openQueue(url)
    const { MessageId } = await server().call('SendMessage', {
      QueueUrl: url,
      MessageBody: '{"id":1}',
      MessageAttributes: {
        text: { DataType: 'String', StringValue: 'a' },
        number: { DataType: 'Number.int', StringValue: '12' },
        bytes: { DataType: 'Binary', BinaryValue: 'AP8=' },
        name: { DataType: 'Binary', BinaryValue: 'xYE=' },
        'lading-message': { DataType: 'String', StringValue: '{"key":1}' },
      },
    })
    const delivery = await new Reader(queue).takeOne()
    expect(delivery.key).toBe(MessageId)
    expect(delivery.headers).toEqual({
      text: 'a',
      number: '12',
      bytes: 'AP8=',
      name: 'Ł',
      'lading-message': '{"key":1}',
    })
    expect(String(delivery.body)).toBe('{"id":1}')
  })

  it('that a newer lading has written in a way of its own says so, and keeps what a newer one needs to read it', async () => {
    const url = await freshSqsUrl()
    await using queue = await openQueue(url)
    const StringValue = JSON.stringify({ key: 'a', headers: {}, body: 'zstd' })
    await server().call('SendMessage', {
      QueueUrl: url,
      MessageBody: 'x',
      MessageAttributes: { 'lading-message': { DataType: 'String', StringValue } },
    })
    const { key, headers, body, fault } = await new Reader(queue).takeOne()
    expect({ key, headers, body: String(body) }).toEqual({
      key: 'a',
      headers: { 'lading-message': StringValue },
      body: 'x',
    })
    expect(fault).toMatchObject({ code: 'ENVELOPE_NEWER', detail: expect.stringContaining('zstd') })
  })

  it('stays ours while it waits to be taken, however long the taker is busy', async () => {
    const url = await freshSqsUrl({ VisibilityTimeout: '1' })
    await using queue = await openQueue(url)
    await using other = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 30))
    const reader = new Reader(queue)
    const taken = await reader.take(1)
    const keep = setInterval(() => taken.forEach((delivery) => void delivery.extend?.(1_000)), 300)
    await expect.poll(async () => (await other.depth()).ready).toBe(0)
    const rival = new Reader(other)
    for (const end = Date.now() + 3_000; Date.now() < end;) expect(await rival.next()).toEqual([])
    clearInterval(keep)
    taken.push(...(await reader.take(30 - taken.length)))
    expect(new Set(taken.map(({ attempt }) => attempt))).toEqual(new Set([1]))
    expect(new Set(keysOf(taken)).size).toBe(30)
  })

  it('is not asked for by who does not come back for more', async () => {
    const url = await freshSqsUrl({ VisibilityTimeout: '2' })
    await using queue = await openQueue(url)
    await using other = await openQueue(url)
    const reader = new Reader(queue)
    expect(await reader.next()).toEqual([])
    await expect.poll(() => server().pending, { timeout: 5_000 }).toBe(0)
    await queue.publish([messageOf('a', 0)])
    expect((await new Reader(other).takeOne()).attempt).toBe(1)
    await reader.stop()
  })

  it('is taken alone when it was delivered so often that it may be what kills us, and few at a time before', async () => {
    const url = await freshSqsUrl()
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 30))
    const deliverAll = async () => {
      for (let n = 0; n < 30; n += 10)
        await server().call('ReceiveMessage', {
          QueueUrl: url,
          MaxNumberOfMessages: 10,
          VisibilityTimeout: 0,
        })
    }
    const inHand = async () => {
      const reader = new Reader(queue)
      const taken = await reader.takeAvailable()
      await Promise.all(
        taken.map((delivery) => delivery.settle({ kind: 'retry', afterMs: 0, code: 'SINK_BUSY' })),
      )
      await reader.stop()
      return taken.length
    }
    for (let n = 0; n < 3; n++) await deliverAll()
    expect(await inHand()).toBeLessThanOrEqual(10)
    for (let n = 0; n < 3; n++) await deliverAll()
    expect(await inHand()).toBe(1)
  })

  it('is about 12 MiB at once, however large the prefetch is', async () => {
    await using queue = await openQueue(await freshSqsUrl())
    const body = Buffer.alloc(500 * kib, 'x')
    await queue.publish(Array.from({ length: 80 }, (_, n) => ({ key: String(n), body, headers: {} })))
    const reader = new Reader(queue, 2_000)
    const keys = new Set<string>()
    for (
      const inHand = await reader.take(20);
      keys.size < 80;
      inHand.push(...((await reader.next()) ?? []))
    ) {
      expect(inHand.length).toBeLessThanOrEqual(25)
      for (const delivery of inHand.splice(0, 7)) {
        keys.add(delivery.key)
        await delivery.settle(done)
      }
    }
  })

  it('weighs what it refers to', async () => {
    await using queue = await openQueue(await freshSqsUrl())
    await queue.publish(
      Array.from({ length: 40 }, (_, n) => ({
        key: String(n),
        body: Buffer.alloc(0),
        headers: {},
        weight: 4 * kib * kib,
      })),
    )
    expect((await new Reader(queue, 2_000).takeAvailable()).length).toBeLessThanOrEqual(4)
  })

  it('is asked for by one call while there is none, and by several while there is some', async () => {
    const url = await freshSqsUrl()
    await using queue = await openQueue(`${url}?receivers=3`)
    expect(queue.id).toBe(url)
    const reader = new Reader(queue)
    const before = server().calls['ReceiveMessage'] ?? 0
    for (let n = 0; n < 4; n++) expect(await reader.next()).toEqual([])
    expect((server().calls['ReceiveMessage'] ?? 0) - before).toBe(1)
    expect(server().pending).toBe(1)
    await queue.publish(messagesOf('a', 0, 20))
    await reader.drain(20)
    expect(server().pending).toBe(3)
    await reader.stop()
  })

  it('is asked for by one call when there is none any more, and not again and again by those that are answered at once', async () => {
    const answers = [['0'], ['1', '2', '3', '4'], [], [], []]
    await using script = await startSqsScript('ours', ({ action }) => {
      const next = action === 'ReceiveMessage' ? answers.shift() : undefined
      return next === undefined ? 'usual' : { body: { Messages: next.map((key) => externalMessage(key)) } }
    })
    await using queue = await openQueue(`${script.url}?receivers=3`)
    const startedAt = Date.now()
    const reader = new Reader(queue)
    await reader.take(5)
    for (let n = 0; n < 3; n++) expect(await reader.next()).toEqual([])
    expect(answers).toEqual([])
    expect(script.requests.filter(({ action }) => action === 'ReceiveMessage')).toHaveLength(6)
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(100)
  })
})

describe('a stop', () => {
  it('ends a long poll at once', async () => {
    await using queue = await openQueue(await freshSqsUrl())
    const reader = new Reader(queue)
    await reader.next()
    expect(server().pending).toBe(1)
    const startedAt = Date.now()
    await reader.stop()
    expect(Date.now() - startedAt).toBeLessThan(300)
    await expect.poll(() => server().pending, { timeout: 5_000 }).toBe(0)
  })

  it('gives back at once what was not taken', async () => {
    const url = await freshSqsUrl({ VisibilityTimeout: '300' })
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 50))
    const reader = new Reader(queue)
    const taken = await reader.take(1)
    await expect.poll(async () => (await queue.depth()).ready).toBe(0)
    await reader.stop()
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
    expect(await queue.depth()).toMatchObject({ ready: 50 - taken.length, inFlight: 0 })
  })

  it('of the queue ends its iterations, waits for what is being settled, and lets the process end', async () => {
    const url = await freshSqsUrl()
    const queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 40))
    const reader = new Reader(queue)
    const taken = await reader.take(20)
    const settled = Promise.all(taken.map((delivery) => delivery.settle(done)))
    await queue[Symbol.asyncDispose]()
    await settled
    expect(await reader.next()).toBeUndefined()
    expect(server().pending).toBe(0)
    await expect(queue.depth()).rejects.toMatchObject({ code: 'INTERNAL' })
    const child = startChild({ kind: 'drain', module: queueModule.href, url, prefetch: 10 })
    await expect.poll(() => child.drained().length, { timeout: 10_000 }).toBe(40 - taken.length)
    const startedAt = Date.now()
    child.stop()
    expect(await child.ended).toBe(0)
    expect(Date.now() - startedAt).toBeLessThan(1_000)
  })
})

it('closing a queue waits for what is being settled', async () => {
  const answers = [['0']]
  await using script = await startSqsScript('ours', async ({ action }) => {
    if (action === 'DeleteMessageBatch') await sleep(1_000)
    const next = action === 'ReceiveMessage' ? answers.shift() : undefined
    return next === undefined ? 'usual' : { body: { Messages: next.map((key) => externalMessage(key)) } }
  })
  const queue = await openQueue(script.url)
  const [delivery] = await new Reader(queue).take(1)
  let isSettled = false
  const settled = delivery?.settle(done).then(() => (isSettled = true))
  await queue[Symbol.asyncDispose]()
  expect(isSettled).toBe(true)
  await settled
})

it('a dead-letter queue that SQS fills after few deliveries is warned of', async () => {
  const url = await freshSqsUrl()
  const policy = JSON.stringify({ deadLetterTargetArn: server().arn('nobody'), maxReceiveCount: 3 })
  await server().call('SetQueueAttributes', { QueueUrl: url, Attributes: { RedrivePolicy: policy } })
  await using queue = await openQueue(url)
  expect(queue.traits.warnings).toEqual([expect.stringContaining('after 3 deliveries')])
})

describe('how long a message is ours', () => {
  it('is never extended beyond 12 hours, and in calls of ten', async () => {
    const keys = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
    let answers = [keys.slice(0, 1), keys.slice(1, 4), keys.slice(4), ['a', 'b']]
    await using script = await startSqsScript('ours', ({ action }) => {
      const next = action === 'ReceiveMessage' ? answers.shift() : undefined
      return next === undefined ? 'usual' : { body: { Messages: next.map((key) => externalMessage(key)) } }
    })
    await using queue = await openQueue(`${script.url}?receivers=1`)
    expect(queue.traits.leaseMs).toBe(30_000)
    const taken = await new Reader(queue).take(12)
    await Promise.all(taken.map((delivery) => delivery.extend?.(20 * 3_600_000)))
    const changes = script.requests.filter(({ action }) => action === 'ChangeMessageVisibilityBatch')
    expect(changes.map(({ input }) => (input['Entries'] as object[]).length)).toEqual([10, 2])
    for (const entry of changes.flatMap(({ input }) => input['Entries'] as { VisibilityTimeout: number }[])) {
      expect(entry.VisibilityTimeout).toBeLessThan(43_200)
      expect(entry.VisibilityTimeout).toBeGreaterThan(43_000)
    }
    answers = []
  })
})

describe('a message that is not ours any more', () => {
  /** A queue with a lease of one second and a dead-letter queue, which holds what `keys` name. */
  async function held(keys: readonly string[], changed: Written) {
    const attributes = {
      VisibilityTimeout: '1',
      MaximumMessageSize: '262144',
      RedrivePolicy:
        '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:theirs","maxReceiveCount":100}',
    }
    const answers = [keys.slice(0, 1), keys.slice(1)]
    const script = await startSqsScript('ours', ({ action }) => {
      if (action === 'GetQueueAttributes') return { body: { Attributes: attributes } }
      if (action === 'ChangeMessageVisibilityBatch') return changed
      const next = action === 'ReceiveMessage' ? answers.shift() : undefined
      return next === undefined ? 'usual' : { body: { Messages: next.map((key) => externalMessage(key)) } }
    })
    const queue = await openQueue(script.url)
    const taken = await new Reader(queue).take(keys.length)
    const close = async () => {
      await queue[Symbol.asyncDispose]()
      await script[Symbol.asyncDispose]()
    }
    return { requests: script.requests, taken, [Symbol.asyncDispose]: close }
  }
  const callsOf = (requests: readonly Request[]) =>
    requests.map(({ action }) => action).filter((action) => /Send|Change|Delete/.test(action))

  it('by our own clock is neither given back nor extended; what was done is deleted', async () => {
    await using testQueue = await held(['0', '1', '2'], 'usual')
    await sleep(1_100)
    const [one, two, three] = testQueue.taken
    await Promise.all([one?.settle({ kind: 'release' }), two?.extend?.(60_000), three?.settle(done)])
    expect(callsOf(testQueue.requests)).toEqual(['DeleteMessageBatch'])
  })

  it('as SQS says is left to its new holder, without an error', async () => {
    const Failed = [
      'ReceiptHandleIsInvalid',
      'AWS.SimpleQueueService.MessageNotInflight',
      'InvalidParameterValue',
    ].map((Code, index) => ({
      Id: String(index),
      SenderFault: true,
      Code,
      Message: 'The receipt handle has expired',
    }))
    await using testQueue = await held(['0', '1', '2'], { body: { Successful: [], Failed } })
    const [one, two, three] = testQueue.taken
    await Promise.all([one?.settle({ kind: 'release' }), two?.settle(retry), three?.extend?.(60_000)])
    expect(callsOf(testQueue.requests)).toEqual(['ChangeMessageVisibilityBatch'])
  })
})

describe('looking at SQS', () => {
  it('peek shows different messages, which counts as a delivery', async () => {
    await using queue = await openQueue(await freshSqsUrl())
    expect(await queue.peek(3)).toEqual([])
    await queue.publish(messagesOf('a', 0, 15))
    const seen = await queue.peek(12)
    seen.forEach(expectWhole)
    expect(new Set(keysOf(seen)).size).toBe(12)
    expect(seen.every(({ attempt }) => attempt === 0)).toBe(true)
    expect((await queue.peek(100)).length).toBe(15)
    const taken = await new Reader(queue).drain(15)
    expect(sorted(keysOf(taken))).toEqual(sorted(keysOf(messagesOf('a', 0, 15))))
    expect(taken.every(({ attempt }) => attempt > 1)).toBe(true)
  })

  it('depth counts what is delayed as ready, what comes back later as in flight, and the dead-letter queue', async () => {
    const url = await freshSqsUrlWithDead()
    await using queue = await openQueue(url)
    await queue.publish(messagesOf('a', 0, 6))
    await server().call('SendMessage', { QueueUrl: url, MessageBody: 'later', DelaySeconds: 600 })
    await server().call('SendMessage', { QueueUrl: siblingOf(url), MessageBody: 'delivered too often' })
    const reader = new Reader(queue, 4)
    const [one, two, three] = await reader.take(4)
    await reader.stop()
    await Promise.all([
      one?.settle(done),
      two?.settle(done),
      three?.settle({ kind: 'retry', afterMs: 600_000, code: 'SINK_BUSY' }),
    ])
    expect(await queue.depth()).toEqual({ ready: 3, inFlight: 2, dead: 1 })
  })
})

describe('where a queue of SQS is', () => {
  it('is said by AWS_ENDPOINT_URL_SQS where that is set, and the region by the URL', async () => {
    await using script = await startSqsScript('ours', () => 'usual')
    process.env['AWS_ENDPOINT_URL_SQS'] = new URL(script.url).origin
    try {
      await using queue = await openQueue('https://sqs.eu-central-1.amazonaws.com/000000000000/ours')
      expect((await queue.depth()).dead).toBe(0)
      expect(script.requests.map(({ region }) => region)).toEqual(['eu-central-1', 'eu-central-1'])
    } finally {
      delete process.env['AWS_ENDPOINT_URL_SQS']
    }
  })

  it('is not a place where one is made', async () => {
    for (const create of [true, false]) {
      await expect(openQueue(server().url('none'), { create })).rejects.toMatchObject({
        code: 'QUEUE_MISSING',
      })
    }
  })
})
