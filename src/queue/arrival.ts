/** Lets one wait, for a while, for what others bring. Whoever waits looks for it before and after. */
export class Arrival {
  #wake: () => void = () => undefined

  /** Until `come` is called, or `ms` milliseconds have gone by. */
  async wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => undefined
  }

  come(): void {
    this.#wake()
  }
}
