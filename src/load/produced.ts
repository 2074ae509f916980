/** What was made of the files of a run. */
import { Ids } from '../core/ids.ts'
import type { LeftOut } from '../core/load.ts'
import type { ProducedLoad } from '../producer/produce.ts'

/** Of a hundred thousand files, no more is kept than a number of each, unless each is wanted. */
export class Produced {
  /** In the order of the files; two paths may lead to one load. */
  readonly loads = new Ids()
  files = 0
  /** Each of them, where that is wanted. */
  readonly each: ProducedLoad[] = []
  /** Files with lines that belong to no record. */
  readonly leftOut: { readonly source: string; readonly leftOut: LeftOut }[] = []
  readonly #keepsEach: boolean
  /** By the load's number: 1 where something was published in this run. */
  readonly #isPublished: number[] = []
  #published = 0

  constructor(keepsEach: boolean) {
    this.#keepsEach = keepsEach
  }

  add(load: ProducedLoad): void {
    const { source, leftOut } = load
    const index = this.loads.add(load.loadId)
    this.files++
    this.#isPublished[index] ??= 0
    if (load.published > 0) {
      this.#isPublished[index] = 1
      this.#published++
    }
    if (leftOut !== undefined) this.leftOut.push({ source, leftOut })
    if (this.#keepsEach) this.each.push(load)
  }

  /** Loads with nothing to publish in this run. */
  get before(): number {
    return this.loads.size - this.#published
  }

  isBefore(loadId: string): boolean {
    return this.#isPublished[this.loads.indexOf(loadId)] === 0
  }

  /** Loads of which something was published. */
  *published(): Generator<string> {
    for (const [index, isPublished] of this.#isPublished.entries())
      if (isPublished === 1) yield this.loads.at(index)
  }
}
