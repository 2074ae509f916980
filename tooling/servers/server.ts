/**
 * A private server and its lives, one after the other. What differs between products is how one asks whether
 * it is up, and how one stops it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine, Running, Signal } from './engine.ts'

/** RabbitMQ took more than a minute on two busy cores. */
const startWithinMs = 180_000
const stopWithinMs = 20_000

/** What a test does with a private server. */
export interface TestServer extends AsyncDisposable {
  /** The same after each start. */
  readonly port: number
  readonly version: string
  /** Throws while the server is down. */
  pid(): number
  /** The last lines of the server's log. */
  log(): string
  /** Stops the server in order and keeps its data. Does nothing while it is down. */
  halt(): Promise<void>
  /** SIGKILL, at once. */
  kill(): void
  /** Starts the server again after `halt` or `kill`; resolves when it accepts connections. */
  start(): Promise<void>
  restart(): Promise<void>
  /** Ends the server and removes its data. */
  stop(): Promise<void>
}

export abstract class PrivateServer implements TestServer {
  readonly port: number
  version = ''
  readonly #engine: Engine
  #running: Running | null = null

  constructor(engine: Engine) {
    this.#engine = engine
    this.port = engine.port
  }

  protected abstract readonly product: string
  /** Connects, and returns the version. Throws while there is no answer, or an answer from another server. */
  protected abstract identify(): Promise<string>

  pid(): number {
    if (!this.#running?.alive()) throw new Error('the server is down')
    return this.#running.pid
  }

  log(): string {
    return this.#engine.log()
  }

  kill(): void {
    if (this.#running?.alive()) this.#running.signal('SIGKILL')
  }

  async start(): Promise<void> {
    const deadline = Date.now() + startWithinMs
    if (this.#running) await exit(this.#running)
    for (;;) {
      const running = (this.#running = this.#engine.spawn())
      const failure = await this.#accepting(running, deadline)
      if (!failure) return
      const log = this.log()
      if (!running.alive() && this.passes(log) && Date.now() < deadline) {
        await sleep(100)
        continue
      }
      await this.stop()
      throw new Error(`${this.product} did not start: ${failure}\n${log}`)
    }
  }

  async halt(): Promise<void> {
    await this.end('SIGTERM', 'SIGKILL')
  }

  async restart(): Promise<void> {
    await this.halt()
    await this.start()
  }

  /** Nobody wants the data any more, so there is nothing to wait for. */
  async stop(): Promise<void> {
    await this.end('SIGKILL', 'SIGKILL')
    await this.remove()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Whether the log of a start that failed speaks of something that passes by itself. */
  protected passes(_log: string): boolean {
    return false
  }

  /** Signals the server and waits for its end; a server that takes too long gets the second signal. */
  protected async end(signal: Signal, impatient: Signal): Promise<void> {
    const running = this.#running
    if (!running?.alive()) return
    running.signal(signal)
    const timer = setTimeout(() => running.signal(impatient), stopWithinMs)
    await exit(running)
    clearTimeout(timer)
  }

  protected async remove(): Promise<void> {
    await this.#engine.remove()
  }

  /** Waits until this server, and no other on its port, accepts connections. Returns why it does not. */
  async #accepting(running: Running, deadline: number): Promise<string | null> {
    let failure = 'it accepts no connection'
    while (Date.now() < deadline) {
      await sleep(25)
      if (!running.alive()) return 'it exited'
      try {
        this.version = await this.identify()
        return null
      } catch (error) {
        failure = String(error)
      }
    }
    return failure
  }
}

/** Waits for the end, and keeps this process alive until then: the server alone does not. */
async function exit(running: Running): Promise<void> {
  const alive = setInterval(() => undefined, 1000)
  await running.exited
  clearInterval(alive)
}
