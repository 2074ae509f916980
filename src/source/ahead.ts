/**
 * The beginnings of the sources that come next are read while one is worked on: where each of many small files waits
 * for a server, they wait together. What is made of them, and which error comes first, stays in their order.
 */
import type { ReadOptions, Source } from './source.ts'

/** Each costs a request, and at most the bytes that are read first. */
const mostAhead = 16

/** Sources in their order; one is made when it is asked for. */
interface Row<S> {
  readonly size: number
  at(index: number): S | Promise<S>
}

export interface AheadOptions extends ReadOptions {
  /** Whether the source at a place will be asked for; all are by default. */
  readonly isWanted?: (index: number) => boolean
}

/** Those that were begun and not asked for are given up when it is disposed of. */
export class Ahead<S extends Source> implements Disposable {
  readonly #row: Row<S>
  readonly #options: AheadOptions
  readonly #over = new AbortController()
  readonly #begun = new Map<number, Promise<S>>()
  #next = 0

  constructor(row: Row<S>, options: AheadOptions = {}) {
    this.#row = row
    this.#options = options
  }

  /** To be asked for in their order. Errors of reading are left to who reads the source. */
  async at(index: number): Promise<S> {
    const { isWanted = () => true } = this.#options
    this.#next = Math.max(this.#next, index)
    for (; this.#next < this.#row.size && this.#begun.size < mostAhead; this.#next++)
      if (isWanted(this.#next)) this.#begun.set(this.#next, handled(this.#begin(this.#next)))
    const begun = this.#begun.get(index)
    this.#begun.delete(index)
    return await (begun ?? this.#row.at(index))
  }

  async #begin(index: number): Promise<S> {
    const source = await this.#row.at(index)
    await source.ahead?.({ ...this.#options, signal: this.#over.signal })
    return source
  }

  [Symbol.dispose](): void {
    this.#over.abort()
  }
}

/** The sources of a list, each with the beginnings of those behind it on their way. */
export async function* readAhead<S extends Source>(
  sources: readonly S[],
  options?: ReadOptions,
): AsyncGenerator<S> {
  using ahead = new Ahead({ size: sources.length, at: (index) => sources[index] as S }, options)
  for (let index = 0; index < sources.length; index++) yield await ahead.at(index)
}

/** Its error is met when it is awaited, if it ever is. */
export function handled<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  return work
}
