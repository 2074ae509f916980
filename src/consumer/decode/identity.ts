/**
 * The identity of external messages in the ledger, so that each takes effect once. A chunk's is `<uuid>/<n>`;
 * each kind below has a prefix of its own, so that no external message can take the place of a chunk,
 * whatever id it states.
 */
import { sha256Of } from '../../core/sha256.ts'

/**
 * - `message-id`: the identity that its sender gave it; two messages of one identity are one.
 * - `content`: its bytes; equal messages are one.
 * - `field:NAME`: the text of that field in each of its records; equal records are one, in whatever message
 *   they come.
 */
export type DedupKey = 'message-id' | 'content' | `field:${string}`

export const defaultDedupKey: DedupKey = 'message-id'

export const isDedupKey = (text: string): text is DedupKey =>
  text === 'message-id' || text === 'content' || (text.startsWith('field:') && text.length > 'field:'.length)

/** The field that holds the key of each record, where one does. */
export const dedupField = (dedupKey: DedupKey): string | undefined =>
  dedupKey.startsWith('field:') ? dedupKey.slice('field:'.length) : undefined

/** The keys in the ledger. */
const ofMessage = 'message:'
const ofContent = 'content:'
const ofField = 'field:'

/** The identity that a message's key stands for, without what marks its kind. */
const bareKey = (key: string): string =>
  key.slice([ofMessage, ofContent].find((beginning) => key.startsWith(beginning))?.length ?? 0)

/**
 * The key of record `record` (from 0) in a column of the table: the message's own identity for its
 * first record, with `#2` behind it for its second, and so on. An identity that ends like that itself gets a
 * `#1`, so that no two records share a key.
 */
export function recordKey(key: string, record: number): string {
  const id = bareKey(key)
  return record === 0 && !/#\d+$/.test(id) ? id : `${id}#${record + 1}`
}

export const fieldKey = (field: string, value: string): string =>
  `${ofField}${storableKey(`${field}:${value}`)}`

export const contentKey = (sha256: string): string => `${ofContent}${sha256}`

/**
 * The key of a message with this identity; a dead letter is kept under its key, and keeps it when it is
 * replayed.
 */
export function messageKey(id: string, isLetter: boolean): string {
  const isKey = isLetter && [ofMessage, ofContent, ofField].some((beginning) => id.startsWith(beginning))
  return isKey ? id : `${ofMessage}${storableKey(id)}`
}

/** Whether the message has no id of its own. */
export const isNobodys = (key: string): boolean => key === ofMessage

/** What a person calls the message with this key. */
export const messageName = (key: string): string =>
  key.startsWith(ofMessage) ? key.slice(ofMessage.length) || 'message' : key

/** Characters of a key that an index takes with room to spare: PostgreSQL's limit is 2704 bytes. */
const mostKeyLength = 600

/** Whether every database takes the text as it is. */
export const isStorableText = (text: string): boolean => text.isWellFormed() && !text.includes('\0')

/**
 * A key that every database takes: of a text that none takes its JSON, of a longer one its beginning, for
 * people, and its hash.
 */
export function storableKey(key: string): string {
  const text = isStorableText(key) ? key : JSON.stringify(key)
  return text.length <= mostKeyLength
    ? text
    : `${text.slice(0, 200)}…${sha256Of(Buffer.from(text))}`.toWellFormed()
}
