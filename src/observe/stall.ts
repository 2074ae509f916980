/**
 * Tells work that goes on from work that hangs: there is something to do, and for so long nothing has been
 * committed, settled or published. Time without anything to do does not count, so that an idle consumer is
 * never taken for one that hangs.
 */
export class StallWatch {
  readonly #limitMs: number
  #busySince: number | undefined
  #progressAt: number

  constructor(limitMs: number, now: number) {
    this.#limitMs = limitMs
    this.#progressAt = now
  }

  get progressAt(): number {
    return this.#progressAt
  }

  progress(now: number): void {
    this.#progressAt = now
  }

  busy(isBusy: boolean, now: number): void {
    if (!isBusy) this.#busySince = undefined
    else this.#busySince ??= now
  }

  /** For how many milliseconds nothing has moved, once that is too long. */
  stalledMs(now: number): number | undefined {
    if (this.#busySince === undefined) return undefined
    const ms = now - Math.max(this.#busySince, this.#progressAt)
    return ms >= this.#limitMs ? ms : undefined
  }
}
