/** Server-sent events: a snapshot each second to all who look on, and no work at all while nobody does. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Observer } from '../observe/observer.ts'
import type { Snapshot } from '../observe/snapshot.ts'
import { within } from '../core/wait.ts'
import { plain, type Reply } from './server.ts'

const everyMs = 1_000
const depthWithinMs = 500
const mostListeners = 16
/** How long those who look on may take to hear how it ended. */
const farewellMs = 300

export class SnapshotStream {
  readonly #observer: Observer
  readonly #refresh: (ms: number) => Promise<void>
  readonly #listeners = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined

  /** `refresh` learns how deep the queue is, unless that takes longer than so many milliseconds. */
  constructor(observer: Observer, refresh: (ms: number) => Promise<void>) {
    this.#observer = observer
    this.#refresh = refresh
  }

  async snapshot(): Promise<Snapshot> {
    await this.#refresh(depthWithinMs)
    return this.#observer.snapshot()
  }

  listen(request: IncomingMessage, response: ServerResponse): Reply | undefined {
    if (this.#listeners.size >= mostListeners) return plain(503, 'too many look on already')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (request.method === 'HEAD') return void response.end()
    this.#listeners.add(response)
    response.once('close', () => this.#leave(response))
    void this.#tell([response])
    this.#timer ??= setInterval(() => void this.#tell(this.#listeners), everyMs).unref()
    return undefined
  }

  /** How it ended, for all who look on. */
  async end(): Promise<void> {
    if (this.#listeners.size === 0) return
    await this.#tell(this.#listeners)
    const heard = [...this.#listeners].map(
      (response) => new Promise<void>((resolve) => response.end('event: bye\ndata:\n\n', resolve)),
    )
    await within(farewellMs, Promise.all(heard))
  }

  /** Whoever does not read fast enough is left out this time, instead of being kept in memory. */
  async #tell(listeners: Iterable<ServerResponse>): Promise<void> {
    const text = `data: ${JSON.stringify(await this.snapshot())}\n\n`
    for (const response of listeners) if (!response.writableNeedDrain) response.write(text)
  }

  #leave(response: ServerResponse): void {
    this.#listeners.delete(response)
    if (this.#listeners.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
