/**
 * Our messages ↔ those of NATS, whose headers take only some marks in their names: so key and headers are one
 * header, as JSON, beside the id by which the server knows a message that is sent again.
 */
import { headers as newHeaders, type MsgHdrs } from '@nats-io/transport-node'
import { LadingError } from '../../core/errors.ts'
import { sha256Of } from '../../core/sha256.ts'
import type { Delivery, Headers, Outgoing } from '../queue.ts'

const ownHeader = 'Lading-Message'
const idHeader = 'Nats-Msg-Id'
/** The server's own headers, about what it did with the message. */
const serverHeader = /^Nats-/i
/** Marks that a header takes. */
const plain = /^[!-~]{1,200}$/
/** Of a message, for its headers. The envelope of a chunk has about 1 KiB. */
const headerBytes = 16 * 1024
/** What a header may say at most, because other programs write headers too. */
const mostWeight = 64 * 1024 * 1024

export interface Publishable {
  readonly id: string
  readonly headers: MsgHdrs
  readonly body: Uint8Array
}

interface Own {
  readonly key: string
  readonly headers: Headers
  readonly weight?: number
}

/** What surely fits beside the headers, in a message of `limit` bytes. */
export const largestBody = (limit: number): number => limit - Math.min(headerBytes, Math.ceil(limit / 4))

/** Throws `MESSAGE_TOO_LARGE`. */
export function publishable({ key, body, headers, weight, resent }: Outgoing, limit: number): Publishable {
  const own: Own = { key, headers, ...(weight === undefined ? {} : { weight }) }
  const text = JSON.stringify(own)
  const bytes = body.length + Buffer.byteLength(text) + 512
  if (bytes > limit)
    throw new LadingError(
      'MESSAGE_TOO_LARGE',
      `a message has ${bytes} bytes with its headers, the stream takes ${limit}`,
    )
  const sent = newHeaders()
  sent.set(ownHeader, text)
  const id = resent === undefined ? key : `${key} ${resent}`
  return { id: plain.test(id) ? id : sha256Of(id), headers: sent, body }
}

export interface Read extends Pick<Delivery, 'key' | 'headers' | 'body'> {
  /** What the message costs its holder, in bytes. */
  readonly weight: number
}

/**
 * `place` identifies a message that its sender gave no id: its number in the stream, which no other message of
 * that stream has.
 */
export function read(headers: MsgHdrs | undefined, body: Uint8Array, place: () => string): Read {
  if (headers === undefined) return { key: place(), headers: none, body, weight: body.length }
  const own = ownOf(headers.get(ownHeader))
  if (own === undefined)
    return { key: headers.get(idHeader) || place(), headers: textsOf(headers), body, weight: body.length }
  const weight = Math.min(own.weight ?? 0, mostWeight)
  return { key: own.key, headers: own.headers, body, weight: Math.max(body.length, weight) }
}

const none: Headers = Object.freeze({})

function textsOf(headers: MsgHdrs): Headers {
  const names = headers.keys().filter((name) => !serverHeader.test(name))
  return Object.fromEntries(names.map((name) => [name, headers.values(name).join(', ')]))
}

function ownOf(text: string): Own | undefined {
  if (text === '') return undefined
  try {
    const value = JSON.parse(text) as Partial<Own> | null
    return isOwn(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isOwn = (value: Partial<Own> | null): value is Own =>
  typeof value?.key === 'string' &&
  typeof value.headers === 'object' &&
  value.headers !== null &&
  Object.values(value.headers).every((each) => typeof each === 'string') &&
  (value.weight === undefined || (Number.isSafeInteger(value.weight) && value.weight >= 0))

/** Where the server sends the answer to a message says what it knows of it. */
export interface Origin {
  /** Of this message, this one included. */
  readonly deliveries: number
  readonly sequence: number
}

/** `$JS.ACK.STREAM.CONSUMER.DELIVERIES.SEQUENCE.…`; newer servers write the domain and the account before the stream. */
export function originOf(reply: string): Origin {
  const parts = reply.split('.')
  const at = parts.length > 9 ? 6 : 4
  return { deliveries: Math.max(1, Number(parts[at]) || 1), sequence: Number(parts[at + 1]) || 0 }
}
