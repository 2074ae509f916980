/**
 * Passes over JSON text byte by byte: RFC 8259 and nothing beside it. No value is made of anything, so that a
 * number keeps every digit. Nested values are passed without recursion, and no deeper than `mostDepth`. Bytes
 * that are not UTF-8 are passed inside strings; callers that need text check it.
 */
import { unescape } from './text.ts'

/** What kind of value was passed last; from `object` on it has parts. */
export const kinds = { string: 1, number: 2, boolean: 3, null: 4, object: 5, array: 6 } as const

/** What a string holds that no database takes as text. */
export const odds = { nothing: 0, nul: 1, surrogate: 2 } as const

/** Levels of objects and arrays that a record may have, itself counted. */
export const mostDepth = 64
/** The array that records may stand in is no level of theirs. */
const deepest = mostDepth + 1

export const quote = 0x22
export const comma = 0x2c
export const openBracket = 0x5b
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d
export const backslash = 0x5c
const colon = 0x3a
const lowerU = 0x75
const minus = 0x2d
const point = 0x2e

const words = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]))
const simpleEscapes = new Set(Buffer.from('"\\/bfnrt'))

/**
 * Each method takes the index at which something begins and returns the index after it, or -1, and then
 * `brokenAt` and `broken` say why.
 */
export class Scanner {
  bytes: Buffer = Buffer.alloc(0)
  /** Nothing is read from here on. */
  end = 0
  /** One of `kinds`. */
  kind = 0
  /** Of the string that was passed last. */
  escaped = false
  /** One of `odds`, of the string that was passed last. */
  odd = 0
  brokenAt = 0
  broken = ''
  /** The first name that stands twice in a nested object, since this was last set to -1. */
  twiceStart = -1
  twiceEnd = -1
  readonly #closers = new Uint8Array(deepest)
  readonly #names: Set<string>[] = []

  fail(at: number, why: string): -1 {
    this.brokenAt = at
    this.broken = at < this.end ? why : `it ends where ${why}`
    return -1
  }

  space(from: number): number {
    const { bytes, end } = this
    let at = from
    while (at < end) {
      const byte = bytes[at] as number
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) break
      at++
    }
    return at
  }

  /**
   * Any value; `depth` is how many objects and arrays it stands in. Nested objects must not have a name
   * twice, if `distinct`.
   */
  value(at: number, depth: number, distinct = true): number {
    const byte = at < this.end ? (this.bytes[at] as number) : 0
    if (byte !== openBrace && byte !== openBracket) return this.#scalar(at)
    const after = this.#nested(at, depth, distinct)
    this.kind = byte === openBrace ? kinds.object : kinds.array
    return after
  }

  string(open: number): number {
    const { bytes, end } = this
    if (open >= end || bytes[open] !== quote) return this.fail(open, 'a name in quotes is expected')
    this.escaped = false
    this.odd = odds.nothing
    let at = open + 1
    while (at < end) {
      const byte = bytes[at] as number
      // Letters and digits first: two comparisons instead of three.
      if (byte > quote && byte !== backslash) at++
      else if (byte === quote) return at + 1
      else if (byte === backslash) {
        at = this.#escape(at)
        if (at < 0) return -1
      } else if (byte < 0x20) return this.fail(at, 'a control character stands in a string')
      else at++
    }
    return this.fail(end, 'a closing quote is expected')
  }

  /** The colon after a name, with the space around it. */
  colon(from: number): number {
    const at = this.space(from)
    if (at >= this.end || this.bytes[at] !== colon) return this.fail(at, 'a colon is expected')
    return this.space(at + 1)
  }

  #scalar(at: number): number {
    const byte = at < this.end ? (this.bytes[at] as number) : 0
    if (byte === quote) {
      this.kind = kinds.string
      return this.string(at)
    }
    const word = words.get(byte)
    if (word === undefined) return this.#number(at)
    this.kind = word.length === 4 && byte === 0x6e ? kinds.null : kinds.boolean
    const after = at + word.length
    if (after > this.end || word.compare(this.bytes, at, after) !== 0)
      return this.fail(at, 'a value is expected')
    return after
  }

  #number(start: number): number {
    const { bytes, end } = this
    this.kind = kinds.number
    let at = bytes[start] === minus && start < end ? start + 1 : start
    const first = at
    at = this.#digits(at)
    if (at === first) return this.fail(at, first === start ? 'a value is expected' : 'a digit is expected')
    if (bytes[first] === 0x30 && at > first + 1)
      return this.fail(first, 'a number begins with a needless zero')
    if (at < end && bytes[at] === point) {
      const fraction = ++at
      at = this.#digits(at)
      if (at === fraction) return this.fail(at, 'a digit is expected')
    }
    if (at < end && ((bytes[at] as number) | 0x20) === 0x65) {
      at++
      if (at < end && (bytes[at] === minus || bytes[at] === 0x2b)) at++
      const exponent = at
      at = this.#digits(at)
      if (at === exponent) return this.fail(at, 'a digit is expected')
    }
    return at
  }

  #digits(from: number): number {
    const { bytes, end } = this
    let at = from
    while (at < end && (bytes[at] as number) >= 0x30 && (bytes[at] as number) <= 0x39) at++
    return at
  }

  #escape(at: number): number {
    this.escaped = true
    const byte = at + 1 < this.end ? (this.bytes[at + 1] as number) : -1
    if (simpleEscapes.has(byte)) return at + 2
    const unit = byte === lowerU ? this.#unit(at + 2) : -1
    if (unit < 0) return this.fail(Math.min(at + 1, this.end), 'an escape is expected that JSON knows')
    if (unit === 0) this.odd ||= odds.nul
    if (unit < 0xd800 || unit > 0xdfff) return at + 6
    if (unit < 0xdc00 && this.bytes[at + 6] === backslash && this.bytes[at + 7] === lowerU) {
      const low = this.#unit(at + 8)
      if (low >= 0xdc00 && low <= 0xdfff) return at + 12
    }
    this.odd ||= odds.surrogate
    return at + 6
  }

  /** The value of four hexadecimal digits, or -1. */
  #unit(start: number): number {
    if (start + 4 > this.end) return -1
    let unit = 0
    for (let at = start; at < start + 4; at++) {
      const digit = hexDigit(this.bytes[at] as number)
      if (digit < 0) return -1
      unit = unit * 16 + digit
    }
    return unit
  }

  #nested(open: number, outside: number, distinct: boolean): number {
    const { bytes, end } = this
    const closers = this.#closers
    let depth = outside
    let at = open
    for (;;) {
      if (depth > outside && closers[depth - 1] === closeBrace) at = this.#name(at, distinct ? depth : -1)
      if (at < 0) return -1
      const byte = at < end ? (bytes[at] as number) : 0
      if (byte === openBrace || byte === openBracket) {
        if (depth === deepest) return this.fail(at, `values are nested more than ${mostDepth} levels deep`)
        // The closing bracket and brace are two characters after the opening ones.
        closers[depth++] = byte + 2
        this.#names[depth]?.clear()
        at = this.space(at + 1)
        if (at >= end || bytes[at] !== byte + 2) continue
      } else {
        at = this.#scalar(at)
        if (at < 0) return -1
        at = this.space(at)
      }
      while (at < end && bytes[at] === closers[depth - 1]) {
        at++
        if (--depth === outside) return at
        at = this.space(at)
      }
      if (at >= end || bytes[at] !== comma) return this.fail(at, 'a comma or a closing bracket is expected')
      at = this.space(at + 1)
    }
  }

  /** A name of the object at `depth` with its colon; it is remembered there unless `depth` is -1. */
  #name(open: number, depth: number): number {
    const after = this.string(open)
    if (after < 0) return -1
    if (depth >= 0) {
      const names = (this.#names[depth] ??= new Set())
      const name = nameAt(this.bytes, open + 1, after - 1, this.escaped)
      if (names.has(name) && this.twiceStart < 0) {
        this.twiceStart = open + 1
        this.twiceEnd = after - 1
      }
      names.add(name)
    }
    return this.colon(after)
  }
}

/** A name as a key to look it up by: one character for each byte of its UTF-8. */
export const nameAt = (bytes: Buffer, start: number, end: number, escaped: boolean): string =>
  escaped ? unescape(bytes, start, end).toString('latin1') : bytes.toString('latin1', start, end)

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
