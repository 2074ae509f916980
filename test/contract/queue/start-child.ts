import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Job, Report } from './child.ts'

const script = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url),
)

export interface Child {
  readonly reports: readonly Report[]
  /** Messages that the child has surely published. */
  confirmed(): number
  drained(): string[]
  kill(): void
  /** Lets the child end by itself. */
  stop(): void
  /** Resolves with the exit code (null after a kill) when all reports are in. */
  readonly ended: Promise<number | null>
}

/** Starts child.ts in a process of its own, under `wrapper` where one is given. */
export function startChild(job: Job, wrapper: readonly string[] = []): Child {
  const [command, ...args] = [...wrapper, process.execPath, '--no-warnings', script, JSON.stringify(job)]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  // A child that has ended closes its side of the pipe, which is no error of ours.
  child.stdin.on('error', () => {})
  const reports: Report[] = []
  createInterface(child.stdout).on('line', (line) => reports.push(JSON.parse(line) as Report))
  return {
    reports,
    confirmed: () => reports.at(-1)?.confirmed ?? 0,
    drained: () => reports.flatMap(({ drained = [] }) => drained),
    kill: () => void child.kill('SIGKILL'),
    stop: () => void child.stdin.end(),
    ended: once(child, 'close').then(([code]) => code as number | null),
  }
}
