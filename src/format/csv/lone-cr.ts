/**
 * CR → LF in a file whose lines end with CR alone. In quotes, and behind a backslash, a CR is data and stays;
 * one before an LF belongs to that line end. So do two, which a program writes that turns LF into CR LF twice.
 */
import { cr, lf, space, tab } from '../../core/bytes.ts'
import { byteOf, endKind, escapeKind, kindsOf } from './cells.ts'
import type { RecordDialect } from './dialect.ts'

const beginning = 0
const opening = 1
const literal = 2
const quoted = 3
const closing = 4
const literalEscape = 5
const quotedEscape = 6
const comment = 7

export class LoneCr {
  #state = beginning
  /** CRs that were the last bytes, at most two: each ends a line, unless an LF follows and does. */
  #held = 0
  readonly #kinds: Uint8Array
  readonly #quote: number
  readonly #comment: number
  readonly #trims: boolean
  /** Whether quotes hold no line ends. */
  readonly #isOneLine: boolean

  constructor(dialect: RecordDialect) {
    this.#kinds = kindsOf(dialect)
    this.#quote = byteOf(dialect.quote)
    this.#comment = byteOf(dialect.comment)
    this.#trims = dialect.trim === true
    this.#isOneLine = dialect.multiline === false
  }

  push(piece: Buffer): Buffer {
    const text = Buffer.allocUnsafe(piece.length + this.#held)
    let size = 0
    for (const byte of piece) {
      if (this.#held > 0 && byte !== cr) {
        if (byte === lf) text[size++] = cr
        else while (this.#held-- > 0) text[size++] = lf
        this.#held = 0
        this.#state = beginning
      }
      if (byte !== cr || this.#isData) {
        this.#state = this.#after(byte)
        text[size++] = byte
      } else if (this.#held === 2) text[size++] = lf
      else this.#held++
    }
    return text.subarray(0, size)
  }

  end(): Buffer {
    return Buffer.from('\n'.repeat(this.#held))
  }

  /** Whether a CR is data here. */
  get #isData(): boolean {
    const state = this.#state
    return (state === quoted && !this.#isOneLine) || state === literalEscape || state === quotedEscape
  }

  #after(byte: number): number {
    const state = this.#state
    const kind = this.#kinds[byte]
    if (state === quotedEscape) return quoted
    if (state === literalEscape) return literal
    if (state === quoted) return byte === this.#quote ? closing : kind === escapeKind ? quotedEscape : quoted
    if (byte === lf) return beginning
    if (state === comment || (state === beginning && byte === this.#comment)) return comment
    if (kind === endKind) return opening
    if (kind === escapeKind) return literalEscape
    if (byte === this.#quote && state !== literal) return quoted
    const mayOpen = state === beginning || state === opening
    return this.#trims && mayOpen && (byte === space || byte === tab) ? opening : literal
  }
}
