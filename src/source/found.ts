/** The files of a run: a name of each, and how the name leads to the file. */
import type { LadingError } from '../core/errors.ts'

/**
 * A file to load, and the name by which the load is known: relative to the folder that was named, or to the
 * part of a pattern without wildcards, so that moving the folder changes nothing.
 */
export interface SourceFile {
  readonly path: string
  readonly name: string
  /** What a listing says of the file, for the store that listed it; a store that is asked of each file says nothing. */
  readonly seen?: string
}

/** Makes the path of a file of its name. The files of a folder have one in common. */
export type PathOf = (name: string) => string

/** Why a file, or a folder, that a folder or a pattern holds is left out. */
export type Reason = 'format' | 'packed' | 'hidden' | 'name' | 'unreadable'

export interface Found {
  readonly name: string
  readonly pathOf: PathOf
  readonly seen?: string
  readonly left?: Reason
  /** Of a folder that cannot be read. */
  readonly fault?: LadingError
}

/** Which files of a folder are meant, by their suffixes: those that are loaded, and those that a warning names. */
export interface Looked {
  readonly wanted: RegExp
  /** Of other formats. */
  readonly others: RegExp
  /** Of any format, and packed in a way that is not read. */
  readonly packed: RegExp
}

/** Why a warning names a file that is not loaded; undefined where none does. */
export function toldAs(name: string, { others, packed }: Looked): Reason | undefined {
  if (others.test(name)) return 'format'
  return packed.test(name) ? 'packed' : undefined
}

export const wildcard = /[*?[{]/

/** Parts of a path that begin with a dot hide what is below them, unless `meant` has them. */
export const hidden = (parts: readonly string[], meant: ReadonlySet<string> = dots): boolean =>
  parts.some((part) => part.startsWith('.') && !dots.has(part) && !meant.has(part))

const dots: ReadonlySet<string> = new Set(['.', '..'])

/**
 * There may be a hundred thousand: their names lie in one run of bytes, and a path is made when it is asked
 * for. A list of objects with texts takes five times as much.
 */
export class FoundFiles implements Iterable<SourceFile> {
  /** Of each file its name, and what was seen of it. */
  readonly #texts: Buffer
  /** Where the two texts of each file end among the bytes. */
  readonly #ends: Uint32Array
  readonly #ways: readonly PathOf[]
  /** The way of each file. */
  readonly #wayOf: Uint32Array

  constructor(files: readonly Omit<Found, 'left' | 'fault'>[]) {
    const ways = new Map<PathOf, number>()
    this.#ends = new Uint32Array(2 * files.length)
    this.#wayOf = new Uint32Array(files.length)
    let end = 0
    for (const [index, { name, pathOf, seen = '' }] of files.entries()) {
      this.#ends[2 * index] = end += Buffer.byteLength(name)
      this.#ends[2 * index + 1] = end += Buffer.byteLength(seen)
      if (!ways.has(pathOf)) ways.set(pathOf, ways.size)
      this.#wayOf[index] = ways.get(pathOf) as number
    }
    this.#ways = [...ways.keys()]
    this.#texts = Buffer.allocUnsafeSlow(end)
    for (const [index, { name, seen = '' }] of files.entries())
      this.#texts.write(name + seen, this.#startOf(2 * index))
  }

  get length(): number {
    return this.#wayOf.length
  }

  nameOf(index: number): string {
    return this.#text(2 * index)
  }

  at(index: number): SourceFile {
    const name = this.nameOf(index)
    const seen = this.#text(2 * index + 1)
    const path = (this.#ways[this.#wayOf[index] as number] as PathOf)(name)
    return seen === '' ? { path, name } : { path, name, seen }
  }

  *[Symbol.iterator](): Generator<SourceFile> {
    for (let index = 0; index < this.length; index++) yield this.at(index)
  }

  #text(index: number): string {
    return this.#texts.toString('utf8', this.#startOf(index), this.#ends[index])
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number)
  }
}
