/** What was made of the files of a run. */
import { Notes, type Ids } from '../core/ids.ts'
import type { LeftOut } from '../core/load.ts'
import type { ProducedLoad } from '../producer/produce.ts'

/** What is kept of each load: it was not met, was met and nothing of it was published, or something was. */
const unmet = 0
const before = 1
const published = 2

/** Of a hundred thousand files, no more is kept than a number of each, unless each is wanted. */
export class Produced {
  files = 0
  /** Two paths may lead to one load. */
  size = 0
  /** Each of the files, where that is wanted. */
  readonly each: ProducedLoad[] = []
  /** Files with lines that belong to no record. */
  readonly leftOut: { readonly source: string; readonly leftOut: LeftOut }[] = []
  readonly #ids: Ids
  readonly #keepsEach: boolean
  readonly #met = new Notes()
  #published = 0
  /** Records that a limit leaves to a later run. */
  withheld = 0

  /** `ids` number the loads of the run. */
  constructor(ids: Ids, keepsEach: boolean) {
    this.#ids = ids
    this.#keepsEach = keepsEach
  }

  /** Whether the load was not met before. */
  readonly meet = (loadId: string): boolean => {
    const load = this.#ids.add(loadId)
    if (this.#met.at(load) !== unmet) return false
    this.#met.set(load, before)
    this.size++
    return true
  }

  /** Of a load that was met. */
  add(load: ProducedLoad): void {
    const { source, leftOut, withheld = 0 } = load
    this.files++
    this.withheld += withheld
    if (load.published > 0) {
      this.#met.set(this.#ids.indexOf(load.loadId), published)
      this.#published++
    }
    if (leftOut !== undefined) this.leftOut.push({ source, leftOut })
    if (this.#keepsEach) this.each.push(load)
  }

  /** Loads with nothing to publish in this run. */
  get before(): number {
    return this.size - this.#published
  }

  isBefore(loadId: string): boolean {
    return this.#met.at(this.#ids.indexOf(loadId)) === before
  }

  /** The loads that were met, in the order of the files where each is kept. */
  *loads(): Generator<string> {
    if (this.#keepsEach) yield* new Set(this.each.map(({ loadId }) => loadId))
    else
      for (let load = 0; load < this.#ids.size; load++)
        if (this.#met.at(load) !== unmet) yield this.#ids.at(load)
  }

  /** The numbers of loads of which something was published. */
  *published(): Generator<number> {
    for (let load = 0; load < this.#ids.size; load++) if (this.#met.at(load) === published) yield load
  }
}
