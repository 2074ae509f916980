/**
 * Runs commands and says what they cost: wall time, CPU of them and their children, and the peak memory of
 * each kind of process.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { PeakMemory, type Peaks } from './memory.ts'

export interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peaks: Peaks
}

export interface Command {
  /** What the process is called where its memory is told, such as `consumer`. */
  readonly role: string
  /** The same of the processes that it starts. */
  readonly childRole?: string
  readonly program: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** Process groups that are at work, by their first process. */
const groups = new Set<number>()
let isInterrupted = false

/** From now on a signal ends what is being measured, so that servers and files go in the usual way. */
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isInterrupted = true
      endAll()
    })
  }
}

function endAll(): void {
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGKILL')
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

/**
 * Runs the commands beside each other; throws with what they said when one fails, and ends the others, which
 * may wait for it.
 */
export async function measure(commands: readonly Command[], folder: string): Promise<Cost> {
  if (isInterrupted) throw new Error('interrupted')
  const memory = new PeakMemory()
  const start = performance.now()
  const ended = await Promise.allSettled(commands.map((command) => runOne(command, folder, memory)))
  const seconds = (performance.now() - start) / 1000
  const peaks = await memory.stop()
  const failures = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason as Failure] : []))
  const failure = failures.find(({ wasEnded }) => !wasEnded) ?? failures[0]
  if (failure !== undefined) throw failure
  const cpu = ended.map((each) => (each.status === 'fulfilled' ? each.value : 0))
  return { seconds, cpuSeconds: cpu.reduce((a, b) => a + b, 0), peaks }
}

class Failure extends Error {
  /** By us, because another one failed or the bench was told to end. */
  readonly wasEnded: boolean

  constructor(message: string, wasEnded: boolean) {
    super(message)
    this.wasEnded = wasEnded
  }
}

/** What steps cost that were run one after the other. */
export function together(costs: readonly Cost[]): Cost {
  const peaks: Record<string, number> = {}
  for (const cost of costs)
    for (const [role, mib] of Object.entries(cost.peaks)) peaks[role] = Math.max(peaks[role] ?? 0, mib)
  const sum = (pick: (cost: Cost) => number) => costs.map(pick).reduce((a, b) => a + b, 0)
  return { seconds: sum(({ seconds }) => seconds), cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds), peaks }
}

/** `times` of a shell is the one portable way to learn what a child and all that it has waited for cost. */
const timed = '"$@"; status=$?; times >&3; exit $status'

async function runOne(
  { role, childRole = role, program, args, env }: Command,
  cwd: string,
  memory: PeakMemory,
): Promise<number> {
  const child = spawn('sh', ['-c', timed, 'sh', program, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env, LC_ALL: 'C' },
    // A group of its own: the shell and all that it starts.
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw new Failure(`no shell can be started for ${program}`, false)
  groups.add(pid)
  memory.watch({ pid, role, childRole })
  const [out, error, times] = [child.stdout, child.stderr, child.stdio[3]].map((stream) =>
    text(stream as Readable),
  ) as [Promise<string>, Promise<string>, Promise<string>]
  const [status] = (await once(child, 'exit')) as [number | null]
  groups.delete(pid)
  if (status !== 0) {
    endAll()
    throw new Failure(
      `${program} ${args.join(' ')} ended with ${status ?? 'a signal'}\n${await out}${await error}`,
      status === null,
    )
  }
  return cpuOf(await times)
}

function cpuOf(times: string): number {
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
}
