/**
 * Masks: what stands in the table, and in everything else that is kept, instead of personal data. A mask is a
 * function of the text alone, so that equal texts stay equal and a replay gives what the first attempt gave.
 * Keys never leave this file: no error, no fingerprint and no inspection of a mask or of a model shows one.
 */
import { isUtf8 } from 'node:buffer'
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { LadingError } from '../core/errors.ts'
import { requireUse } from './signatures.ts'

export interface Mask {
  /** Its kind with the ids of its keys, which is what the fingerprint of a model holds of it. */
  readonly name: string
  /** What it does not promise, where a person may expect it. */
  readonly warning?: string | undefined
  /** What is written instead of the text. */
  apply(text: string): string
  /**
   * Everything that may have been written instead of the text, under former keys too: a person's rows are
   * those that hold one of them.
   */
  all(text: string): readonly string[]
}

export interface MaskKey {
  /** Stands before each mask that was made with the key: 1 to 20 letters, digits, `_`, `.` or `-`. */
  readonly id: string
  /** At least 32 bytes. */
  readonly key: Uint8Array
}

const leastKeyBytes = 32

/**
 * `ID:` and the HMAC-SHA-256 of the text in hexadecimal: without the key nobody can find the text by trying.
 * The first key masks; further ones are former keys, for `all`. Throws `CONFIG_INVALID`.
 */
export function hmacSha256(...given: [options: { readonly keys: readonly MaskKey[] }]): Mask {
  requireUse('hmacSha256', given)
  const [{ keys }] = given
  const known = keys.map(({ id, key }) => ({ id: checkedId(id), key: secret(id, key) }))
  const [first] = known
  if (first === undefined) throw invalid('hmacSha256 needs a key')
  const ids = known.map(({ id }) => id)
  if (new Set(ids).size < ids.length) throw invalid('two mask keys have the same id')
  const under = ({ id, key }: { id: string; key: KeyObject }, text: string) =>
    `${id}:${createHmac('sha256', key).update(text).digest('hex')}`
  return {
    name: `hmac-sha256(${ids.join(', ')})`,
    apply: (text) => under(first, text),
    all: (text) => known.map((each) => under(each, text)),
  }
}

/** The SHA-256 of the text in lower-case hexadecimal, as other systems store it. */
export function sha256(...given: []): Mask {
  requireUse('sha256', given)
  const apply = (text: string) => hash('sha256', text, 'hex')
  return {
    name: 'sha256',
    warning:
      'the plain hash of an IPv4 address is reversible by trying all of them; hmacSha256 with a key is not',
    apply,
    all: (text) => [apply(text)],
  }
}

/** The same text instead of every other. */
export function redact(...given: [text?: string]): Mask {
  requireUse('redact', given)
  const [text = '***'] = given
  requireText('redact', text)
  return { name: `redact(${JSON.stringify(text)})`, apply: () => text, all: () => [text] }
}

export interface PartialOptions {
  /** Characters (code points) that stay at the beginning; 0 where it is not given. */
  readonly keepFirst?: number
  /** Characters that stay at the end; 0 where it is not given. */
  readonly keepLast?: number
  /** Stands for each character that goes; `*` where it is not given. */
  readonly with?: string
}

/**
 * Hides what lies between the beginning and the end of the text; the whole of a text that has no more
 * characters than would be kept.
 */
export function partial(...given: [options?: PartialOptions]): Mask {
  requireUse('partial', given)
  const [{ keepFirst = 0, keepLast = 0, with: stand = '*' } = {}] = given
  if (![keepFirst, keepLast].every((each) => Number.isSafeInteger(each) && each >= 0)) {
    throw new LadingError('MODEL_INVALID', 'partial keeps a whole number of characters')
  }
  requireText('partial', stand)
  const apply = (text: string) => {
    const characters = [...text]
    const { length } = characters
    const [first, last] = length > keepFirst + keepLast ? [keepFirst, length - keepLast] : [0, length]
    return characters.map((each, at) => (at < first || at >= last ? each : stand)).join('')
  }
  return {
    name: `partial(${keepFirst}, ${keepLast}, ${JSON.stringify(stand)})`,
    apply,
    all: (text) => [apply(text)],
  }
}

function requireText(mask: string, text: unknown): void {
  if (typeof text === 'string' && text !== '' && text.isWellFormed() && !text.includes('\0')) return
  throw new LadingError('MODEL_INVALID', `${mask} needs a text that a database takes`)
}

/**
 * A key from text (UTF-8, or `hex:…`, or `base64:…`) or from bytes. Throws `CONFIG_INVALID`, which does not
 * show it.
 */
export function maskKey(id: string, key: string | Uint8Array): MaskKey {
  checkedId(id)
  const bytes = typeof key === 'string' ? bytesOf(id, key) : key
  secret(id, bytes)
  // Not enumerable, so that nothing that prints the object prints the key.
  return Object.defineProperty({ id }, 'key', { value: Uint8Array.from(bytes) }) as MaskKey
}

/** A key from a file: text as `maskKey` takes it, a line end after it left out, or bytes that are no text. */
export function maskKeyFromFile(id: string, path: string): MaskKey {
  checkedId(id)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    // Without the path: a key may stand in its place by mistake.
    throw invalid(
      `the file of mask key ${id} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
    )
  }
  return maskKey(id, isUtf8(bytes) ? bytes.toString('utf8').replace(/\r?\n$/, '') : bytes)
}

function bytesOf(id: string, text: string): Uint8Array {
  const [, form, rest = ''] = /^(hex|base64):(.*)$/s.exec(text) ?? []
  if (form === undefined) return Buffer.from(text)
  const sound = form === 'hex' ? /^([0-9a-f]{2})+$/i.test(rest) : /^[A-Za-z0-9+/]+={0,2}$/.test(rest)
  if (!sound) throw invalid(`mask key ${id} is not ${form === 'hex' ? 'hexadecimal' : 'base64'}`)
  return Buffer.from(rest, form as 'hex' | 'base64')
}

/** What is no id is not shown: it may be a key. */
function checkedId(id: string): string {
  if (typeof id === 'string' && /^[\w.-]{1,20}$/.test(id)) return id
  throw invalid('the id of a mask key has 1 to 20 letters, digits, _, . or -')
}

function secret(id: string, key: unknown): KeyObject {
  if (!(key instanceof Uint8Array))
    throw invalid(`mask key ${id} is not bytes: make it with maskKey or maskKeyFromFile`)
  if (key.length < leastKeyBytes) throw invalid(`mask key ${id} has fewer than ${leastKeyBytes} bytes`)
  return createSecretKey(key)
}

const invalid = (message: string): LadingError => new LadingError('CONFIG_INVALID', message)
