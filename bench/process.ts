/** Runs commands and says what they cost: wall time, CPU of them and their children, and the peak memory of the largest process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'

export interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Undefined where the system has no /proc. */
  readonly peakMiB: number | undefined
}

export type Command = readonly [program: string, ...args: string[]]

/** Runs the commands beside each other; throws with what they said when one fails. */
export async function measure(
  commands: readonly Command[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Cost> {
  const memory = new PeakMemory()
  const start = performance.now()
  const cpu = await Promise.all(commands.map((command) => runOne(command, options, memory)))
  const seconds = (performance.now() - start) / 1000
  return { seconds, cpuSeconds: cpu.reduce((a, b) => a + b), peakMiB: await memory.stop() }
}

/** `times` of a shell is the one portable way to learn what a child and all that it has waited for cost. */
const timed = '"$@"; status=$?; times >&3; exit $status'

async function runOne(command: Command, { cwd, env }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv }, memory: PeakMemory) {
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const
  const child = spawn('sh', ['-c', timed, 'sh', ...command], { cwd, stdio: [...stdio], env: { ...process.env, ...env, LC_ALL: 'C' } })
  if (child.pid !== undefined) memory.watch(child.pid)
  const [out, error, times] = [child.stdout, child.stderr, child.stdio[3]].map((stream) => text(stream as Readable)) as [
    Promise<string>,
    Promise<string>,
    Promise<string>,
  ]
  const [status] = (await once(child, 'exit')) as [number | null]
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status ?? 'a signal'}\n${await out}${await error}`)
  return cpuOf(await times)
}

function cpuOf(times: string): number {
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}

/** Asks Linux for the high-water mark of every process of the trees below the watched ones, a few times each second. */
class PeakMemory {
  readonly #roots: number[] = []
  readonly #done = new AbortController()
  readonly #sampling = this.#sample()
  #peakKiB = 0

  watch(pid: number): void {
    this.#roots.push(pid)
  }

  async stop(): Promise<number | undefined> {
    this.#done.abort()
    await this.#sampling
    return this.#peakKiB === 0 ? undefined : this.#peakKiB / 1024
  }

  async #sample(): Promise<void> {
    while (!this.#done.signal.aborted) {
      await sleep(100, undefined, { signal: this.#done.signal }).catch(() => undefined)
      for (const pid of this.#roots.flatMap(withDescendants)) this.#peakKiB = Math.max(this.#peakKiB, highWaterKiB(pid))
    }
  }
}

export function withDescendants(pid: number): number[] {
  const children = readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(withDescendants)]
}

const highWaterKiB = (pid: number): number => Number(/^VmHWM:\s+(\d+)/m.exec(readProc(`${pid}/status`))?.[1] ?? 0)

/** CPU seconds of a server: of its processes, and of those that have ended and that it has waited for. Undefined without /proc. */
export function serverCpuSeconds(postmaster: number): number | undefined {
  const ticks = withDescendants(postmaster).map((pid) => {
    // The name of the program may hold spaces and brackets; the numbers begin after it, with field 3.
    const fields = readProc(`${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
    const own = Number(fields[11]) + Number(fields[12])
    return pid === postmaster ? own + Number(fields[13]) + Number(fields[14]) : own
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

/** A program on PATH or in one of `folders`. */
export function findProgram(name: string, folders: readonly string[]): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  return [...path, ...folders].map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Where PostgreSQL's programs lie on Debian, the newest first. */
export function debianFolders(): string[] {
  try {
    const root = '/usr/lib/postgresql'
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(root, version, 'bin'))
  } catch {
    return []
  }
}
