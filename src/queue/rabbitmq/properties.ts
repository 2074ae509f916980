/** Properties of a message as they lie in its header frame (AMQP 0-9-1, 4.2.5 and 4.2.6; RabbitMQ's errata). */
import type { MessageProperties } from 'amqplib'

/** Of a message that has none. */
export const noHeaders: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * Those that the message has, as the client would give them; `at` is where their flags are. Written out,
 * because a name that is only known when it is met makes a slow object.
 */
export function propertiesAt(bytes: Buffer, at: number): MessageProperties {
  const values = new Values(bytes, at + 2)
  const flags = bytes.readUInt16BE(at)
  const found: Record<string, unknown> = {}
  if (flags & 0x8000) found['contentType'] = values.text()
  if (flags & 0x4000) found['contentEncoding'] = values.text()
  if (flags & 0x2000) found['headers'] = values.table()
  if (flags & 0x1000) found['deliveryMode'] = values.octet()
  if (flags & 0x0800) found['priority'] = values.octet()
  if (flags & 0x0400) found['correlationId'] = values.text()
  if (flags & 0x0200) found['replyTo'] = values.text()
  if (flags & 0x0100) found['expiration'] = values.text()
  if (flags & 0x0080) found['messageId'] = values.text()
  if (flags & 0x0040) found['timestamp'] = values.time()
  if (flags & 0x0020) found['type'] = values.text()
  if (flags & 0x0010) found['userId'] = values.text()
  if (flags & 0x0008) found['appId'] = values.text()
  if (flags & 0x0004) found['clusterId'] = values.text()
  return found as unknown as MessageProperties
}

/** Values one behind the other. */
class Values {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  octet(): number {
    return this.#bytes.readUInt8(this.#skip(1))
  }

  text(): string {
    const length = this.octet()
    return this.#utf8(length)
  }

  time(): number {
    return Number(this.#bytes.readBigUInt64BE(this.#skip(8)))
  }

  table(): Readonly<Record<string, unknown>> {
    const length = this.#length()
    if (length === 0) return noHeaders
    const found: Record<string, unknown> = {}
    for (const end = this.#at + length; this.#at < end;) {
      const name = this.text()
      found[name] = this.#tagged()
    }
    return found
  }

  #length(): number {
    return this.#bytes.readUInt32BE(this.#skip(4))
  }

  #skip(bytes: number): number {
    const at = this.#at
    this.#at += bytes
    return at
  }

  #utf8(length: number): string {
    const at = this.#skip(length)
    return this.#bytes.toString('utf8', at, at + length)
  }

  #list(): unknown[] {
    const found: unknown[] = []
    for (const end = this.#length() + this.#at; this.#at < end;) found.push(this.#tagged())
    return found
  }

  /** A value with its type before it. What has no type in JavaScript is marked, so that it can be sent again. */
  #tagged(): unknown {
    const bytes = this.#bytes
    const tag = String.fromCharCode(this.octet())
    switch (tag) {
      case 'S':
        return this.#utf8(this.#length())
      case 'x': {
        const length = this.#length()
        return Buffer.from(bytes.subarray(this.#skip(length), this.#at))
      }
      case 'F':
        return this.table()
      case 'A':
        return this.#list()
      case 'V':
        return null
      case 't':
        return this.octet() !== 0
      case 'b':
        return bytes.readInt8(this.#skip(1))
      case 'B':
        return this.octet()
      case 's':
        return bytes.readInt16BE(this.#skip(2))
      case 'u':
        return bytes.readUInt16BE(this.#skip(2))
      case 'I':
        return bytes.readInt32BE(this.#skip(4))
      case 'i':
        return bytes.readUInt32BE(this.#skip(4))
      case 'l':
        return Number(bytes.readBigInt64BE(this.#skip(8)))
      case 'd':
        return bytes.readDoubleBE(this.#skip(8))
      case 'f':
        return bytes.readFloatBE(this.#skip(4))
      case 'T':
        return { '!': 'timestamp', value: this.time() }
      case 'D':
        return { '!': 'decimal', value: { places: this.octet(), digits: this.#length() } }
      default:
        throw new Error(`a header has a value of the unknown type ${tag}`)
    }
  }
}
