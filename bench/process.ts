/** Runs commands and says what they cost: wall time, CPU of them and their children, and the peak memory of each kind of process. */
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

/** Runs the commands beside each other; throws with what they said when one fails. */
export async function measure(commands: readonly Command[], folder: string): Promise<Cost> {
  const memory = new PeakMemory()
  const start = performance.now()
  const stop = new AbortController()
  const ended = await Promise.allSettled(
    commands.map(async (command) => {
      try {
        return await runOne(command, folder, memory, stop.signal)
      } catch (error) {
        // The others may wait for the one that has failed, for ever.
        stop.abort()
        throw error
      }
    }),
  )
  const seconds = (performance.now() - start) / 1000
  const peaks = await memory.stop()
  const failure = ended.find(({ status }) => status === 'rejected')
  if (failure !== undefined) throw (failure as PromiseRejectedResult).reason
  const cpu = ended.map((each) => (each.status === 'fulfilled' ? each.value : 0))
  return { seconds, cpuSeconds: cpu.reduce((a, b) => a + b, 0), peaks }
}

/** What steps cost that were run one after the other. */
export function together(costs: readonly Cost[]): Cost {
  const peaks: Record<string, number> = {}
  for (const cost of costs) for (const [role, mib] of Object.entries(cost.peaks)) peaks[role] = Math.max(peaks[role] ?? 0, mib)
  const sum = (pick: (cost: Cost) => number) => costs.map(pick).reduce((a, b) => a + b, 0)
  return { seconds: sum(({ seconds }) => seconds), cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds), peaks }
}

/** `times` of a shell is the one portable way to learn what a child and all that it has waited for cost. */
const timed = '"$@"; status=$?; times >&3; exit $status'

async function runOne(
  { role, childRole = role, program, args, env }: Command,
  cwd: string,
  memory: PeakMemory,
  stop: AbortSignal,
): Promise<number> {
  const stdio = ['ignore', 'pipe', 'pipe', 'pipe'] as const
  const child = spawn('sh', ['-c', timed, 'sh', program, ...args], {
    cwd,
    stdio: [...stdio],
    env: { ...process.env, ...env, LC_ALL: 'C' },
    detached: true,
  })
  const { pid } = child
  if (pid !== undefined) {
    memory.watch({ pid, role, childRole })
    // The shell and all that it has started are one group.
    stop.addEventListener('abort', () => child.exitCode === null && process.kill(-pid, 'SIGKILL'))
  }
  const [out, error, times] = [child.stdout, child.stderr, child.stdio[3]].map((stream) => text(stream as Readable)) as [
    Promise<string>,
    Promise<string>,
    Promise<string>,
  ]
  const [status] = (await once(child, 'exit')) as [number | null]
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status ?? 'a signal'}\n${await out}${await error}`)
  return cpuOf(await times)
}

function cpuOf(times: string): number {
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
}
