const windowMs = 10_000
/** What comes in shorter order is taken together. */
const gapMs = 250

/** How fast something grows, by a clock that tells milliseconds. */
export class Rate {
  readonly #startedAt: number
  #total = 0
  /**
   * Samples inside the window, preceded by the newest one outside it, so that a rate can be computed across
   * the edge. What came with the very first one was made before it.
   */
  #samples: { readonly at: number; total: number }[] = []
  #firstAt: number | undefined
  #lastAt = 0

  constructor(now: number) {
    this.#startedAt = now
  }

  add(n: number, now: number): void {
    if (n <= 0) return
    this.#total += n
    this.#firstAt ??= now
    this.#lastAt = now
    const last = this.#samples.at(-1)
    if (last !== undefined && this.#samples.length > 1 && now - last.at < gapMs) last.total = this.#total
    else this.#samples.push({ at: now, total: this.#total })
    this.#prune(now)
  }

  /** A second, during the last ten. */
  recent(now: number): number {
    this.#prune(now)
    const [first] = this.#samples
    if (first === undefined || now - first.at < gapMs) return 0
    return ((this.#total - first.total) / (now - first.at)) * 1000
  }

  /** A second, from the first to the last; a single one took its time from the start on. */
  get average(): number {
    if (this.#firstAt === undefined) return 0
    const since = this.#lastAt > this.#firstAt ? this.#firstAt : this.#startedAt
    return (this.#total * 1000) / Math.max(1, this.#lastAt - since)
  }

  #prune(now: number): void {
    while (this.#samples.length > 1 && now - (this.#samples[1] as { at: number }).at > windowMs)
      this.#samples.shift()
  }
}
