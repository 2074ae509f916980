/** Several pipelines side by side, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { LadingError } from '../../core/errors.ts'
import { isJson, say } from '../terminal/log.ts'
import { underRun } from './under.ts'

/** Rejects are less than a receipt that does not add up, and that is less than any failure. */
const mild = [0, 3, 1]

const badness = (code: number): number => (mild.includes(code) ? mild.indexOf(code) : mild.length + code)

const worst = (codes: readonly number[]): number =>
  codes.reduce((one, other) => (badness(other) > badness(one) ? other : one), 0)

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a shell says of a process that a signal ended. */
const numbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/**
 * The worst exit code. One that fails leaves the others running; a signal goes to all. They lead process groups
 * of their own, so that a signal from the terminal reaches each once. The channel tells them when this process is gone.
 */
export async function runPipelines(
  names: readonly string[],
  globals: readonly string[],
  logging: readonly string[],
): Promise<number> {
  const width = Math.max(...names.map((name) => name.length))
  const children = names.map((name) => {
    const words = [process.argv[1] as string, ...globals, 'run', name, ...logging]
    const child = spawn(process.execPath, [...process.execArgv, ...words], {
      env: { ...process.env, ...underRun(name) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    })
    const prefix = `${name.padEnd(width)} | `
    passOn(child.stdout as Readable, process.stdout, prefix)
    passOn(child.stderr as Readable, process.stderr, isJson() ? '' : prefix)
    return { name, child }
  })
  for (const signal of signals) process.on(signal, () => children.forEach(({ child }) => child.kill(signal)))
  const codes = await Promise.all(children.map(({ name, child }) => ended(name, child)))
  return worst(codes)
}

/** Whole lines: those of several processes do not run into each other. */
function passOn(from: Readable, to: NodeJS.WriteStream, prefix: string): void {
  createInterface(from).on('line', (line) => void to.write(`${prefix}${line}\n`))
}

function ended(name: string, child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    // v8 ignore next -- the system starts no process any more
    child.once('error', (cause) =>
      reject(
        new LadingError('INTERNAL', `pipeline ${name} could not be started: ${cause.message}`, { cause }),
      ),
    )
    child.once('close', (exit, signal) => {
      const code = exit ?? 128 + (numbers[signal ?? ''] ?? 0)
      if (code !== 0)
        say('warn', 'pipeline', { run: name, code }, `pipeline ${name} ended with exit code ${code}`)
      resolve(code)
    })
  })
}
