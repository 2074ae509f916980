/** A publisher that is not ours: Python's pika, from Debian's package. */
import { existsSync } from 'node:fs'
import { installPackage, lastLine, requireApt, run, Unavailable } from './machine.ts'

/** Debian's own, because its packages are not those of another Python that may come first on PATH. */
const debian = '/usr/bin/python3'

/**
 * A Python that has pika; throws `Unavailable` with the reason where there is none and none can be installed.
 */
export function pythonWithPika(): string {
  const python = existsSync(debian) ? debian : 'python3'
  if (run(python, ['--version']).status !== 0) throw new Unavailable('no python3')
  if (hasPika(python)) return python
  requireApt()
  installPackage('python3-pika')
  if (!hasPika(debian)) throw new Unavailable('python3-pika is installed and cannot be imported')
  return debian
}

const hasPika = (python: string): boolean => run(python, ['-c', 'import pika']).status === 0

/** Runs a script that publishes, and waits for its end. */
export function publishWithPika(script: string, ...args: readonly string[]): void {
  const { status, stderr, error } = run(pythonWithPika(), ['-c', script, ...args])
  if (status !== 0) throw new Error(`pika: ${error?.message ?? lastLine(stderr)}`)
}
