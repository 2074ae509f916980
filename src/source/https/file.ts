/** One file of a server of HTTP: by ranges where the server has them, as one stream where it has not. */
import type { IncomingMessage } from 'node:http'
import { LadingError } from '../../core/errors.ts'
import { mayPass } from '../../core/retry.ts'
import { arriving, collected } from '../collected.ts'
import {
  type Asked,
  type Facts,
  type Part,
  patientAttempts,
  patiently,
  type RemoteFile,
  sourceChanged,
} from '../remote-file.ts'
import { type Address, parseAddress, pathIn } from './address.ts'
import { lost, refusal } from './errors.ts'

/** Of a file that is read whole for a part of it. */
const mostWholeBytes = 8 * 1024 * 1024

export class HttpFile implements RemoteFile {
  readonly #address: Address

  constructor(text: string) {
    this.#address = parseAddress(text)
  }

  get url(): string {
    return this.#address.shown
  }

  get isPrivate(): boolean {
    return this.#address.isPrivate
  }

  pathBelow(root: string): string | undefined {
    return pathIn(root, this.#address)
  }

  /** By a range, because a signed URL may be good for nothing but GET. */
  async facts(): Promise<Facts> {
    const answer = await this.#range(0, 1)
    // The connection is kept where what follows is a byte.
    if (answer.statusCode === 200) answer.destroy()
    else answer.resume()
    return factsOf(answer)
  }

  async read(asked: Asked): Promise<Part> {
    const { at, bytes, state, signal } = asked
    const answer = await this.#range(at, bytes, signal)
    if (answer.statusCode === 200 && (at > 0 || (state !== undefined && isByRanges(state))))
      return await this.#cut(answer, asked)
    const facts = factsOf(answer)
    if (state !== undefined && facts.state !== state) {
      answer.destroy()
      throw sourceChanged(this.url)
    }
    if (!facts.hasRanges || answer.statusCode === 416) {
      answer.destroy()
      return { bytes: Buffer.alloc(0), facts }
    }
    if (startOf(answer) !== at) {
      answer.destroy()
      const detail = `${this.url}: the server answers with bytes from elsewhere in the file than it was asked for; a cache before it may be at fault`
      throw new LadingError('SOURCE_UNREADABLE', detail)
    }
    const wanted = Math.min(bytes, facts.size - at)
    return { bytes: await collected(answer, wanted, this.url), facts }
  }

  /** A server that has ranges may send the whole file all the same. */
  async #cut(answer: IncomingMessage, { at, bytes, state }: Asked): Promise<Part> {
    const size = Number(answer.headers['content-length'] ?? Number.POSITIVE_INFINITY)
    const facts = stated({ hasRanges: true, size, mark: markOf(answer) })
    if (size <= mostWholeBytes && (state ?? facts.state) === facts.state)
      return { bytes: (await collected(answer, size, this.url)).subarray(at, at + bytes), facts }
    answer.destroy()
    if (size <= mostWholeBytes) throw sourceChanged(this.url)
    const detail = `${this.url}: the server sends the whole file instead of the range that it was asked for`
    throw new LadingError('SOURCE_UNAVAILABLE', detail)
  }

  /** What broke off is asked for again, and what was read of it passed over. */
  async *stream(state: string): AsyncGenerator<Buffer> {
    const attempts = patientAttempts()
    let at = 0
    for (let isOver = false; !isOver;) {
      const answer = await patiently(() => this.#ask({}))
      try {
        if (factsOf(answer).state !== state) throw sourceChanged(this.url)
        let left = at
        for await (const piece of arriving(answer)) {
          const rest = piece.subarray(Math.min(left, piece.length))
          left -= piece.length - rest.length
          at += rest.length
          if (rest.length === 0) continue
          attempts.progressed()
          yield rest
        }
        isOver = true
      } catch (thrown) {
        const error = lost(thrown, this.url)
        if (!mayPass(error) || attempts.isLast) throw error
        await attempts.pauseAfter(error)
      } finally {
        answer.destroy()
      }
    }
  }

  /** The answer to a question for a range: that, the whole file, or that there are no such bytes. */
  async #range(at: number, bytes: number, signal?: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.#ask({ range: `bytes=${at}-${at + bytes - 1}` }, signal)
    if (answer.statusCode === 200 || totalIn(answer) !== undefined) return answer
    // Whoever does not say how long the file is has no ranges that could be relied on.
    answer.destroy()
    return await this.#ask({}, signal)
  }

  async #ask(headers: { readonly range?: string }, signal?: AbortSignal): Promise<IncomingMessage> {
    const { url, shown } = this.#address
    // Node's HTTP takes milliseconds to load, and a load of files needs none.
    const { ask } = await import('./ask.ts')
    const answer = await ask({ url, shown, headers, signal })
    const { statusCode = 0 } = answer
    if (statusCode === 200 || (headers.range !== undefined && (statusCode === 206 || statusCode === 416)))
      return answer
    answer.destroy()
    throw refusal(answer, shown)
  }
}

/**
 * What an answer says of the whole file. A range of an empty file is none (416). What tells the content is the entity tag
 * or the time of the last change.
 */
function factsOf(answer: IncomingMessage): Facts {
  const total = totalIn(answer)
  const size = Number(total ?? answer.headers['content-length'] ?? 0)
  return stated({ hasRanges: total !== undefined, size, mark: markOf(answer) })
}

const markOf = ({ headers }: IncomingMessage): string => headers.etag ?? headers['last-modified'] ?? ''

/** The size of the file, as an answer about a range states it. */
const totalIn = ({ statusCode, headers }: IncomingMessage): string | undefined =>
  statusCode === 200 ? undefined : /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1]

/** The first byte that an answer holds. */
const startOf = ({ headers }: IncomingMessage): number =>
  Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1])

interface Marked {
  readonly hasRanges: boolean
  readonly size: number
  readonly mark: string
}

const isByRanges = (state: string): boolean => /^\d+:ranges:/.test(state)

const stated = ({ hasRanges, size, mark }: Marked): Facts => ({
  hasRanges,
  size,
  state: `${size}:${hasRanges ? 'ranges' : 'stream'}:${mark}`,
})
