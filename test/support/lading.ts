/** The command line as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const entry = join(import.meta.dirname, '..', 'cli', 'entry.ts')

export interface Lading {
  readonly child: ChildProcess
  /** The exit code; null where a signal ended it without one. */
  readonly ended: Promise<number | null>
  output(): string
}

export function startLading(...args: readonly string[]): Lading {
  const child = spawn(process.execPath, ['--no-warnings', entry, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  return { child, ended: once(child, 'close').then(([code]) => code as number | null), output: () => output }
}
