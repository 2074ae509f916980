/**
 * Bytes of any encoding → UTF-8, piece by piece. What an encoding has no character for becomes a byte that is
 * no UTF-8, so that it costs its record and not the file.
 */
import { isAscii } from 'node:buffer'
import type { Encoding } from '../../core/encoding.ts'
import { LadingError } from '../../core/errors.ts'

/** Takes the next piece; the result holds until the next call. */
export interface Conversion {
  push(piece: Buffer): Buffer
  /** What was held back. */
  end(): Buffer
}

const nothing = Buffer.alloc(0)
const noCharacter = Buffer.of(0xff)
const replacement = '\ufffd'

const latin1Names = new Set(['iso-8859-1', 'iso8859-1', 'iso_8859-1', 'latin1', 'latin-1', 'l1'])

/** The standard name of an encoding; throws `USAGE` for one that is not known. */
export function encodingName(label: string): Encoding {
  const name = label.trim().toLowerCase()
  // TextDecoder takes it for Windows-1252.
  if (latin1Names.has(name)) return 'iso-8859-1'
  try {
    return new TextDecoder(name).encoding
  } catch (cause) {
    const some = 'utf-8, utf-16le, utf-16be, windows-1252, iso-8859-1, shift_jis, gb18030'
    throw new LadingError('USAGE', `the encoding ${JSON.stringify(label)} is not known; some are ${some}`, {
      cause,
    })
  }
}

export interface Mark {
  readonly encoding: Encoding
  readonly bytes: number
}

/** As many bytes as `markIn` wants to see. */
export const markLength = 4

/** The byte order mark with which a source begins. */
export function markIn(start: Buffer): Mark | undefined {
  const [a, b, c, d] = start
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', bytes: 3 }
  if (a === 0xff && b === 0xfe) return { encoding: c === 0 && d === 0 ? 'utf-32le' : 'utf-16le', bytes: 2 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', bytes: 2 }
  return undefined
}

/** Undefined for UTF-8, which stays as it is. */
export function conversionOf(encoding: Encoding): Conversion | undefined {
  const name = encodingName(encoding)
  if (name === 'utf-8') return undefined
  if (name === 'utf-16le' || name === 'utf-16be') return new Utf16(name === 'utf-16be')
  if (/^(windows-|iso-8859-|koi8|macintosh|x-mac|ibm)/.test(name)) return new SingleByte(name)
  return new MultiByte(name)
}

class Utf16 implements Conversion {
  readonly #isBigEndian: boolean
  /** The first bytes of a character that the next piece completes. */
  #held: Buffer = nothing

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian
  }

  push(piece: Buffer): Buffer {
    const bytes = Buffer.concat([this.#held, piece])
    let end = bytes.length & ~1
    const last = this.#isBigEndian ? bytes[end - 2] : bytes[end - 1]
    const isHighSurrogate = end > 0 && ((last as number) & 0xfc) === 0xd8
    if (isHighSurrogate) end -= 2
    this.#held = Buffer.from(bytes.subarray(end))
    const units = bytes.subarray(0, end)
    return utf8Of((this.#isBigEndian ? units.swap16() : units).toString('utf16le'))
  }

  end(): Buffer {
    return this.#held.length > 0 ? noCharacter : nothing
  }
}

function utf8Of(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  return joined(text.split(/\p{Surrogate}/u))
}

/** With a byte that is no UTF-8 between the parts. */
const joined = (parts: readonly string[]): Buffer =>
  Buffer.concat(parts.flatMap((part, index) => [...(index === 0 ? [] : [noCharacter]), Buffer.from(part)]))

/** The characters of Windows-1252 from 0x80 to 0x9f. Five bytes have none. */
const windows1252 = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ'

class SingleByte implements Conversion {
  /** In UTF-8, by byte. */
  readonly #characters: readonly Buffer[]

  constructor(name: string) {
    this.#characters = Array.from({ length: 256 }, (_, byte) => {
      const character = characterOf(name, byte)
      return character === replacement ? noCharacter : Buffer.from(character)
    })
  }

  push(piece: Buffer): Buffer {
    if (isAscii(piece)) return piece
    const characters = this.#characters
    // No character of the Basic Multilingual Plane takes more than three bytes.
    const text = Buffer.allocUnsafe(piece.length * 3)
    let size = 0
    for (const byte of piece) {
      if (byte < 0x80) text[size++] = byte
      else size += (characters[byte] as Buffer).copy(text, size)
    }
    return text.subarray(0, size)
  }

  end(): Buffer {
    return nothing
  }
}

function characterOf(name: string, byte: number): string {
  if (byte < 0x80 || name === 'iso-8859-1') return String.fromCharCode(byte)
  // Not every release of Node decodes these bytes as the standard has them.
  if (name === 'windows-1252')
    return byte < 0xa0 ? (windows1252[byte - 0x80] as string) : String.fromCharCode(byte)
  return new TextDecoder(name).decode(Uint8Array.of(byte))
}

class MultiByte implements Conversion {
  readonly #decoder: InstanceType<typeof TextDecoder>

  constructor(name: string) {
    this.#decoder = new TextDecoder(name)
  }

  push(piece: Buffer): Buffer {
    return this.#utf8(this.#decoder.decode(piece, { stream: true }))
  }

  end(): Buffer {
    return this.#utf8(this.#decoder.decode())
  }

  #utf8(text: string): Buffer {
    return text.includes(replacement) ? joined(text.split(replacement)) : Buffer.from(text)
  }
}
