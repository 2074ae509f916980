import { LadingError } from '../core/errors.ts'

/**
 * Something that is opened when it is needed, and again when it has become unusable; every caller gets
 * the same one.
 */
export class Reopening<T extends { readonly isUsable: boolean }> {
  readonly #open: () => Promise<T>
  #current: Promise<T> | undefined
  #isClosed = false

  constructor(open: () => Promise<T>) {
    this.#open = open
  }

  async get(): Promise<T> {
    for (;;) {
      if (this.#isClosed) throw new LadingError('INTERNAL', 'a queue was used after it was closed')
      const current = (this.#current ??= this.#open())
      const forget = () => {
        if (this.#current === current) this.#current = undefined
      }
      try {
        const value = await current
        if (value.isUsable) return value
      } catch (error) {
        forget()
        throw error
      }
      forget()
    }
  }

  /** Opens nothing any more; what is open is handed to `end`. */
  async close(end: (value: T) => Promise<void>): Promise<void> {
    this.#isClosed = true
    const value = await this.#current?.catch(() => undefined)
    if (value?.isUsable === true) await end(value)
  }
}
