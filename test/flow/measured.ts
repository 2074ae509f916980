/** Commands whose memory a test wants to know. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { bin } from '../support/lading.ts'

export interface Measured {
  /** The exit code. */
  readonly code: number | null
  readonly out: string
  readonly err: string
  /** MiB, of each process that the command was. */
  readonly peaks: readonly number[]
}

export function runMeasured(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Measured {
  const preloaded = `--import=${join(import.meta.dirname, '../support/peak-memory.mjs')}`
  const run = spawnSync(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, ...env, NODE_OPTIONS: preloaded },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const peaks = [...run.stderr.matchAll(/^peak (\d+)$/gm)].map(([, kib]) => Number(kib) / 1024)
  return { code: run.status, out: run.stdout, err: run.stderr, peaks }
}
