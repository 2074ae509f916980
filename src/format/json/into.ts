/**
 * The way to an array inside of objects, piece by piece, and out of them to the end of the file. Memory does
 * not grow with what stands beside the array.
 */
import { lf } from '../../core/bytes.ts'
import { maxRecordBytes } from '../../core/load.ts'
import { type Path, pathText } from '../../core/path.ts'
import { isSpace } from './elements.ts'
import { closeBrace, comma, openBrace, openBracket, quote } from './scan.ts'
import { ValueEnd } from './value-end.ts'

type State =
  /** A value on the path is expected. */
  | 'value'
  /** After an opening brace: a name or the closing brace. */
  | 'first'
  /** After a comma between members: a name. */
  | 'name'
  | 'inName'
  | 'colon'
  /** A value beside the path is expected. */
  | 'beside'
  | 'inBeside'
  /** After a member. */
  | 'after'
  /** Behind the outermost object. */
  | 'end'

/** A name may have six bytes for each character, and longer ones than this are none that people write. */
const mostNameBytes = 64 * 1024
const colon = 0x3a

export class WayIn {
  /** LF bytes before the place that it has reached, those in the array included. */
  lines = 0
  /** The path within the elements of the array, once that is found. */
  rest: Path = []
  readonly #path: Path
  readonly #refuse: (what: string) => never
  readonly #value = new ValueEnd()
  #state: State = 'value'
  /** Objects that are open; each is that of a step of the path. */
  #depth = 0
  #isFound = false
  #name: Buffer[] = []
  #isWanted = false

  /** `refuse` throws what is wrong with the structure at the line that has been reached. */
  constructor(path: Path, refuse: (what: string) => never) {
    this.#path = path
    this.#refuse = refuse
  }

  get isAtEnd(): boolean {
    return this.#state === 'end'
  }

  /** Index after the bracket that opens the array, or -1 if the piece ends before it. */
  find(piece: Buffer, from: number): number {
    for (let at = from; at < piece.length;) {
      if (this.#state === 'value' && piece[at] === openBracket) {
        this.#isFound = true
        const step = this.#depth
        this.rest = this.#path.slice(this.#path[step] === null ? step + 1 : step)
        this.#state = this.#depth === 0 ? 'end' : 'after'
        return at + 1
      }
      at = this.#pass(piece, at)
    }
    return -1
  }

  /** Goes on behind the array to the end of the piece. */
  passRest(piece: Buffer, from: number): void {
    for (let at = from; at < piece.length;) at = this.#pass(piece, at)
  }

  #pass(piece: Buffer, at: number): number {
    if (this.#state === 'inName') return this.#passName(piece, at)
    if (this.#state === 'inBeside') return this.#passBeside(piece, at)
    const byte = piece[at] as number
    if (byte === lf) this.lines++
    if (isSpace(byte)) return at + 1
    switch (this.#state) {
      case 'value':
        if (byte !== openBrace || typeof this.#path[this.#depth] !== 'string')
          this.#refuse(this.#noArray(byte))
        this.#depth++
        this.#state = 'first'
        return at + 1
      case 'first':
      case 'name':
        if (byte === closeBrace && this.#state === 'first') return this.#close(at)
        if (byte !== quote) this.#refuse('a name in quotes is expected')
        this.#name = []
        this.#value.begin(byte)
        this.#state = 'inName'
        return at
      case 'colon':
        if (byte !== colon) this.#refuse('a colon is expected')
        this.#state = this.#isWanted ? 'value' : 'beside'
        return at + 1
      case 'beside':
        this.#value.begin(byte)
        this.#state = 'inBeside'
        return at
      case 'after':
        if (byte === closeBrace) return this.#close(at)
        if (byte !== comma) this.#refuse('a comma or a closing brace is expected')
        this.#state = 'name'
        return at + 1
      default:
        return this.#refuse('more follows the array, or the object around it')
    }
  }

  #close(at: number): number {
    if (!this.#isFound)
      this.#refuse(`no ${JSON.stringify(this.#path[this.#depth - 1])} stands in the object that ends here`)
    this.#state = --this.#depth === 0 ? 'end' : 'after'
    return at + 1
  }

  #passName(piece: Buffer, from: number): number {
    const end = this.#value.find(piece, from)
    if (this.#value.bytes > mostNameBytes) this.#refuse(`a name has more than ${mostNameBytes} bytes`)
    this.#name.push(Buffer.from(piece.subarray(from, end < 0 ? piece.length : end)))
    if (end < 0) return piece.length
    this.#isWanted = this.#nameText() === this.#path[this.#depth - 1]
    if (this.#isWanted && this.#isFound)
      this.#refuse(`${JSON.stringify(this.#nameText())} stands twice in an object`)
    this.#state = 'colon'
    return end
  }

  #nameText(): string {
    try {
      return JSON.parse(Buffer.concat(this.#name).toString('utf8')) as string
    } catch {
      return this.#refuse('a name is no sound string')
    }
  }

  #passBeside(piece: Buffer, from: number): number {
    const value = this.#value
    const before = value.lines
    const end = value.find(piece, from)
    this.lines += value.lines - before
    if (value.bytes === 0) this.#refuse('a value is expected')
    if (value.stringBytes > maxRecordBytes)
      this.#refuse(`a string is not closed within ${maxRecordBytes / 1024 / 1024} MiB`)
    if (end < 0) return piece.length
    this.#state = 'after'
    return end
  }

  #noArray(byte: number): string {
    const what = byte === openBrace ? 'an object' : 'a single value'
    const place = this.#depth === 0 ? 'at the beginning' : `at ${pathText(this.#path.slice(0, this.#depth))}`
    const cure =
      byte === openBrace
        ? `: leave --records out, and read its fields with from('${pathText(this.#path.slice(0, this.#depth))}.NAME')`
        : ''
    return `${what} stands ${place}, where --records expects an array${cure}`
  }
}
