/** Properties of a message as they lie in its header frame (AMQP 0-9-1, 4.2.5 and 4.2.6; RabbitMQ's errata). */
import type { MessageProperties } from 'amqplib'

type Kind = 'text' | 'table' | 'octet' | 'time'

/** In the order of their flags, from the highest bit down. */
const properties: readonly (readonly [name: string, kind: Kind])[] = [
  ['contentType', 'text'],
  ['contentEncoding', 'text'],
  ['headers', 'table'],
  ['deliveryMode', 'octet'],
  ['priority', 'octet'],
  ['correlationId', 'text'],
  ['replyTo', 'text'],
  ['expiration', 'text'],
  ['messageId', 'text'],
  ['timestamp', 'time'],
  ['type', 'text'],
  ['userId', 'text'],
  ['appId', 'text'],
  ['clusterId', 'text'],
]
/** The bits of those; the lowest two name none. */
const flagsMask = 0xfffc

/** Those that the message has, as the client would give them; `at` is where their flags are. */
export function propertiesAt(bytes: Buffer, at: number): MessageProperties {
  const values = new Values(bytes, at + 2)
  const found: Record<string, unknown> = {}
  for (let flags = bytes.readUInt16BE(at) & flagsMask; flags !== 0;) {
    const index = Math.clz32(flags) - 16
    flags ^= 0x8000 >> index
    const [name, kind] = properties[index] as (typeof properties)[number]
    found[name] = values[kind]()
  }
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

  table(): Record<string, unknown> {
    const found: Record<string, unknown> = {}
    for (const end = this.#length() + this.#at; this.#at < end;) {
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
