/** Server-sent events: a snapshot each second for all listeners, and no work without listeners. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Observer } from '../observe/observer.ts'
import type { Snapshot } from '../observe/snapshot.ts'
import { within } from '../core/wait.ts'
import { plain, type Reply } from './server.ts'

const everyMs = 1_000
const depthWithinMs = 500
const mostListeners = 16
/** How long listeners may take to receive the last snapshot, in milliseconds. */
const farewellMs = 300

export class SnapshotStream {
  readonly #observer: Observer
  readonly #refresh: (ms: number) => Promise<void>
  readonly #listeners = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined

  /** `refresh` updates the queue's depth, unless that takes longer than `ms`. */
  constructor(observer: Observer, refresh: (ms: number) => Promise<void>) {
    this.#observer = observer
    this.#refresh = refresh
  }

  async snapshot(): Promise<Snapshot> {
    await this.#refresh(depthWithinMs)
    return this.#observer.snapshot()
  }

  listen(request: IncomingMessage, response: ServerResponse): Reply | undefined {
    if (this.#listeners.size >= mostListeners) return plain(503, 'too many listeners')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (request.method === 'HEAD') return void response.end()
    this.#listeners.add(response)
    response.once('close', () => this.#leave(response))
    this.#timer ??= setInterval(() => void this.#send(this.#listeners), everyMs).unref()
    return void this.#send([response])
  }

  /** Sends the last snapshot to all listeners. */
  async end(): Promise<void> {
    if (this.#listeners.size === 0) return
    await this.#send(this.#listeners)
    const ended = [...this.#listeners].map(
      (response) => new Promise<void>((resolve) => response.end('event: bye\ndata:\n\n', resolve)),
    )
    await within(farewellMs, Promise.all(ended))
  }

  /** Skips a listener that reads too slowly, instead of buffering for it. */
  async #send(listeners: Iterable<ServerResponse>): Promise<void> {
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
