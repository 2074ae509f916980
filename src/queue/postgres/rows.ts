/** Messages as rows of COPY BINARY, on their way to the server and back. */
import { asBuffer } from '../../core/bytes.ts'
import type { Headers, MessageFault, Outgoing } from '../queue.ts'

const head = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const tail = Buffer.from([0xff, 0xff])
/** From here on a body goes as it is; smaller ones are put together, because each piece costs a call. */
const largeFrom = 64 * 1024

export const publishedColumns = 'queue, bytes, key, headers, body'

/** The data of a COPY of `publishedColumns`. */
export function publishedRows(queue: number, messages: readonly Outgoing[]): readonly Buffer[] {
  const parts: Buffer[] = []
  let small: Buffer[] = [head]
  for (const { key, headers, body, weight } of messages) {
    small.push(beginningOf(queue, weight ?? body.length, key, JSON.stringify(headers), body.length))
    if (body.length < largeFrom) small.push(asBuffer(body))
    else {
      parts.push(Buffer.concat(small), asBuffer(body))
      small = []
    }
  }
  return [...parts, Buffer.concat([...small, tail])]
}

/** All of a row but its body. */
function beginningOf(queue: number, bytes: number, key: string, headers: string, length: number): Buffer {
  const [keyBytes, headerBytes] = [Buffer.byteLength(key), Buffer.byteLength(headers)]
  const row = Buffer.allocUnsafe(34 + keyBytes + headerBytes)
  let at = row.writeInt16BE(5, 0)
  at = row.writeInt32BE(4, at)
  at = row.writeInt32BE(queue, at)
  at = row.writeInt32BE(8, at)
  at = row.writeBigInt64BE(BigInt(bytes), at)
  at = row.writeInt32BE(keyBytes, at)
  at += row.write(key, at)
  at = row.writeInt32BE(headerBytes, at)
  at += row.write(headers, at)
  row.writeInt32BE(length, at)
  return row
}

export const takenColumns = (of: string): string =>
  ['id', 'attempt', 'bytes', 'key', 'headers', 'body'].map((name) => `${of}.${name}`).join(', ')

/** A message as it was read. */
export interface Row {
  readonly id: number
  readonly attempt: number
  readonly bytes: number
  readonly key: string
  readonly headers: Headers
  readonly fault: MessageFault | undefined
  readonly body: Buffer
}

/** `fields` are those of `takenColumns`, in memory that another row gets. */
export function rowOf([id, attempt, bytes, key, headers, body]: readonly (Buffer | undefined)[]): Row {
  return {
    id: wholeIn(id),
    attempt: attempt?.readInt32BE() ?? 0,
    bytes: wholeIn(bytes),
    key: key?.toString() ?? '',
    ...headersIn(headers?.toString() ?? ''),
    body: kept(body ?? Buffer.alloc(0)),
  }
}

const twoTo32 = 4_294_967_296

const wholeIn = (field: Buffer | undefined): number =>
  field === undefined ? 0 : field.readInt32BE() * twoTo32 + field.readUInt32BE(4)

/** Memory of its own for a large one, so that it can be given back. */
const kept = (bytes: Buffer): Buffer =>
  bytes.length < largeFrom ? Buffer.from(bytes) : Buffer.from(new Uint8Array(bytes).buffer)

const none: Headers = {}

/** Other programs may have written anything; what is no text in JSON is taken as its JSON. */
function headersIn(text: string): { readonly headers: Headers; readonly fault: MessageFault | undefined } {
  if (text === '{}') return { headers: none, fault: undefined }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const headers = Object.entries(value).map(([name, each]) => [name, textOf(each)])
      return { headers: Object.fromEntries(headers), fault: undefined }
    }
  } catch {
    // Said below.
  }
  return {
    headers: none,
    fault: { code: 'BAD_ENVELOPE', detail: 'the headers of the message are no JSON object' },
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
