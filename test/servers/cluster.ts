/**
 * A PostgreSQL cluster in a temporary folder, its `postgres` a child of this process.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastLine, obstacle, run, serverUser, Unavailable } from './binaries.ts'
import type { Binaries } from './binaries.ts'
import { freePort, guard } from './engine.ts'
import type { Engine, Guard, Running } from './engine.ts'

// SIGQUIT: nobody wants the data any more. The lock file is watched as well, because a zombie that nobody reaps looks alive.
const clear = `
  if [ -n "$last" ]; then
    kill -QUIT "$last" && kill -CONT "$last"
    n=0; while [ $n -lt 200 ] && [ -e "$1/data/postmaster.pid" ] && kill -0 "$last"; do sleep 0.05; n=$((n + 1)); done
  fi
  rm -rf "$1" || { sleep 1; rm -rf "$1"; }`

export async function createCluster(binaries: Binaries, settings: Readonly<Record<string, string>>): Promise<Engine> {
  const folder = makeFolder()
  const keeper = guard(clear, [folder])
  try {
    const programs = copied(binaries, folder)
    const dataDirectory = join(folder, 'data')
    initialize(programs.initdb, dataDirectory)
    const port = await freePort()
    const args = ['-D', dataDirectory, ...flags({ port: String(port), unix_socket_directories: folder, ...settings })]
    const logFile = join(folder, 'log')
    return {
      port,
      dataDirectory,
      spawn: () => spawnServer(programs.postgres, args, logFile, keeper),
      log: () => readFileSync(logFile, 'utf8').split('\n').slice(-30).join('\n'),
      remove: () => keeper.close(),
    }
  } catch (error) {
    await keeper.close()
    throw error
  }
}

/** A folder that the server's user owns and can reach: $TMPDIR may lie in a home that is closed to others. */
function makeFolder(): string {
  const { uid, gid } = serverUser()
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const folder = realpathSync(mkdtempSync(join(parent, 'lading-postgres-')))
    if (uid === undefined || gid === undefined) return folder
    chownSync(folder, uid, gid)
    if (run('test', ['-w', folder], { uid, gid }).status === 0) return folder
    run('rmdir', [folder])
  }
  throw new Unavailable("no temporary folder that the server's user can reach")
}

function copied(binaries: Binaries, folder: string): Binaries {
  if (!binaries.copy) return binaries
  const target = join(folder, 'native')
  mkdirSync(target)
  run('cp', ['-R', `${binaries.copy}/.`, target])
  run('chmod', ['-R', 'a+rX', target])
  const programs = { initdb: join(target, 'bin/initdb'), postgres: join(target, 'bin/postgres') }
  const reason = obstacle(programs)
  if (reason) throw new Unavailable(reason)
  return programs
}

function initialize(initdb: string, dataDirectory: string): void {
  const args = ['-D', dataDirectory, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  const result = run(initdb, args, { env: environment(), ...serverUser() })
  if (result.status !== 0) throw new Unavailable(`initdb failed: ${result.error?.message ?? lastLine(result.stderr)}`)
}

function spawnServer(postgres: string, args: readonly string[], logFile: string, keeper: Guard): Running {
  const log = openSync(logFile, 'a')
  // Detached, so that Ctrl-C in the terminal reaches the test runner alone, which then stops the server in order.
  const child = spawn(postgres, args, { stdio: ['ignore', log, log], detached: true, cwd: '/', env: environment(), ...serverUser() })
  closeSync(log)
  const exited = once(child, 'exit').then(
    () => keeper.tell(''),
    () => undefined,
  )
  const pid = child.pid
  if (pid === undefined) throw new Error(`${postgres} could not be started`)
  keeper.tell(String(pid))
  child.unref()
  return { pid, exited, alive: () => child.exitCode === null && child.signalCode === null, signal: (signal) => void child.kill(signal) }
}

/** The machine's own locale and time zone would make one machine's tests differ from another's. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
}

function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
