/** Bodies that their senders have encoded: what each broker states of them is honoured. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { maxRecordBytes } from '../../src/core/load.ts'
import { openQueue } from '../../src/queue/registry.ts'
import type { Outgoing, Queue } from '../../src/queue/queue.ts'
import { replayLetter } from '../../src/review/letters.ts'
import { preview } from '../../src/review/preview.ts'
import type { StoredDeadLetter } from '../../src/sink/ledger.ts'
import type { Sink } from '../../src/sink/sink.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { useSqs } from '../../tooling/servers/sqs.ts'
import { externalClient } from '../queue/external-client.ts'
import { Fixture, numbers } from '../support/fixture.ts'

const { server, freshSqsUrl } = useSqs()

const object = (id: number) => Buffer.from(JSON.stringify({ id, note: `☃ ${id}` }))
const encoded = (key: string, body: Buffer, encoding: string, name = 'content-encoding'): Outgoing => ({
  key,
  body,
  headers: { [name]: encoding },
})
const consume = (queue: Queue, sink: Sink) =>
  createConsumer({ queue, sink, model: numbers }).run({ untilEmpty: true })
const base64 = (body: Buffer) => Buffer.from(body.toString('base64'))

async function opened() {
  const fixture = await Fixture.open()
  const sink = await fixture.sink()
  return { fixture, sink, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() }
}

it('gzip, zstd and base64, one on the other, and what changes no byte, are decoded whatever the case of the name', async () => {
  await using at = await opened()
  const queue = await at.fixture.queue()
  const bodies: readonly (readonly [string, (body: Buffer) => Buffer])[] = [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['base64', base64],
    ['gzip, base64', (body) => base64(gzipSync(body))],
    ['gzip', (body) => base64(gzipSync(body))],
    ['zstd', (body) => base64(zstdCompressSync(body))],
    ['zstd,gzip', (body) => gzipSync(zstdCompressSync(body))],
    ['UTF-8', (body) => body],
    ['', (body) => body],
  ]
  const names = ['content-encoding', 'Content-Encoding', 'contentEncoding']
  const messages = bodies.map(([encoding, encode], index) =>
    encoded(`m${index}`, encode(object(index)), encoding, names[index % 3]),
  )
  await queue.publish([...messages, { key: 'plain', body: object(10), headers: {} }])
  const seen = await preview(await queue.peek(3), { model: numbers })
  expect(seen.map(({ encoding, outlook }) => [encoding, outlook.kind])).toEqual([
    ['gzip', 'rows'],
    ['gzip', 'rows'],
    ['zstd', 'rows'],
  ])
  expect(await consume(queue, at.sink)).toMatchObject({ messages: 11, loaded: 11, deadMessages: 0 })
  expect(await at.fixture.target.ids()).toEqual(Array.from({ length: 11 }, (_, id) => id))
})

it('what cannot be decoded is a dead letter as it came, with the reason, and can be replayed', async () => {
  await using at = await opened()
  const queue = await at.fixture.queue()
  const large = Buffer.concat([object(4), Buffer.alloc(maxRecordBytes, ' ')])
  await queue.publish([
    encoded('unknown', object(1), 'snappy'),
    encoded('damaged', gzipSync(object(2)).subarray(0, -9), 'gzip'),
    encoded('text', Buffer.from('{"id":3}'), 'base64'),
    encoded('large', gzipSync(large), 'gzip'),
    encoded('most', gzipSync(large.subarray(0, maxRecordBytes)), 'gzip'),
  ])
  const [first] = await preview(await queue.peek(1), { model: numbers })
  expect(first).toMatchObject({ encoding: 'snappy', outlook: { kind: 'dead', code: 'CONTENT_ENCODING' } })
  expect(await consume(queue, at.sink)).toMatchObject({ messages: 5, loaded: 1, deadMessages: 4 })
  const letters = await at.sink.ledger.deadLetters({ limit: 10 })
  const details = new Map(letters.map(({ key, code, detail }) => [key, `${code} ${detail}`]))
  expect(details.get('unknown')).toBe(
    'CONTENT_ENCODING the body: its encoding is "snappy", and gzip, zstd, base64 are known',
  )
  expect(details.get('damaged')).toContain('it is not gzip: unexpected end of file')
  expect(details.get('text')).toContain('it is not base64: it is no base64')
  expect(details.get('large')).toContain(`larger than ${maxRecordBytes} bytes`)
  const unknown = letters.find(({ key }) => key === 'unknown') as StoredDeadLetter
  expect(unknown.headers).toEqual({ 'content-encoding': 'snappy' })
  expect(Buffer.from(unknown.body)).toEqual(object(1))
  const options = { sink: at.sink, model: numbers }
  expect(await replayLetter(unknown, options)).toMatchObject({ kind: 'refused', code: 'CONTENT_ENCODING' })
  const gzipped = { ...unknown, headers: { 'content-encoding': 'gzip' }, body: gzipSync(object(1)) }
  expect(await replayLetter(gzipped, options)).toMatchObject({ kind: 'applied', loaded: 1 })
})

it('a message that was decoded and is refused is kept plain, and is replayed as it is kept', async () => {
  await using at = await opened()
  const queue = await at.fixture.queue()
  await queue.publish([encoded('m', gzipSync(Buffer.from('{"id":1,"note":"n","more":1}')), 'gzip')])
  expect(await consume(queue, at.sink)).toMatchObject({ deadMessages: 1 })
  const [letter] = (await at.sink.ledger.deadLetters({ limit: 1 })) as readonly [StoredDeadLetter]
  expect(Buffer.from(letter.body).toString()).toBe('{"id":1,"note":"n","more":1}')
  expect(letter.headers).toEqual({})
  const replayed = await replayLetter(letter, { sink: at.sink, model: numbers, ignoreExtra: true })
  expect(replayed).toMatchObject({ loaded: 1 })
})

it('SQS: an attribute states the encoding, and the body is base64', async () => {
  await using at = await opened()
  const url = await freshSqsUrl()
  await using queue = await openQueue(url)
  for (const [id, encoding] of [
    [1, 'gzip'],
    [2, 'gzip,base64'],
  ] as const)
    await server().call('SendMessage', {
      QueueUrl: url,
      MessageBody: gzipSync(object(id)).toString('base64'),
      MessageAttributes: { 'Content-Encoding': { DataType: 'String', StringValue: encoding } },
    })
  expect(await consume(queue, at.sink)).toMatchObject({ loaded: 2, deadMessages: 0 })
})

describeRabbit('RabbitMQ', () => {
  it('the property content_encoding is honoured, and shown by peek', async () => {
    await using at = await opened()
    const url = freshQueueUrl()
    await using queue = await openQueue(url)
    await using client = await externalClient(url)
    await client.publish(gzipSync(object(1)), { messageId: 'a', contentEncoding: 'gzip' })
    await client.publish(object(2), { messageId: 'b', contentEncoding: 'utf-8' })
    await client.publish(object(3), { messageId: 'c', contentEncoding: 'lz4' })
    const seen = await preview(await queue.peek(1), { model: numbers })
    expect(seen).toMatchObject([{ key: 'a', encoding: 'gzip', outlook: { kind: 'rows', records: 1 } }])
    expect(await consume(queue, at.sink)).toMatchObject({ loaded: 2, deadMessages: 1 })
    expect(await at.fixture.target.ids()).toEqual([1, 2])
  })
})
