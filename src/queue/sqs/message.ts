/**
 * Our messages ↔ those of SQS, which takes text of 1 byte or more alone, ten attributes, and few marks in
 * their names: so key and headers are one attribute, JSON in ASCII, which also says how the body is written.
 */
import { asBuffer } from '../../core/bytes.ts'
import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Message, MessageAttributeValue, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs'
import { LadingError } from '../../core/errors.ts'
import { sha256Of } from '../../core/sha256.ts'
import { readableEnvelope } from '../envelope.ts'
import { textOfBytes } from '../header.ts'
import type { Headers, MessageFault, Outgoing } from '../queue.ts'
import { requireSize } from '../size.ts'

export type Entry = Omit<SendMessageBatchRequestEntry, 'Id'> & { readonly MessageBody: string }
export type Attributes = Readonly<Record<string, MessageAttributeValue>>

const ownAttribute = 'lading-message'
/** SQS refuses an empty body. */
const emptyMark = '-'
/** SQS bills each 64 KiB as a request, so what is smaller gains nothing by being compressed. */
const compressFrom = 64 * 1024
/** What a few bytes that were compressed may become. */
const mostBytes = 64 * 1024 * 1024
/** Of a message, for the attribute. The envelope of a chunk has about 1 KiB. */
const attributeBytes = 8 * 1024
const groupId = /^[\w!"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]{1,128}$/
/**
 * Text that any server takes: SQS takes characters beyond the basic plane too, and some that speak its
 * protocol do not. A carriage return is left out because XML, which SQS spoke before, reads it as a line
 * feed.
 */
// oxlint-disable-next-line no-control-regex
const plainText = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd]+$/

const writings = ['text', 'base64', 'gzip', 'empty'] as const
type Writing = (typeof writings)[number]

interface Own {
  readonly key: string
  readonly headers: Headers
  readonly body: string
  readonly weight?: number
}

/** What surely fits as it is, whatever its bytes are, in a message of `limit` bytes. */
export const largestBody = (limit: number): number =>
  Math.floor(((limit - Math.min(attributeBytes, limit / 4)) * 3) / 4)

/** Throws `MESSAGE_TOO_LARGE`. */
export async function entryOf(
  { key, body, headers, weight, resent }: Outgoing,
  limit: number,
  isFifo: boolean,
): Promise<Entry> {
  requireSize([{ body }], largestBody(limit))
  const [writing, text] = await written(asBuffer(body))
  const own: Own = { key, headers, body: writing, ...(weight === undefined ? {} : { weight }) }
  const entry = {
    MessageBody: text,
    MessageAttributes: { [ownAttribute]: { DataType: 'String', StringValue: ascii(JSON.stringify(own)) } },
    ...(isFifo
      ? {
          MessageGroupId: groupOf(key, headers),
          MessageDeduplicationId: sha256Of(resent === undefined ? key : `${key} ${resent}`),
        }
      : {}),
  }
  const bytes = bytesOf(entry)
  if (bytes > limit)
    throw new LadingError(
      'MESSAGE_TOO_LARGE',
      `a message has ${bytes} bytes with its headers, the queue takes ${limit}`,
    )
  return entry
}

/** As SQS counts them. */
export function bytesOf({ MessageBody, MessageAttributes = {} }: Entry): number {
  let bytes = Buffer.byteLength(MessageBody)
  for (const [name, { DataType = '', StringValue = '', BinaryValue }] of Object.entries(MessageAttributes)) {
    bytes +=
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      Buffer.byteLength(StringValue) +
      (BinaryValue?.length ?? 0)
  }
  return bytes
}

export interface Read {
  readonly key: string
  readonly headers: Headers
  readonly body: Uint8Array
  /** What the message costs its holder, in bytes. */
  readonly weight: number
  readonly fault?: MessageFault
}

/** What a newer lading wrote in a way that we cannot read keeps what a newer one needs to read it. */
export async function read(message: Message): Promise<Read> {
  const { Body = '', MessageId = '', MessageAttributes = {} } = message
  const attribute = MessageAttributes[ownAttribute]?.StringValue
  const own = ownOf(attribute)
  if (own === undefined) {
    const body = Buffer.from(Body)
    return { key: MessageId, headers: headersOf(MessageAttributes), body, weight: body.length }
  }
  const { key, headers, weight = 0 } = own
  if (!writings.includes(own.body as Writing)) {
    const detail = `the body of the message is written as ${own.body}, this lading knows ${writings.join(', ')}`
    const fault = { code: 'ENVELOPE_NEWER', detail } as const
    return {
      key,
      headers: { ...headers, [ownAttribute]: attribute as string },
      body: Buffer.from(Body),
      weight: Body.length,
      fault,
    }
  }
  const body = await bodyOf(Body, own.body)
  return { key, headers, body, weight: Math.max(body.length, weight) }
}

/**
 * Chunks of a load keep their order, and those for one database do not wait behind those for another: a consumer gives
 * back what is not its own, and nothing behind that comes before it.
 */
function groupOf(key: string, headers: Headers): string {
  const target = readableEnvelope(headers)?.target
  const slash = key.lastIndexOf('/')
  const group = `${slash > 0 ? key.slice(0, slash) : key}${target === undefined ? '' : `/${target}`}`
  return groupId.test(group) ? group : sha256Of(group)
}

async function written(body: Buffer): Promise<[Writing, string]> {
  if (body.length === 0) return ['empty', emptyMark]
  const text = isUtf8(body) ? body.toString() : ''
  const isPlain = plainText.test(text)
  if (isPlain && body.length <= compressFrom) return ['text', text]
  const base64Bytes = Math.ceil(body.length / 3) * 4
  if (body.length > compressFrom) {
    const compressed = (await promisify(gzip)(body, { level: 1 })).toString('base64')
    if (compressed.length < (isPlain ? body.length : base64Bytes)) return ['gzip', compressed]
  }
  return isPlain ? ['text', text] : ['base64', body.toString('base64')]
}

/** What is not as its attribute says goes on as it is, and the decoder refuses it. */
async function bodyOf(text: string, writing: string): Promise<Buffer> {
  switch (writing as Writing) {
    case 'text':
      return Buffer.from(text)
    case 'base64':
      return Buffer.from(text, 'base64')
    case 'empty':
      return Buffer.alloc(0)
    case 'gzip':
      return await promisify(gunzip)(Buffer.from(text, 'base64'), { maxOutputLength: mostBytes }).catch(() =>
        Buffer.from(text),
      )
  }
}

function ownOf(text: string | undefined): Own | undefined {
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as Partial<Own> | null
    return isOwn(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isOwn = (value: Partial<Own> | null): value is Own =>
  typeof value?.key === 'string' &&
  typeof value.body === 'string' &&
  typeof value.headers === 'object' &&
  value.headers !== null &&
  Object.values(value.headers).every((each) => typeof each === 'string') &&
  (value.weight === undefined || (Number.isSafeInteger(value.weight) && value.weight >= 0))

/** The attributes of an external message as text. */
function headersOf(attributes: Attributes): Headers {
  const text = ({ StringValue, BinaryValue }: MessageAttributeValue) =>
    StringValue ?? textOfBytes(BinaryValue ?? new Uint8Array())
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, text(value)]))
}

/** JSON whose characters count as one byte each, and which no server refuses. */
export const ascii = (json: string): string =>
  json.replace(/[\u007f-\uffff]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`)
