/** The command line as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const entry = join(import.meta.dirname, '..', 'cli', 'entry.ts')

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
  const child = spawn(process.execPath, ['--no-warnings', entry, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  return { child, ended: once(child, 'close').then(([code]) => code as number | null), output: () => output }
}
