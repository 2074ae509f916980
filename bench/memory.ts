/**
 * Peak memory of processes, asked of Linux while they run: the high-water mark of each, a few times each
 * second.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** MiB of the largest process of each role; empty where the system has no /proc. */
export type Peaks = Readonly<Record<string, number>>

export interface Watched {
  readonly pid: number
  /** Of the program that the shell starts. */
  readonly role: string
  /** Of the processes that the program starts; its own role where they are not told apart. */
  readonly childRole: string
}

export class PeakMemory {
  readonly #roots: Watched[] = []
  readonly #done = new AbortController()
  readonly #sampling = this.#sample()
  readonly #peaks: Record<string, number> = {}

  /** `pid` is the shell that runs the program. */
  watch(root: Watched): void {
    this.#roots.push(root)
  }

  async stop(): Promise<Peaks> {
    this.#done.abort()
    await this.#sampling
    return this.#peaks
  }

  async #sample(): Promise<void> {
    while (!this.#done.signal.aborted) {
      await sleep(50, undefined, { signal: this.#done.signal }).catch(() => undefined)
      for (const { pid, role, childRole } of this.#roots) {
        for (const program of childrenOf(pid)) {
          this.#note(role, program)
          for (const child of withDescendants(program).slice(1)) this.#note(childRole, child)
        }
      }
    }
  }

  #note(role: string, pid: number): void {
    const kib = Number(/^VmHWM:\s+(\d+)/m.exec(readProc(`${pid}/status`))?.[1] ?? 0)
    if (kib > 0) this.#peaks[role] = Math.max(this.#peaks[role] ?? 0, kib / 1024)
  }
}

export function withDescendants(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)]
}

const childrenOf = (pid: number): number[] =>
  readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)

/**
 * CPU seconds of a server: of its processes, and of those that have ended and that it has waited for.
 * Undefined without /proc.
 */
export function serverCpuSeconds(server: number): number | undefined {
  const ticks = withDescendants(server).map((pid) => {
    // The name of the program may hold spaces and brackets; the numbers begin after it, with field 3.
    const fields = readProc(`${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
    const own = Number(fields[11]) + Number(fields[12])
    return pid === server ? own + Number(fields[13]) + Number(fields[14]) : own
  })
  const sum = ticks.filter(Number.isFinite).reduce((a, b) => a + b, 0)
  // Linux counts in hundredths of a second for every program, whatever its kernel's own clock.
  return sum === 0 ? undefined : sum / 100
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
