/**
 * Records that stand inside of objects, where a path leads to them. An array on the path, or at its end,
 * stands for its elements, whether the path says so or not; an array in an array only where the path says so.
 */
import type { Path } from '../../core/path.ts'
import { closeBrace, closeBracket, comma, kinds, nameAt, openBrace, openBracket, Scanner } from './scan.ts'

/** What a path reaches: `bytes[start, end)`. */
export interface Reached {
  readonly start: number
  readonly end: number
  /** The path ends here, in a value that lacks its next step. */
  readonly isMissing: boolean
}

/** Follows a path through sound values. */
export class Reach {
  readonly #scan = new Scanner()
  readonly #path: Path
  /** As keys, see `nameAt`. */
  readonly #names: readonly (string | null)[]
  #reached: Reached[] = []

  constructor(path: Path) {
    this.#path = path
    this.#names = path.map((name) => name && Buffer.from(name).toString('latin1'))
  }

  /**
   * All that the path reaches in the value at `start`, in its order. A value that lacks a step is reached
   * itself, so that it is not left out silently; a member that is null holds nothing.
   */
  in(bytes: Buffer, start: number): readonly Reached[] {
    this.#scan.bytes = bytes
    this.#scan.end = bytes.length
    this.#reached = []
    this.#walk(start, 0, false)
    return this.#reached
  }

  /**
   * Follows the path from `step` on in the value at `at`, which may be an element of an array; returns the
   * index after the value.
   */
  #walk(at: number, step: number, isElement: boolean): number {
    const scan = this.#scan
    const byte = scan.bytes[at]
    const isEnd = step === this.#path.length
    const name = this.#names[step]
    if (byte === openBracket && (name === null || !isElement))
      return this.#elements(at, name === null ? step + 1 : step)
    if (byte === openBrace && typeof name === 'string') return this.#member(at, name, step + 1)
    const end = scan.value(at, 1, false)
    if (isEnd || isElement || scan.kind !== kinds.null)
      this.#reached.push({ start: at, end, isMissing: !isEnd })
    return end
  }

  #elements(open: number, step: number): number {
    const scan = this.#scan
    let at = scan.space(open + 1)
    while (scan.bytes[at] !== closeBracket) {
      at = scan.space(this.#walk(at, step, true))
      if (scan.bytes[at] === comma) at = scan.space(at + 1)
    }
    return at + 1
  }

  #member(open: number, wanted: string, step: number): number {
    const scan = this.#scan
    let isThere = false
    let at = scan.space(open + 1)
    while (scan.bytes[at] !== closeBrace) {
      const nameEnd = scan.string(at) - 1
      const isWanted = nameAt(scan.bytes, at + 1, nameEnd, scan.escaped) === wanted
      const value = scan.colon(nameEnd + 1)
      isThere ||= isWanted
      at = scan.space(isWanted ? this.#walk(value, step, false) : scan.value(value, 2, false))
      if (scan.bytes[at] === comma) at = scan.space(at + 1)
    }
    if (!isThere) this.#reached.push({ start: open, end: at + 1, isMissing: true })
    return at + 1
  }
}
