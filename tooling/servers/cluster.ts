/**
 * A PostgreSQL cluster in a temporary folder, its `postgres` a child of this process.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { obstacle, postgresUser } from './binaries.ts'
import type { Binaries } from './binaries.ts'
import { freePort, guard, lastLines, spawnProgram } from './engine.ts'
import type { Engine } from './engine.ts'
import { lastLine, makeFolder, run, Unavailable } from './machine.ts'

export interface PostgresEngine extends Engine {
  /** As the server states it; null where that is not known beforehand. */
  readonly dataDirectory: string | null
}

// SIGQUIT: nobody wants the data any more. The lock file is watched as well, because a zombie that nobody
// reaps looks alive.
const clear = `
  if [ -n "$last" ]; then
    kill -QUIT "$last" && kill -CONT "$last"
    n=0; while [ $n -lt 200 ] && [ -e "$1/data/postmaster.pid" ] && kill -0 "$last"; do sleep 0.05; n=$((n + 1)); done
  fi
  rm -rf "$1" || { sleep 1; rm -rf "$1"; }`

export async function createCluster(
  binaries: Binaries,
  settings: Readonly<Record<string, string>>,
): Promise<PostgresEngine> {
  const folder = makeFolder('lading-postgres-', postgresUser())
  const keeper = guard(clear, [folder])
  try {
    const programs = copied(binaries, folder)
    const dataDirectory = join(folder, 'data')
    initialize(programs.initdb, dataDirectory)
    const port = await freePort()
    const args = [
      '-D',
      dataDirectory,
      ...flags({ port: String(port), unix_socket_directories: folder, ...settings }),
    ]
    const logFile = join(folder, 'log')
    const program = { path: programs.postgres, args, env: environment(), user: postgresUser(), logFile }
    return {
      port,
      dataDirectory,
      spawn: () => spawnProgram(program, (pid) => keeper.tell(pid === null ? '' : String(pid))),
      log: () => lastLines(logFile),
      remove: () => keeper.close(),
    }
  } catch (error) {
    await keeper.close()
    throw error
  }
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
  const args = [
    '-D',
    dataDirectory,
    '-U',
    'postgres',
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]
  const result = run(initdb, args, { env: environment(), ...postgresUser() })
  if (result.status !== 0)
    throw new Unavailable(`initdb failed: ${result.error?.message ?? lastLine(result.stderr)}`)
}

/** The machine's own locale and time zone would make one machine's tests differ from another's. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
}

function flags(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
