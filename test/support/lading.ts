/** The command line as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As it is built (test/setup.ts): started from the sources it takes twice the CPU, and the suite starts it hundreds of times. */
export const bin = join(import.meta.dirname, '../../bin/lading.js')

/** What a run remembers of itself stays out of the checkout. */
const cwd = mkdtempSync(join(tmpdir(), 'lading-cwd-'))
process.once('exit', () => rmSync(cwd, { recursive: true, force: true }))

export interface Lading {
  readonly child: ChildProcess
  /** The exit code; null where a signal ended it without one. */
  readonly ended: Promise<number | null>
  output(): string
}

export function startLading(...args: readonly string[]): Lading {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  return { child, ended: once(child, 'close').then(([code]) => code as number | null), output: () => output }
}
