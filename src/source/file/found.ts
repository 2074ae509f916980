/** The files of a run: a name of each, and how the name leads to the file. */

/**
 * A file to load, and the name by which the load is known: relative to the folder that was named, or to the
 * part of a pattern without wildcards, so that moving the folder changes nothing.
 */
export interface SourceFile {
  readonly path: string
  readonly name: string
}

/** Makes the path of a file of its name. The files of a folder have one in common. */
export type PathOf = (name: string) => string

/**
 * There may be a hundred thousand: their names lie in one run of bytes, and a path is made when it is asked
 * for. A list of objects with texts takes five times as much.
 */
export class FoundFiles implements Iterable<SourceFile> {
  readonly #names: Buffer
  /** Where each name ends among the bytes. */
  readonly #ends: Uint32Array
  readonly #ways: readonly PathOf[]
  /** The way of each file. */
  readonly #wayOf: Uint32Array

  constructor(files: readonly { readonly name: string; readonly pathOf: PathOf }[]) {
    const ways = new Map<PathOf, number>()
    this.#ends = new Uint32Array(files.length)
    this.#wayOf = new Uint32Array(files.length)
    let end = 0
    for (const [index, { name, pathOf }] of files.entries()) {
      this.#ends[index] = end += Buffer.byteLength(name)
      if (!ways.has(pathOf)) ways.set(pathOf, ways.size)
      this.#wayOf[index] = ways.get(pathOf) as number
    }
    this.#ways = [...ways.keys()]
    this.#names = Buffer.allocUnsafeSlow(end)
    for (const [index, { name }] of files.entries()) this.#names.write(name, this.#startOf(index))
  }

  get length(): number {
    return this.#ends.length
  }

  nameOf(index: number): string {
    return this.#names.toString('utf8', this.#startOf(index), this.#ends[index])
  }

  at(index: number): SourceFile {
    const name = this.nameOf(index)
    return { path: (this.#ways[this.#wayOf[index] as number] as PathOf)(name), name }
  }

  *[Symbol.iterator](): Generator<SourceFile> {
    for (let index = 0; index < this.length; index++) yield this.at(index)
  }

  #startOf(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number)
  }
}
