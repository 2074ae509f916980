const noWaiter = () => undefined

/** A wake-up call for one waiter, which checks before and after whether something has come. */
export class Arrival {
  #wake: () => void = noWaiter

  /** Until `come` is called, or `ms` milliseconds have gone by. */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = noWaiter
  }

  /** Wakes the waiter once, however many come before it runs. */
  come(): void {
    const wake = this.#wake
    this.#wake = noWaiter
    wake()
  }
}
