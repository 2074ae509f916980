/** The command line in this process: many runs that need no process each. */
import { vi } from 'vitest'
import { main } from '../../src/cli/main.ts'

export interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** One at a time: what it prints, and how it would exit. */
export async function runHere(args: readonly string[]): Promise<Printed> {
  const out: string[] = []
  const err: string[] = []
  const into = (chunks: string[]) => (chunk: unknown) => {
    chunks.push(String(chunk))
    return true
  }
  using stdout = vi.spyOn(process.stdout, 'write').mockImplementation(into(out))
  using stderr = vi.spyOn(process.stderr, 'write').mockImplementation(into(err))
  process.exitCode = 0
  // Each run listens for signals and for errors of its output.
  for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0)
  await main(['node', 'lading', ...args])
  const code = process.exitCode
  process.exitCode = 0
  stdout.mockRestore()
  stderr.mockRestore()
  return { code, out: out.join(''), err: err.join('') }
}
