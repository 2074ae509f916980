/**
 * What a notification of S3 says: the objects that came into being. It comes from S3 itself, through SNS (with its
 * envelope or by raw delivery) or through EventBridge. Whoever may send to the queue may have written it.
 */
import { asBuffer } from '../core/bytes.ts'
import type { NamedObject } from '../source/registry.ts'

/** An object as a notification names it. */
export interface ToldObject extends NamedObject {
  /** Of events of one object, a later one has a greater one. */
  readonly sequencer?: string | undefined
}

export interface Notification {
  readonly objects: readonly ToldObject[]
  /** Names of the events that bring nothing to load, such as a deletion. */
  readonly others: readonly string[]
}

type Json = Readonly<Record<string, unknown>>

/** The notification in the body of a message, or why it is none. */
export function notificationIn(body: Uint8Array): Notification | string {
  const message = objectIn(asBuffer(body).toString('utf8'))
  if (typeof message === 'string') return message
  if (typeof message['Message'] !== 'string') return notificationOf(message)
  if (message['Type'] !== 'Notification') return 'it comes from SNS, and its Type is not Notification'
  const inner = objectIn(message['Message'])
  return typeof inner === 'string' ? `in its Message, ${inner}` : notificationOf(inner)
}

function objectIn(text: string): Json | string {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : 'it is no JSON object'
  } catch {
    return 'it is no JSON'
  }
}

function notificationOf(message: Json): Notification | string {
  const { Records: records, Event: event, detail } = message
  // What S3 sends once, when notifications are set up.
  if (event === 's3:TestEvent') return { objects: [], others: [event] }
  if (Array.isArray(records)) return together(records.map(recordOf))
  const type = message['detail-type']
  if (message['source'] !== 'aws.s3' || typeof type !== 'string')
    return 'it has no Records, as S3 sends them, nor is it an event that EventBridge has of S3'
  if (type !== 'Object Created') return { objects: [], others: [type] }
  return together([objectOf(detail, 'version-id', (key) => key)])
}

/** Of one element of `Records`. */
function recordOf(record: unknown): ToldObject | { readonly event: string } | string {
  const { eventName, s3 } = isObject(record) ? record : {}
  if (typeof eventName !== 'string') return 'a record has no eventName'
  // Other stores write the name as it is configured, with `s3:` before it.
  const event = eventName.replace(/^s3:/, '')
  return event.startsWith('ObjectCreated:') ? objectOf(s3, 'versionId', decodedKey) : { event }
}

/** S3 writes keys as a form does; EventBridge leaves them as they are. */
function decodedKey(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function objectOf(
  value: unknown,
  versionName: string,
  keyOf: (key: string) => string | undefined,
): ToldObject | string {
  const { bucket, object } = isObject(value) ? value : {}
  const name = isObject(bucket) ? textOf(bucket['name']) : undefined
  const about = isObject(object) ? object : {}
  const key = keyOf(textOf(about['key']) ?? '')
  if (name === undefined || key === undefined || key === '')
    return 'it names no bucket or no key of an object'
  return {
    bucket: name,
    key,
    version: textOf(about[versionName]),
    etag: textOf(about['eTag'] ?? about['etag']),
    size: Number.isSafeInteger(about['size']) ? (about['size'] as number) : undefined,
    sequencer: textOf(about['sequencer']),
  }
}

function together(
  found: readonly (ToldObject | { readonly event: string } | string)[],
): Notification | string {
  const objects: ToldObject[] = []
  const others: string[] = []
  for (const each of found) {
    if (typeof each === 'string') return each
    if ('event' in each) others.push(each.event)
    else objects.push(each)
  }
  return { objects, others }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
