/**
 * Our messages ↔ entries of a stream. Ours have a field `lading`, JSON with key and headers, and a field `body`.
 * Entries of others have a field for the body and others that are headers; or their fields are the record.
 */
import { asBuffer } from '../../core/bytes.ts'
import { textOfBytes } from '../header.ts'
import type { Headers, Outgoing } from '../queue.ts'
import type { Command, Reply } from './connection.ts'

const ownField = 'lading'
/** Bytes that the message costs its receiver, where its body only refers to them. The script of `take` reads it. */
const weightField = 'weight'
const bodyField = 'body'
/** What a field may say at most, because other programs write fields too. */
const mostWeight = 64 * 1024 * 1024

/** The fields and values of an entry. */
export function fieldsOf({ key, headers, body, weight }: Outgoing): Command {
  const own = [ownField, JSON.stringify({ key, headers })]
  return [...own, ...(weight === undefined ? [] : [weightField, String(weight)]), bodyField, asBuffer(body)]
}

export interface Read {
  readonly key: string
  readonly headers: Headers
  readonly body: Uint8Array
  /** What the message costs its holder, in bytes. */
  readonly weight: number
}

/** `id`: of the entry; `field`: the body of messages of others. */
export function read(stream: string, id: string, fields: readonly Reply[], field: string): Read {
  const [first, second] = fields
  const own = String(first) === ownField ? ownOf(String(second)) : undefined
  if (own !== undefined) {
    const body = bytesOf(fields[fields.length - 1])
    const said = fields.length > 4 ? Number(String(fields[3])) : 0
    const weight = Math.max(body.length, said > 0 ? Math.min(said, mostWeight) : 0)
    return { ...own, body, weight }
  }
  return external(stream, id, fields, field)
}

/** The id is of the time and a number, so two streams may have the same. */
function external(stream: string, id: string, fields: readonly Reply[], bodyName: string): Read {
  const key = `${stream}/${id}`
  const texts: [name: string, text: string][] = []
  let body: Buffer | undefined
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = textOfBytes(bytesOf(fields[at]))
    if (name === bodyName && body === undefined) body = bytesOf(fields[at + 1])
    else texts.push([name, textOfBytes(bytesOf(fields[at + 1]))])
  }
  if (body !== undefined) return { key, headers: Object.fromEntries(texts), body, weight: body.length }
  // A field that stands twice does so in the record, too, where it is told.
  const members = texts.map((each) => each.map((text) => JSON.stringify(text)).join(':'))
  const record = Buffer.from(`{${members.join()}}`)
  return { key, headers: {}, body: record, weight: record.length }
}

const bytesOf = (reply: Reply | undefined): Buffer => (Buffer.isBuffer(reply) ? reply : Buffer.alloc(0))

function ownOf(text: string): Pick<Read, 'key' | 'headers'> | undefined {
  try {
    const value = JSON.parse(text) as Partial<Read> | null
    return isOwn(value) ? { key: value.key, headers: value.headers } : undefined
  } catch {
    return undefined
  }
}

const isOwn = (value: Partial<Read> | null): value is Read =>
  typeof value?.key === 'string' &&
  typeof value.headers === 'object' &&
  value.headers !== null &&
  Object.values(value.headers).every((each) => typeof each === 'string')
