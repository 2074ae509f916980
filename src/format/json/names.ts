import { nameAt } from './scan.ts'

/**
 * Limits on the names remembered besides those of the fields, and on their bytes: external messages may use
 * any number of names, of any length.
 */
const mostOthers = 1000
const mostNameBytes = 256
const mostPositions = 256

/**
 * Numbers the names of members: those of the fields first, in their order. Most objects have the names of the
 * one before, in the same order.
 */
export class Names {
  readonly #ids = new Map<string, number>()
  readonly #bytes: Buffer[] = []
  readonly #most: number
  /** The number of the name that stood here in the last object. */
  readonly #last = new Int32Array(mostPositions).fill(-1)

  /** `fields` are all different. */
  constructor(fields: readonly string[]) {
    this.#most = fields.length + mostOthers
    for (const field of fields) this.#add(Buffer.from(field).toString('latin1'))
  }

  /**
   * The name that stands from `start` to before `end` as number `position` of its object; -1 for an
   * unknown name beyond those limits.
   */
  idOf(position: number, bytes: Buffer, start: number, end: number, escaped: boolean): number {
    const hint = position < mostPositions ? (this.#last[position] as number) : -1
    if (hint >= 0 && !escaped && equal(this.#bytes[hint] as Buffer, bytes, start, end)) return hint
    const name = nameAt(bytes, start, end, escaped)
    const id = this.#ids.get(name) ?? (name.length > mostNameBytes ? -1 : this.#add(name))
    if (position < mostPositions) this.#last[position] = id
    return id
  }

  #add(name: string): number {
    const id = this.#bytes.length
    if (id === this.#most) return -1
    this.#ids.set(name, id)
    this.#bytes.push(Buffer.from(name, 'latin1'))
    return id
  }

  /** More than any number that is given out. */
  get most(): number {
    return this.#most
  }
}

function equal(name: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let at = 0; at < name.length; at++) if (name[at] !== bytes[start + at]) return false
  return true
}
