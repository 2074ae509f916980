/** Our messages ↔ those of AMQP. */
import { asBuffer } from '../../core/bytes.ts'
import type { Message, Options } from 'amqplib'
import { LadingError } from '../../core/errors.ts'
import { textOfBytes } from '../header.ts'
import type { Headers, Outgoing } from '../queue.ts'
import { noHeaders } from './properties.ts'

/** Deliveries of earlier copies of the message; the broker counts those of this one. */
const attemptsHeader = 'lading-attempts'
/** Bytes that the message costs its receiver, where its body only refers to them. */
const weightHeader = 'lading-weight'
/** Made by the broker, about what it did with the message. */
const brokerHeaders = /^x-(delivery-count|acquired-count|death|first-death-\w+|last-death-\w+)$/
/** With these the broker would send a copy to other queues as well. */
const routingHeaders: readonly string[] = ['CC', 'BCC']
/** What a header may say at most, because other programs write headers too. */
const mostAttempts = 1_000_000
const mostWeight = 64 * 1024 * 1024
/** A message id is a short string on the wire. */
const mostKeyBytes = 255

/** What is handed to the client's `publish`. */
export interface Publishable {
  readonly queue: string
  readonly body: Buffer
  readonly options: Options.Publish
}

export function publishable(queue: string, { key, body, headers, weight }: Outgoing): Publishable {
  if (Buffer.byteLength(key) > mostKeyBytes)
    throw new LadingError('MESSAGE_TOO_LARGE', `a key has more than ${mostKeyBytes} bytes`)
  const weighed = weight === undefined ? headers : { ...headers, [weightHeader]: weight }
  return {
    queue,
    body: asBuffer(body),
    options: { messageId: key, headers: weighed, persistent: true, mandatory: true },
  }
}

/** A copy of the message, as one that was delivered `attempts` times. */
export function copyOf(queue: string, message: Message, attempts: number, afterMs: number): Publishable {
  // The broker refuses a user id other than our own.
  const { userId: _, headers: all = {}, ...properties } = message.properties
  const headers = Object.fromEntries(
    Object.entries(all).filter(([name]) => !brokerHeaders.test(name) && !routingHeaders.includes(name)),
  )
  return {
    queue,
    body: message.content,
    options: {
      ...(properties as Options.Publish),
      headers: { ...headers, [attemptsHeader]: attempts },
      ...(afterMs > 0 ? { expiration: String(Math.ceil(afterMs)) } : {}),
      persistent: true,
      mandatory: true,
    },
  }
}

export const keyOf = ({ properties }: Message): string =>
  typeof properties.messageId === 'string' ? properties.messageId : ''

/**
 * Without those that the broker or we added, and with the content encoding, which AMQP keeps beside them.
 * Other programs write values of other types, which are shown as text.
 */
export function headersOf({ properties }: Message): Headers {
  const { contentEncoding, headers: sent = noHeaders } = properties
  const isEncoded = typeof contentEncoding === 'string' && contentEncoding !== ''
  // Nothing is made for a message without headers: there may be thousands of them.
  if (sent === noHeaders && !isEncoded) return none
  const headers = Object.entries(sent).filter(([name]) => isSenders(name))
  if (isEncoded) headers.push(['content-encoding', contentEncoding])
  return headers.length === 0
    ? none
    : Object.fromEntries(headers.map(([name, value]) => [name, textOf(value)]))
}

const none: Headers = Object.freeze({})

const isSenders = (name: string): boolean =>
  name !== attemptsHeader && name !== weightHeader && !brokerHeaders.test(name)

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? textOfBytes(value) : (JSON.stringify(value, bytesAsText) ?? '')
}

/** For bytes within a list or a table. A buffer turns itself into an object before the value gets here. */
function bytesAsText(this: Readonly<Record<string, unknown>>, name: string, value: unknown): unknown {
  const original = this[name]
  return original instanceof Uint8Array ? textOfBytes(original) : value
}

/** How often the message was delivered before. A classic queue knows only whether. */
export function deliveriesBefore(message: Message): number {
  const counted = countIn(message, 'x-delivery-count', mostAttempts)
  return (
    countIn(message, attemptsHeader, mostAttempts) + Math.max(counted, message.fields.redelivered ? 1 : 0)
  )
}

/** What the message costs its holder, in bytes. */
export const weightOf = (message: Message): number =>
  Math.max(message.content.length, countIn(message, weightHeader, mostWeight))

function countIn({ properties }: Message, name: string, most: number): number {
  const said: unknown = properties.headers?.[name]
  if (said === undefined) return 0
  const value = Math.trunc(Number(said ?? 0))
  return value > 0 ? Math.min(value, most) : 0
}
