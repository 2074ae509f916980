/** One file of a server of HTTP: by ranges where the server has them, as one stream where it has not. */
import type { IncomingMessage } from 'node:http'
import { LadingError } from '../../core/errors.ts'
import { mayPass } from '../../core/retry.ts'
import { collected } from '../collected.ts'
import {
  type Asked,
  type Facts,
  type Part,
  patientAttempts,
  patiently,
  type RemoteFile,
  sourceChanged,
} from '../remote.ts'
import { type Address, parseAddress, pathIn } from './address.ts'
import { lost, refusal } from './errors.ts'

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
    const answer = await this.#ask({ range: 'bytes=0-0' })
    // The connection is kept where what follows is a byte.
    if (answer.statusCode === 200) answer.destroy()
    else answer.resume()
    return factsOf(answer)
  }

  async read({ at, bytes, state, signal }: Asked): Promise<Part> {
    const answer = await this.#ask({ range: `bytes=${at}-${at + bytes - 1}` }, signal)
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

  /** What broke off is asked for again, and what was read of it passed over. */
  async *stream(state: string): AsyncGenerator<Buffer> {
    const attempts = patientAttempts()
    let at = 0
    for (let isOver = false; !isOver;) {
      const answer = await patiently(() => this.#ask({}))
      try {
        if (factsOf(answer).state !== state) throw sourceChanged(this.url)
        let left = at
        for await (const piece of answer as AsyncIterable<Buffer>) {
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

  async #ask(headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<IncomingMessage> {
    const { url, shown } = this.#address
    // Node's HTTP takes milliseconds to load, and a load of files needs none.
    const { ask } = await import('./ask.ts')
    const answer = await ask({ url, shown, headers, signal })
    const { statusCode = 0 } = answer
    if (statusCode === 200 || statusCode === 206 || statusCode === 416) return answer
    answer.destroy()
    throw refusal(statusCode, shown)
  }
}

/**
 * What an answer says of the whole file. A range of an empty file is none (416). What tells the content is the entity tag
 * or the time of the last change.
 */
function factsOf({ statusCode, headers }: IncomingMessage): Facts {
  const total = /\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1]
  const hasRanges = statusCode === 206 ? total !== undefined : statusCode === 416
  const size = Number(total ?? headers['content-length'] ?? 0)
  return stated({ hasRanges, size, mark: headers.etag ?? headers['last-modified'] ?? '' })
}

/** The first byte that an answer holds. */
const startOf = ({ headers }: IncomingMessage): number =>
  Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1])

interface Marked {
  readonly hasRanges: boolean
  readonly size: number
  readonly mark: string
}

const stated = ({ hasRanges, size, mark }: Marked): Facts => ({
  hasRanges,
  size,
  state: `${size}:${hasRanges ? 'ranges' : 'stream'}:${mark}`,
})
