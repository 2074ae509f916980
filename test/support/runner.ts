/**
 * Commands of `lading` in processes that run many of them, one after the other: to start a process costs as much CPU time
 * as dozens of short commands (test/support/processes/runner.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Duplex, Readable } from 'node:stream'
import { bin } from './lading.ts'

export interface Command {
  readonly args: readonly string[]
  readonly cwd: string
  /** The whole of it. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the run's output is followed by. */
  readonly end: string
}

export interface Answer {
  readonly code: number
  /** Modules of the user's that it loaded: this process will not load them again. */
  readonly modules: readonly string[]
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Those that wait for a command, by what their process was started with. */
const idle = new Map<string, Runner[]>()

/** What Node and SDKs read once. */
const isReadOnce = (name: string) => /^(AWS_|LANG$|LC_|TZ$)/.test(name)

export async function runCommand(command: Omit<Command, 'end'>): Promise<Ended> {
  const environment = Object.entries(command.env).filter(([name]) => isReadOnce(name))
  const key = JSON.stringify(environment.toSorted())
  const waiting = idle.get(key) ?? []
  idle.set(key, waiting)
  let runner = waiting.pop()
  if (runner?.isCurrent() === false) {
    runner.close()
    runner = undefined
  }
  runner ??= new Runner(Object.fromEntries(environment))
  const ended = await runner.run({ ...command, end: `\0${randomUUID()}` })
  if (runner.isGone) runner.close()
  else waiting.push(runner)
  return ended
}

const changedAt = (path: string) => statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs

class Runner {
  readonly #child: ChildProcess
  readonly #channel: Duplex
  readonly #answers: Interface
  /** The exit code of the process, where a command ends it. */
  readonly #closed: Promise<number | null>
  readonly #modules = new Map<string, bigint | undefined>()
  isGone = false
  readonly #kill = () => this.#child.kill('SIGKILL')

  constructor(environment: Command['env']) {
    this.#child = spawn(process.execPath, [join(import.meta.dirname, 'processes/runner.ts'), bin], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.#channel = this.#child.stdio[3] as Duplex
    this.#answers = createInterface(this.#channel)
    this.#closed = once(this.#child, 'close').then(([code]) => {
      this.isGone = true
      return code as number | null
    })
    process.once('exit', this.#kill)
  }

  /** The process of the tests waits for none that is idle. */
  #refer(how: 'ref' | 'unref'): void {
    const handles = [this.#child, ...this.#child.stdio] as readonly (Record<typeof how, () => void> | null)[]
    for (const each of handles) each?.[how]()
  }

  /** No module of the user's has been changed since it was loaded. */
  isCurrent(): boolean {
    return [...this.#modules].every(([path, at]) => [at, undefined].includes(changedAt(path)))
  }

  async run(command: Command): Promise<Ended> {
    const { stdout, stderr } = this.#child as { stdout: Readable; stderr: Readable }
    const answered = once(this.#answers, 'line').then(([line]) => {
      const { code, modules } = JSON.parse(line as string) as Answer
      for (const path of modules) this.#modules.set(path, changedAt(path))
      return code
    })
    this.#refer('ref')
    this.#channel.write(`${JSON.stringify(command)}\n`)
    const [out, err, code] = await Promise.all([
      this.#printed(stdout, command.end),
      this.#printed(stderr, command.end),
      Promise.race([answered, this.#closed]),
    ])
    this.#refer('unref')
    return { code, out, err }
  }

  /** What comes before `end`, or before the process is gone. */
  async #printed(stream: Readable, end: string): Promise<string> {
    const chunks: Buffer[] = []
    let tail = ''
    let take: (chunk: Buffer) => void = () => undefined
    const isComplete = new Promise<void>((resolve) => {
      take = (chunk) => {
        chunks.push(chunk)
        tail = (tail + chunk.toString('latin1')).slice(-end.length)
        if (tail === end) resolve()
      }
    })
    stream.on('data', take)
    await Promise.race([isComplete, this.#closed])
    stream.off('data', take)
    const text = Buffer.concat(chunks).toString('utf8')
    return text.endsWith(end) ? text.slice(0, -end.length) : text
  }

  close(): void {
    process.off('exit', this.#kill)
    this.#kill()
  }
}
