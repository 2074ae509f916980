/**
 * Masks replace personal data in the table and in everything else that is kept. A mask depends only on the
 * text, so equal texts stay equal and a replay gives the same result. Keys never leave this file: no error,
 * no fingerprint and no inspection of a mask or model shows one.
 */
import { isUtf8 } from 'node:buffer'
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { LadingError } from '../core/errors.ts'
import { requireUse } from './signatures.ts'

/** Turns a text into one that hides it, as `hmacSha256`, `sha256`, `redact` and `partial` make it. */
export interface Mask {
  /** Its kind and the ids of its keys, as part of the model's fingerprint. */
  readonly name: string
  /** A limit of its protection that a person may not expect. */
  readonly warning?: string | undefined
  /** The text to write instead. */
  apply(text: string): string
  /** Every mask of the text, under previous keys too: the rows of a person hold one of them. */
  all(text: string): readonly string[]
}

/** A secret key and its id, as `maskKey` and `maskKeyFromFile` make it. It shows its id alone. */
export interface MaskKey {
  /** The prefix of each mask made with the key: 1 to 20 letters, digits, `_`, `.` or `-`. */
  readonly id: string
  /** At least 32 bytes. */
  readonly key: Uint8Array
}

const leastKeyBytes = 32

/**
 * `ID:` and the HMAC-SHA-256 of the text in hexadecimal. Without the key the text cannot be found by brute
 * force. The first key masks; the others are previous keys, for `all`. Throws `CONFIG_INVALID`.
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

/** Replaces every text by the same one. */
export function redact(...given: [text?: string]): Mask {
  requireUse('redact', given)
  const [text = '***'] = given
  requireText('redact', text)
  return { name: `redact(${JSON.stringify(text)})`, apply: () => text, all: () => [text] }
}

/** How much of a text `partial` leaves, in characters: none at either end by default. */
export interface PartialOptions {
  /** Characters (code points) to keep at the beginning; default 0. */
  readonly keepFirst?: number
  /** Characters to keep at the end; default 0. */
  readonly keepLast?: number
  /** Replaces each hidden character; default `*`. */
  readonly with?: string
}

/** Hides the middle of the text, or all of it if it has no more characters than would be kept. */
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

/** A key from text (UTF-8, `hex:…` or `base64:…`) or bytes. Throws `CONFIG_INVALID`, which never shows it. */
export function maskKey(id: string, key: string | Uint8Array): MaskKey {
  checkedId(id)
  const bytes = typeof key === 'string' ? bytesOf(id, key) : key
  secret(id, bytes)
  // Not enumerable, so that printing the object does not print the key.
  return Object.defineProperty({ id }, 'key', { value: Uint8Array.from(bytes) }) as MaskKey
}

/** A key from a file: text as for `maskKey`, without its final line end, or bytes that are not UTF-8. */
export function maskKeyFromFile(id: string, path: string): MaskKey {
  checkedId(id)
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    // Without the path: a key may be there by mistake.
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

/** An invalid id is never shown: it may be a key. */
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
