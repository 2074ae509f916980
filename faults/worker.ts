/** A process of Lading in a round, started again whenever it is killed. */
import { join } from 'node:path'
import { RestartedProcess } from '../test/support/restarted-process.ts'
import type { Said } from './processes/assignment.ts'

/** A `loader` both sends and consumes. */
export type Role = 'consumer' | 'producer' | 'replayer' | 'loader'

const scripts = { consumer: 'consume.ts', producer: 'send.ts', replayer: 'replay.ts', loader: 'load.ts' }
const work: ReadonlySet<Said['type']> = new Set(['batch', 'window', 'working'])

export class Worker {
  readonly role: Role
  readonly #process: RestartedProcess
  /** When it last did what it is there for. */
  lastWork = 0
  isOver = false
  #waitsFor: string | undefined
  #held = 0
  /** The start of the process that has said so. */
  #saidIn = 0

  constructor(role: Role, args: readonly string[], env: NodeJS.ProcessEnv, onSaid: (said: Said) => void) {
    this.role = role
    const onLine = (line: string) => {
      const said = JSON.parse(line) as Said
      if (!this.#isHeard) [this.#saidIn, this.#held, this.#waitsFor] = [this.#process.starts, 0, undefined]
      if (work.has(said.type)) this.lastWork = performance.now()
      if (said.type === 'waiting') this.#waitsFor = `${said.code}: ${said.message}`
      else if (said.type === 'resumed' || work.has(said.type)) this.#waitsFor = undefined
      if (said.type === 'held') this.#held = said.messages
      onSaid(said)
    }
    // Node compiles each file once.
    const cache = { NODE_COMPILE_CACHE: join(import.meta.dirname, '../node_modules/.cache/node') }
    this.#process = new RestartedProcess(
      join(import.meta.dirname, 'processes', scripts[role]),
      args,
      onLine,
      { ...cache, ...env },
    )
    void this.#process.ended.then(() => (this.isOver = true))
  }

  get isAtWork(): boolean {
    return this.#process.isAtWork && !this.isOver
  }

  /** Messages in its hands. */
  get held(): number {
    return this.#isHeard ? this.#held : 0
  }

  /** In its own words. */
  get waitsFor(): string | undefined {
    return this.#isHeard ? this.#waitsFor : undefined
  }

  /** A process that was started again has said nothing yet. */
  get #isHeard(): boolean {
    return this.#saidIn === this.#process.starts
  }

  get failure(): string | undefined {
    return this.#process.failure
  }

  get ended(): Promise<void> {
    return this.#process.ended
  }

  kill(): boolean {
    return this.#process.kill()
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): boolean {
    return this.#process.signal(signal)
  }

  stop(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#process.stop(signal)
  }
}
