/** Bodies of external messages that their senders have compressed or written as text. */
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { maxRecordBytes } from '../core/load.ts'
import { claimsChunk } from '../queue/envelope.ts'
import type { Headers, MessageFault } from '../queue/queue.ts'

const headerName = /^content-?encoding$/i

/** These change no byte. Clients of AMQP state the encoding of the text here. */
const plain = new Set(['', 'identity', 'binary', '7bit', '8bit', 'utf-8', 'utf8', 'us-ascii', 'ascii'])

type Decode = (body: Buffer) => Promise<Buffer>

/** What a record may have, so that no message can make a consumer hold more. */
const options = { maxOutputLength: maxRecordBytes }

const decoders: Readonly<Record<string, Decode>> = {
  gzip: async (body) => promisify(zlib.gunzip)(bytesOf(body, '1f8b'), options),
  zstd: async (body) => promisify(zlib.zstdDecompress)(bytesOf(body, '28b52ffd'), options),
  base64: async (body) => fromBase64(body),
}

const names: Readonly<Record<string, string>> = { 'x-gzip': 'gzip' }

/** A queue of text carries compressed bytes as base64, whether their sender says so or not. */
const bytesOf = (body: Buffer, signature: string): Buffer =>
  body.toString('hex', 0, 4).startsWith(signature) ? body : fromBase64(body)

function fromBase64(body: Buffer): Buffer {
  const text = body.toString('latin1')
  if (!/^[\w+/\-\s]*(=[=\s]*)?$/.test(text)) throw new Error('it is no base64')
  return Buffer.from(text, 'base64')
}

/** What is to be undone, in the order in which it was done; undefined where the body is as it is. */
function encodingsOf(headers: Headers): readonly string[] {
  const stated = claimsChunk(headers) ? undefined : statedIn(headers)
  if (stated === undefined) return none
  const encodings = stated.split(',').map((each) => each.trim().toLowerCase())
  return encodings.filter((each) => !plain.has(each)).map((each) => names[each] ?? each)
}

const none: readonly string[] = []

/** Most messages state nothing, and nothing is made for them. */
function statedIn(headers: Headers): string | undefined {
  for (const name in headers) if (headerName.test(name)) return headers[name]
  return undefined
}

/** How the body is encoded, for people; undefined where it is not. */
export function encodingOf(headers: Headers): string | undefined {
  const encodings = encodingsOf(headers)
  return encodings.length === 0 ? undefined : encodings.join(', ')
}

/** The headers of a message whose body has been decoded. */
export const decodedHeaders = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !headerName.test(name)))

/** The body as it was before it was encoded, or why it cannot be had. */
export async function decodedBody(body: Buffer, headers: Headers): Promise<Buffer | MessageFault> {
  let decoded = body
  for (const name of encodingsOf(headers).toReversed()) {
    const decode = decoders[name]
    if (decode === undefined)
      return fault(
        `its encoding is ${JSON.stringify(name)}, and ${Object.keys(decoders).join(', ')} are known`,
      )
    try {
      decoded = await decode(decoded)
    } catch (error) {
      const isLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
      return fault(
        isLarge
          ? `it is larger than ${maxRecordBytes} bytes when it is decoded`
          : `it is not ${name}: ${(error as Error).message}`,
      )
    }
  }
  return decoded
}

const fault = (why: string): MessageFault => ({ code: 'CONTENT_ENCODING', detail: `the body: ${why}` })
