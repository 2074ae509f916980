/** Which files of watched folders are there, and which of them have stood still long enough to be loaded. */
import { basename } from 'node:path'
import { LadingError } from '../core/errors.ts'
import { breath } from '../core/wait.ts'
import { otherSuffixes, suffixesOf } from '../format/registry.ts'
import { namedFiles, type SourceFile, sourceOf, wildcard } from '../source/registry.ts'

export interface Arrival {
  readonly path: string
  readonly name: string
  /** The file as it was when it had stood still; another stamp is another content. */
  readonly stamp: string
}

interface LookOptions {
  readonly format?: Parameters<typeof suffixesOf>[0] | undefined
  readonly settleMs: number
  /** Hears of files that are left out, at each look. */
  readonly onLeft?: ((message: string) => void) | undefined
}

interface Seen extends Arrival {
  /** When it was first seen so, in milliseconds of the monotonic clock: no clock of a file server is compared. */
  readonly since: number
  state: 'settling' | 'over' | 'failed'
}

/** Names that programs give to what they have not written to its end. */
const unfinished = /\.(part|partial|filepart|tmp|temp|crdownload|download)$|~$/i

export class Arrivals {
  readonly #paths: readonly string[]
  readonly #format: LookOptions['format']
  readonly #settleMs: number
  readonly #onLeft: LookOptions['onLeft']
  /** By path. What is not found any more is forgotten. */
  #seen = new Map<string, Seen>()

  constructor(paths: readonly string[], { format, settleMs, onLeft }: LookOptions) {
    this.#paths = paths
    this.#format = format
    this.#settleMs = settleMs
    this.#onLeft = onLeft
  }

  /** Looks at every file, without reading any; returns those that are to be loaded. */
  async look(): Promise<readonly Arrival[]> {
    const seen = new Map<string, Seen>()
    const breathe = breath()
    for (const { path, name } of await this.#files()) {
      await breathe()
      if (unfinished.test(basename(path))) continue
      const stamp = sourceOf({ path, name }).stamp?.()?.text
      const before = this.#seen.get(path)
      if (stamp === undefined) continue
      const isSame = before?.stamp === stamp && before.name === name
      seen.set(path, isSame ? before : { path, name, stamp, since: performance.now(), state: 'settling' })
    }
    this.#seen = seen
    const now = performance.now()
    return this.#in('settling').filter(({ since }) => now - since >= this.#settleMs)
  }

  /** A pattern that nothing matches yet is no fault here. */
  async #files() {
    const found: SourceFile[] = []
    for (const path of this.#paths) {
      try {
        const options = {
          others: otherSuffixes(this.#format),
          onLeft: this.#onLeft,
          isWatched: true,
        }
        for (const file of await namedFiles([path], suffixesOf(this.#format), options)) found.push(file)
      } catch (error) {
        const isNone = error instanceof LadingError && error.code === 'SOURCE_MISSING' && wildcard.test(path)
        if (!isNone) throw error
      }
    }
    return found
  }

  #in(state: Seen['state']): Seen[] {
    return [...this.#seen.values()].filter((each) => each.state === state)
  }

  /** Nothing is done with it any more, until it changes. */
  end({ path, stamp }: Arrival, state: 'over' | 'failed'): void {
    const seen = this.#seen.get(path)
    if (seen?.stamp === stamp) seen.state = state
  }

  /** It was seen while it changed: it has to stand still anew. */
  restart({ path }: Arrival): void {
    this.#seen.delete(path)
  }

  get counts(): { readonly settling: number; readonly failed: number } {
    return { settling: this.#in('settling').length, failed: this.#in('failed').length }
  }
}
