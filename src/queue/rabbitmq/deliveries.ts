/**
 * Takes deliveries out of what the broker sends, before the client parses it: for each message the client
 * makes a dozen objects, and it copies a body of many frames three times. What is no delivery reaches the
 * client as it is, in the order in which it came.
 */
import type { Duplex } from 'node:stream'
import type { Message } from 'amqplib'
import { propertiesAt } from './properties.ts'

/** Type, channel and size before the payload of a frame, and the byte behind it (AMQP 0-9-1, 2.3.5). */
const headBytes = 7
const frameEnd = 0xce
const methodFrame = 1
const headerFrame = 2
const bodyFrame = 3
/** basic.deliver: its class and its method. */
const deliver = (60 << 16) | 60
/** The client agrees to no larger ones. */
const largestFrame = 131_072
/**
 * Bodies from here on have memory of their own, which is free as soon as they are settled. Smaller ones share
 * that in which they came.
 */
const ownBytes = 8 * 1024
const empty = Buffer.alloc(0)

/** The message of a channel of which not everything has come. */
interface Coming {
  readonly fields: Pick<Message['fields'], 'consumerTag' | 'deliveryTag' | 'redelivered'>
  properties: Message['properties'] | undefined
  size: number
  /** Undefined as long as it may lie in the memory of its frame. */
  body: Buffer | undefined
  filled: number
}

/** A body frame whose payload is being copied. */
interface Filling {
  readonly coming: Coming
  readonly channel: number
  left: number
}

/** From now on, `onDelivery` gets what `stream` brings of messages, and its reader the rest. */
export function takeDeliveries(
  stream: Duplex,
  onDelivery: (channel: number, message: Message) => void,
): void {
  const read = stream.read.bind(stream) as () => Buffer | null
  const frames = new Frames(onDelivery)
  stream.read = () => frames.next(read)
}

export class Frames {
  readonly #onDelivery: (channel: number, message: Message) => void
  /** What has come, from `#at` on, and what has come behind it. */
  #bytes: Buffer = empty
  #at = 0
  #behind: Buffer | undefined
  readonly #coming: (Coming | undefined)[] = []
  #filling: Filling | undefined
  #tag = ''
  #tagBytes: Buffer = empty

  constructor(onDelivery: (channel: number, message: Message) => void) {
    this.#onDelivery = onDelivery
  }

  /** The next frame that belongs to no delivery; null where `read` has no more. */
  next(read: () => Buffer | null): Buffer | null {
    for (;;) {
      const frame = this.#advance()
      if (frame !== undefined) return frame
      const incoming = this.#behind ?? read()
      this.#behind = undefined
      if (incoming === null) return null
      this.#append(incoming)
    }
  }

  /** Completes the frame that is there in part, without a copy of what follows it. */
  #append(incoming: Buffer): void {
    const begun = this.#bytes.subarray(this.#at)
    this.#at = 0
    if (begun.length === 0) {
      this.#bytes = incoming
      return
    }
    const whole = begun.length < headBytes ? headBytes : headBytes + begun.readUInt32BE(3) + 1
    const missing = whole - begun.length
    this.#bytes = Buffer.concat([begun, incoming.subarray(0, missing)])
    if (missing < incoming.length) this.#behind = incoming.subarray(missing)
  }

  /** Undefined where more bytes are needed. */
  #advance(): Buffer | undefined {
    for (;;) {
      if (this.#filling !== undefined && !this.#fill(this.#filling)) return undefined
      const bytes = this.#bytes
      const at = this.#at
      if (bytes.length - at < headBytes) return undefined
      const type = bytes[at] as number
      const channel = bytes.readUInt16BE(at + 1)
      const size = bytes.readUInt32BE(at + 3)
      if (size > largestFrame) throw new Error(`a frame of ${size} bytes is larger than was agreed`)
      const coming = this.#coming[channel]
      const start = at + headBytes
      if (type === bodyFrame && coming !== undefined && this.#isCopied(coming, size)) {
        this.#at = start
        this.#filling = { coming, channel, left: size }
        continue
      }
      const end = start + size
      if (end >= bytes.length) return undefined
      this.#endFrame(end)
      if (type === methodFrame && bytes.readUInt32BE(start) === deliver) this.#begin(channel, start + 4)
      else if (coming !== undefined && type === headerFrame) this.#head(channel, coming, start)
      else if (coming !== undefined && type === bodyFrame)
        this.#finish(channel, coming, bytes.subarray(start, end))
      else return bytes.subarray(at, end + 1)
    }
  }

  #endFrame(at: number): void {
    if (this.#bytes[at] !== frameEnd) throw new Error('a frame does not end where it says')
    this.#at = at + 1
  }

  /** A delivery of a consumer, whose tag is mostly that of the delivery before. */
  #begin(channel: number, start: number): void {
    const bytes = this.#bytes
    const from = start + 1
    const end = from + (bytes[start] as number)
    if (!this.#isTag(from, end)) {
      this.#tagBytes = Buffer.from(bytes.subarray(from, end))
      this.#tag = this.#tagBytes.toString()
    }
    const redelivered = ((bytes[end + 8] as number) & 1) === 1
    const fields = { consumerTag: this.#tag, deliveryTag: countAt(bytes, end), redelivered }
    this.#coming[channel] = { fields, properties: undefined, size: 0, body: undefined, filled: 0 }
  }

  /** In a loop: it is short, and comparing buffers takes longer to begin. */
  #isTag(from: number, end: number): boolean {
    const tag = this.#tagBytes
    if (tag.length !== end - from) return false
    for (let at = 0; at < tag.length; at++) if (tag[at] !== this.#bytes[from + at]) return false
    return true
  }

  #head(channel: number, coming: Coming, start: number): void {
    coming.size = countAt(this.#bytes, start + 4)
    coming.properties = propertiesAt(this.#bytes, start + 12)
    if (coming.size === 0) this.#finish(channel, coming, empty)
    else if (coming.size >= ownBytes) coming.body = Buffer.allocUnsafeSlow(coming.size)
  }

  #isCopied(coming: Coming, size: number): boolean {
    if (coming.filled + size > coming.size) throw new Error('a body is longer than its header says')
    if (coming.body === undefined && size < coming.size) coming.body = Buffer.allocUnsafeSlow(coming.size)
    return coming.body !== undefined
  }

  /** False where more bytes are needed. */
  #fill(filling: Filling): boolean {
    const { coming, channel } = filling
    const end = Math.min(this.#at + filling.left, this.#bytes.length)
    const body = coming.body as Buffer
    const copied = this.#bytes.copy(body, coming.filled, this.#at, end)
    coming.filled += copied
    filling.left -= copied
    this.#at = end
    if (filling.left > 0 || end === this.#bytes.length) return false
    this.#endFrame(end)
    this.#filling = undefined
    if (coming.filled === coming.size) this.#finish(channel, coming, body)
    return true
  }

  #finish(channel: number, { fields, properties }: Coming, content: Buffer): void {
    this.#coming[channel] = undefined
    this.#onDelivery(channel, { fields, properties, content } as Message)
  }
}

/** A count of eight bytes, which a double holds. */
const countAt = (bytes: Buffer, at: number): number =>
  bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
