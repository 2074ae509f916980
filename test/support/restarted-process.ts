/** Processes that are killed while they work, and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve as resolvePath } from 'node:path'

/** Deterministic numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A process that is started again whenever it is killed. */
export class RestartedProcess {
  readonly #args: readonly string[]
  readonly #onLine: (line: string) => void
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess
  #stopped = false
  #atWork = false
  failure: string | undefined
  /** How long its latest start took until it came to its work, in milliseconds. */
  startMs = 0
  starts = 0
  /** Settles when it has ended by itself with exit code 0. */
  readonly ended: Promise<void>
  #finish: () => void = () => undefined

  /** `script`: in `processes/`, or with its whole path. `env`: variables besides those of this process. */
  constructor(
    script: string,
    args: readonly string[],
    onLine: (line: string) => void = () => undefined,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.#args = [resolvePath(import.meta.dirname, 'processes', script), ...args]
    this.#onLine = onLine
    this.#env = { ...process.env, ...env }
    this.ended = new Promise((resolve) => (this.#finish = resolve))
    this.#child = this.#start()
  }

  #start(): ChildProcess {
    this.#atWork = false
    this.starts++
    const since = performance.now()
    const child = spawn(process.execPath, this.#args, { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let errors = ''
    child.stdout.on('data', (data) => {
      const lines = (text + data).split('\n')
      text = lines.pop() ?? ''
      if (lines.length > 0 && !this.#atWork) this.startMs = performance.now() - since
      if (lines.length > 0) this.#atWork = true
      lines.forEach(this.#onLine)
    })
    child.stderr.on('data', (data) => (errors += data))
    // Not before its last line was read.
    child.once('close', (code, signal) => {
      if (code === 0 || (this.#stopped && signal === 'SIGKILL')) return this.#finish()
      if (signal !== 'SIGKILL') {
        this.failure = `${this.#args[0]} ended with ${signal ?? code}: ${errors}`
        return this.#finish()
      }
      this.#child = this.#start()
    })
    return child
  }

  /**
   * Kills it, unless it has not come to its work yet: killing processes that only start would show nothing.
   */
  kill(): boolean {
    return this.#atWork && this.#child.kill('SIGKILL')
  }

  /** Kills it as soon as it has come to its work; false where that is over before. */
  async killAtWork(isOver: () => Promise<boolean> = async () => false): Promise<boolean> {
    while (!this.kill()) {
      if (this.failure !== undefined) throw new Error(this.failure)
      if (await isOver()) return false
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return true
  }

  get isAtWork(): boolean {
    return this.#atWork
  }

  /** Signals it while it is at work; false where it is not. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): boolean {
    return this.#atWork && this.#child.kill(signal)
  }

  stop(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#stopped = true
    this.#child.kill(signal)
  }
}

/** What consumers said of their work, line by line. */
export class EventCounts {
  redelivered = 0
  duplicates = 0
  dead = 0
  waited = 0

  readonly line = (line: string): void => {
    const event = JSON.parse(line) as { type: string; redelivered?: number; duplicates?: number }
    if (event.type === 'dead') this.dead++
    if (event.type === 'waiting') this.waited++
    this.redelivered += event.redelivered ?? 0
    this.duplicates += event.duplicates ?? 0
  }
}
