/**
 * Which parts of the program have run, and about how often, as V8 counts them. To ask costs milliseconds, however little has run since:
 * that is why inputs are tried in batches, and one by one only where a batch has reached something new.
 */
import { type Profiler, Session } from 'node:inspector'

/** A bit of a byte of source text: it has run. The others tell how often it ran for one input. */
const hasRun = 1

export class Coverage implements Disposable {
  readonly #session = new Session()
  /** By function: bits of each character of its text. */
  readonly #seen = new Map<string, Uint8Array>()
  readonly #isLooked: (url: string) => boolean

  constructor(isLooked: (url: string) => boolean) {
    this.#isLooked = isLooked
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Functions that have run so far. */
  get functions(): number {
    return this.#seen.size
  }

  /** Forgets what has run since the last question. */
  clear(): void {
    this.#take()
  }

  /** Whether one of several inputs has run what none had run before; only `isNew` remembers it. */
  get isNewAmong(): boolean {
    return this.#ranges().some(({ seen, bits }) => bits.some((bit, at) => bit !== 0 && seen[at] === 0))
  }

  /** Whether one input has run what none had run before, or not as often. */
  isNew(): boolean {
    let isNew = false
    for (const { seen, bits } of this.#ranges())
      for (let at = 0; at < bits.length; at++) {
        const bit = bits[at] as number
        if (((seen[at] as number) & bit) === bit) continue
        isNew = true
        seen[at] = (seen[at] as number) | bit
      }
    return isNew
  }

  [Symbol.dispose](): void {
    this.#session.disconnect()
  }

  /** Of each function that has run: what is known of it, and what has run now. */
  #ranges(): { readonly seen: Uint8Array; readonly bits: Uint8Array }[] {
    return this.#take().flatMap(({ url, functions }) =>
      functions.flatMap(({ ranges }) => {
        const [whole] = ranges
        if (whole === undefined || whole.count === 0) return []
        const { startOffset, endOffset } = whole
        const key = `${url}:${startOffset}:${endOffset}`
        const seen = this.#seen.get(key) ?? new Uint8Array(endOffset - startOffset)
        this.#seen.set(key, seen)
        const bits = new Uint8Array(seen.length)
        // Ranges within others follow them, and only those that ran another number of times are listed.
        for (const range of ranges)
          bits.fill(bitsOf(range.count), range.startOffset - startOffset, range.endOffset - startOffset)
        return [{ seen, bits }]
      }),
    )
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = []
    // The answer comes before the call returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error !== null) throw error
      result = coverage.result.filter(({ url }) => this.#isLooked(url))
    })
    return result
  }
}

/** How often it ran, coarsely: once and a hundred times are different, 100 and 101 are not. */
const bitsOf = (count: number): number =>
  count === 0
    ? 0
    : hasRun | (count === 1 ? 2 : count < 4 ? 4 : count < 16 ? 8 : count < 64 ? 16 : count < 256 ? 32 : 64)
