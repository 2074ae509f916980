/**
 * A private server and its lives, one after the other. What differs between products is how one asks whether
 * it is up, and how one stops it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine, Running, Signal } from './engine.ts'

const startWithinMs = 60_000
const stopWithinMs = 20_000

export abstract class PrivateServer implements AsyncDisposable {
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
  /** Stops the server and removes its data. */
  abstract stop(): Promise<void>

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
