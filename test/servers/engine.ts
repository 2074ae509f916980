/**
 * What it takes to run a server that is ours: an engine spawns it, a guard removes it when this process dies, however it dies.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'

export type Signal = 'SIGINT' | 'SIGQUIT' | 'SIGKILL'

/** One life of a server, from start to exit. */
export interface Running {
  readonly pid: number
  readonly exited: Promise<void>
  alive(): boolean
  signal(signal: Signal): void
}

export interface Engine {
  readonly port: number
  /** As the server states it; null where that is not known beforehand. */
  readonly dataDirectory: string | null
  spawn(): Running
  /** The last lines of the server's log. */
  log(): string
  /** Removes everything. The server has exited. */
  remove(): Promise<void>
}

export interface Guard {
  /** What the script finds in `$last` when this process is gone. */
  tell(line: string): void
  /** Runs the script now and waits for its end. */
  close(): Promise<void>
}

/**
 * Runs `script` when this process ends, even by kill -9: a shell in a session of its own waits for the end of a pipe that only we hold.
 * `$last` is the last line told, `$1` and on are `args`.
 */
export function guard(script: string, args: readonly string[]): Guard {
  const source = `trap '' HUP INT TERM; last=; while read -r line; do last=$line; done; ${script}`
  const shell = spawn('/bin/sh', ['-c', source, 'guard', ...args], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' })
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
 * A free port below the range from which systems take the ports of outgoing connections: there, nobody takes it while the server is down,
 * and a client that tries again and again cannot connect to itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
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
