/**
 * Sends spans to a collector by OTLP over HTTP, in JSON, which every collector takes where it takes HTTP.
 * The run never waits for it while it works; a collector that does not answer costs the spans and nothing
 * else.
 */
import { within } from '../core/wait.ts'
import type { Attribute, Span } from './traces.ts'

export interface OtlpOptions {
  readonly url: string
  /** May hold secrets. */
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly resource: Readonly<Record<string, string>>
  readonly version: string
  /** Told once, with why. */
  readonly onFailure: (message: string) => void
}

const everyMs = 2_000
const mostTogether = 512
/** What waits while the collector is away; the oldest are dropped. */
const mostWaiting = 4_096
/** A run that ends waits for the last ones no longer than this. */
const atEndMs = 3_000
/** After these, OTLP says, the same may be sent again. */
const passing: readonly number[] = [429, 502, 503, 504]

export class OtlpSender implements AsyncDisposable {
  readonly #options: OtlpOptions
  readonly #timer: NodeJS.Timeout
  #waiting: Span[] = []
  #sending: Promise<void> | undefined
  #hasFailed = false
  /** What is on its way then must not keep the process from ending. */
  readonly #ended = new AbortController()

  constructor(options: OtlpOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#flush(), everyMs).unref()
  }

  add(span: Span): void {
    this.#waiting.push(span)
    if (this.#waiting.length > mostWaiting) this.#waiting.shift()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await within(
      atEndMs,
      this.#flush().then(() => this.#flush()),
    )
    this.#ended.abort()
  }

  #flush(): Promise<void> {
    return (this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined)))
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#ended.signal.aborted) {
      const spans = this.#waiting.splice(0, mostTogether)
      if (await this.#send(spans)) continue
      this.#waiting = [...spans, ...this.#waiting].slice(-mostWaiting)
      return
    }
  }

  /** False where the same should be tried again later. */
  async #send(spans: readonly Span[]): Promise<boolean> {
    const { url, headers, timeoutMs } = this.#options
    const body = JSON.stringify(this.#request(spans))
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#ended.signal])
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        signal,
      })
      await response.arrayBuffer()
      if (!response.ok) this.#fail(`the collector answers ${response.status}`)
      return !passing.includes(response.status)
    } catch (error) {
      // Its own words may quote the address or a header, which may hold secrets; those of the network do not.
      const { name, cause } = error as Error
      const timedOut =
        name === 'TimeoutError'
          ? 'the collector does not answer in time'
          : 'its address or a header is not one'
      this.#fail(cause instanceof Error ? cause.message : timedOut)
      return false
    }
  }

  #fail(message: string): void {
    if (!this.#hasFailed) this.#options.onFailure(message)
    this.#hasFailed = true
  }

  #request(spans: readonly Span[]) {
    const { resource, version } = this.#options
    const attributes = Object.entries(resource).map(([key, stringValue]): Attribute => ({
      key,
      value: { stringValue },
    }))
    return {
      resourceSpans: [
        { resource: { attributes }, scopeSpans: [{ scope: { name: 'lading', version }, spans }] },
      ],
    }
  }
}
