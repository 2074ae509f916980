/**
 * What it takes to run a server that is ours: an engine spawns it, a guard removes it when this process dies,
 * however it dies.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { Unavailable } from './machine.ts'
import type { User } from './machine.ts'

export type Signal = 'SIGINT' | 'SIGQUIT' | 'SIGTERM' | 'SIGKILL'

/** One life of a server, from start to exit. */
export interface Running {
  readonly pid: number
  readonly exited: Promise<void>
  alive(): boolean
  signal(signal: Signal): void
}

export interface Engine {
  readonly port: number
  spawn(): Running
  /** The last lines of the server's log. */
  log(): string
  /** Removes everything. The server has exited. */
  remove(): Promise<void>
}

export interface Way<Opened> {
  readonly name: string
  /** Throws `Unavailable` where this way is closed. */
  open(): Promise<Opened>
}

/** Opens the first way that is not closed. */
export async function openFirst<Opened>(product: string, ways: readonly Way<Opened>[]): Promise<Opened> {
  const closed: string[] = []
  for (const way of ways) {
    try {
      return await way.open()
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      closed.push(`${way.name}: ${error.message}`)
    }
  }
  throw new Unavailable([`no ${product} can be started here`, ...closed].join('\n  - '))
}

export interface Program {
  readonly path: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly user: User
  readonly logFile: string
}

/**
 * Spawns a server as our child. `tell` is called with its process id at once, and with null when it has
 * exited.
 */
export function spawnProgram(
  { path, args, env, user, logFile }: Program,
  tell: (pid: number | null) => void,
): Running {
  const log = openSync(logFile, 'a')
  // Detached, so that Ctrl-C in the terminal reaches the test runner alone, which then stops the server in
  // order.
  const child = spawn(path, args, { stdio: ['ignore', log, log], detached: true, cwd: '/', env, ...user })
  closeSync(log)
  const exited = once(child, 'exit').then(
    () => tell(null),
    () => undefined,
  )
  const pid = child.pid
  if (pid === undefined) throw new Error(`${path} could not be started`)
  tell(pid)
  child.unref()
  return {
    pid,
    exited,
    alive: () => child.exitCode === null && child.signalCode === null,
    signal: (signal) => void child.kill(signal),
  }
}

export function lastLines(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-30).join('\n')
}

export interface Guard {
  /** What the script finds in `$last` when this process is gone. */
  tell(line: string): void
  /** Runs the script now and waits for its end. */
  close(): Promise<void>
}

/**
 * Runs `script` when this process ends, even by kill -9: a shell in a session of its own waits for the end of
 * a pipe that only we hold. `$last` is the last line told, `$1` and on are `args`.
 */
export function guard(script: string, args: readonly string[]): Guard {
  const source = `trap '' HUP INT TERM; last=; while read -r line; do last=$line; done; ${script}`
  const shell = spawn('/bin/sh', ['-c', source, 'guard', ...args], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  const exited = once(shell, 'exit')
  shell.unref()
  ;(shell.stdin as Socket).unref()
  return {
    tell: (line) => void shell.stdin.write(`${line}\n`),
    close: async () => {
      shell.ref()
      shell.stdin.end()
      await exited
    },
  }
}

/**
 * When this process ends, kills the processes whose ids were told last and removes the folder. Nobody wants the data any
 * more. A zombie that nobody reaps looks alive, so nothing is waited for.
 */
export const guardFolder = (folder: string): Guard =>
  guard('if [ -n "$last" ]; then kill -KILL $last; fi; rm -rf "$1" || { sleep 1; rm -rf "$1"; }', [folder])

const given = new Set<number>()

/**
 * A free port below the range from which systems take the ports of outgoing connections: there, nobody takes
 * it while the server is down, and a client that tries again and again cannot connect to itself. No port is
 * given twice, because a server binds it only later.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
