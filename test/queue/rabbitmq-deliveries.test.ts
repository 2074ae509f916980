import { PassThrough } from 'node:stream'
import type { Message } from 'amqplib'
import { connect } from 'amqplib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Frames, takeDeliveries } from '../../src/queue/rabbitmq/deliveries.ts'
import { propertiesAt } from '../../src/queue/rabbitmq/properties.ts'
import { describeRabbit, freshQueueUrl } from '../../tooling/servers/broker.ts'
import { externalClient } from './external-client.ts'

interface Sent {
  readonly channel: number
  readonly tag: number
  readonly redelivered: boolean
  readonly id: string
  readonly body: Buffer
}

const frame = (type: number, channel: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(7)
  head.writeUInt8(type)
  head.writeUInt16BE(channel, 1)
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, Buffer.from([0xce])])
}

const short = (text: string): Buffer => Buffer.from([Buffer.byteLength(text), ...Buffer.from(text)])

const count = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

function delivered({ channel, tag, redelivered, id, body }: Sent, most: number): Buffer[] {
  const fields = [short(`consumer of ${channel}`), count(tag), Buffer.from([redelivered ? 1 : 0])]
  const method = Buffer.concat([Buffer.from([0, 60, 0, 60]), ...fields, short(''), short('queue')])
  const header = Buffer.concat([
    Buffer.from([0, 60, 0, 0]),
    count(body.length),
    Buffer.from([0, 0x80]),
    short(id),
  ])
  const frames = [frame(1, channel, method), frame(2, channel, header)]
  for (let at = 0; at < body.length; at += most) frames.push(frame(3, channel, body.subarray(at, at + most)))
  return frames
}

/** The bytes in pieces of these lengths, again and again. */
function* inPieces(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] as number
    yield bytes.subarray(at, at + length)
    at += length
  }
}

const sent: fc.Arbitrary<Sent> = fc.record({
  channel: fc.integer({ min: 1, max: 3 }),
  tag: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1)),
  redelivered: fc.boolean(),
  id: fc.string({ maxLength: 20, unit: 'binary' }),
  body: fc
    .oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(8191, 8192, 8193, 20_000))
    .chain((length) => fc.integer({ min: 0, max: 255 }).map((byte) => Buffer.alloc(length, byte))),
})
/** Heartbeats, answers, and messages that were fetched: frames of no delivery. */
const otherFrame = fc
  .record({
    type: fc.constantFrom(1, 2, 3, 8),
    channel: fc.integer({ min: 4, max: 5 }),
    length: fc.integer({ min: 4, max: 30 }),
  })
  .map(({ type, channel, length }) => frame(type, channel, Buffer.alloc(length, type)))

describe('what a broker sends', () => {
  it('is parted into deliveries and what is left for the client, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(sent, otherFrame), { maxLength: 12 }),
        fc.constantFrom(5, 4096, 131_072),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70_000 })), {
          minLength: 1,
        }),
        (items, most, lengths) => {
          const size = (item: Sent) => (item.body.length > 100 ? Math.max(most, 4096) : most)
          const bytes = items.flatMap((item) =>
            Buffer.isBuffer(item) ? [item] : delivered(item, size(item)),
          )
          const seen: (readonly [number, Message] | Buffer)[] = []
          const frames = new Frames((channel, message) => seen.push([channel, message]))
          const pieces = inPieces(Buffer.concat(bytes), lengths)
          const read = () => pieces.next().value ?? null
          for (let rest = frames.next(read); rest !== null; rest = frames.next(read)) seen.push(rest)
          const expected = items.map((item) => {
            if (Buffer.isBuffer(item)) return item
            const { channel, tag: deliveryTag, redelivered, id: messageId, body: content } = item
            const fields = { consumerTag: `consumer of ${channel}`, deliveryTag, redelivered }
            return [channel, { fields, properties: { messageId }, content }]
          })
          expect(seen).toEqual(expected)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('is an error where it is no frame', () => {
    const broken: [string, Buffer][] = [
      ['a frame does not end where it says', Buffer.from([8, 0, 0, 0, 0, 0, 0, 1])],
      ['a frame of 4294967295 bytes is larger than was agreed', Buffer.from([1, 0, 1, 255, 255, 255, 255])],
      [
        'a body is longer than its header says',
        Buffer.concat([
          ...delivered({ channel: 1, tag: 1, redelivered: false, id: '', body: Buffer.alloc(9) }, 5).slice(
            0,
            3,
          ),
          frame(3, 1, Buffer.alloc(5)),
        ]),
      ],
    ]
    for (const [why, bytes] of broken) {
      const pieces = [bytes]
      expect(() => new Frames(() => undefined).next(() => pieces.shift() ?? null)).toThrow(why)
    }
  })

  it('reaches the reader of a stream, that which is no delivery in its order', () => {
    const stream = new PassThrough()
    const seen: Message[] = []
    takeDeliveries(stream, (_, message) => seen.push(message))
    const beat = frame(8, 0, Buffer.alloc(0))
    const message = { channel: 1, tag: 7, redelivered: true, id: 'a', body: Buffer.from('body') }
    stream.write(Buffer.concat([beat, ...delivered(message, 100), beat]))
    expect([stream.read(), stream.read(), stream.read()]).toEqual([beat, beat, null])
    expect(seen.map(({ content }) => content.toString())).toEqual(['body'])
  })
})

it('properties that no client of ours sends are read, and a type that AMQP does not have is an error', () => {
  const properties = (flags: number, ...bytes: number[]) =>
    propertiesAt(Buffer.from([flags >> 8, flags & 255, ...bytes]), 0)
  expect(properties(0x0004, 1, 0x61)).toEqual({ clusterId: 'a' })
  expect(() => properties(0x2000, 0, 0, 0, 3, 1, 0x61, 0x3f)).toThrow('a value of the unknown type ?')
})

describeRabbit('properties of a message', () => {
  it('are those that the client itself reads', async () => {
    const url = freshQueueUrl()
    await using other = await externalClient(url)
    await other.channel.assertQueue(other.queue)
    const headers = {
      text: 'grün',
      bytes: Buffer.from([0, 255]),
      nothing: null,
      yes: true,
      no: false,
      numbers: [1, -1, 200, -200, 40_000, -40_000, 3e9, -3e9, 2 ** 40, 1.5, -0.25],
      nested: { list: ['a', { b: null }], empty: {} },
      tagged: [
        { '!': 'float', value: 0.5 },
        { '!': 'unsignedbyte', value: 200 },
        { '!': 'unsignedshort', value: 50_000 },
        { '!': 'unsignedint', value: 4_000_000_000 },
        { '!': 'timestamp', value: 1_700_000_000 },
        { '!': 'decimal', value: { places: 2, digits: 12_345 } },
      ],
    }
    const rich = {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '600000',
      messageId: 'm'.repeat(255),
      timestamp: 1_700_000_000,
      type: 't',
      userId: 'guest',
      appId: 'a',
    }
    const kinds = [rich, {}, { messageId: 'grün' }, { headers: {} }, { headers: { a: 1 }, appId: '' }]
    for (const kind of kinds) await other.publish('body', kind)
    const whole: Message[] = []
    for (const _ of kinds) whole.push(await other.get())
    other.channel.nackAll(true)
    await using connection = {
      model: await connect(url),
      [Symbol.asyncDispose]() {
        return this.model.close()
      },
    }
    const channel = await connection.model.createChannel()
    const ours: Message[] = []
    takeDeliveries(
      (connection.model as unknown as { connection: { stream: PassThrough } }).connection.stream,
      (_, message) => ours.push(message),
    )
    await channel.consume(other.queue, () => undefined)
    await expect.poll(() => ours.length).toBe(kinds.length)
    const propertiesOf = ({ properties }: Message) => JSON.parse(JSON.stringify(properties)) as object
    expect(ours.map(propertiesOf)).toEqual(whole.map(propertiesOf))
    expect(ours.map(({ content }) => content.toString())).toEqual(kinds.map(() => 'body'))
  })
})
