/**
 * PostgreSQL in a container, for machines that have Docker and no binaries.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { lastLine, run, Unavailable } from './binaries.ts'
import { freePort, guard } from './engine.ts'
import type { Engine, Running } from './engine.ts'

const image = 'postgres:18'

export async function createContainer(settings: Readonly<Record<string, string>>): Promise<Engine> {
  const engine = run('docker', ['version', '--format', '{{.Server.Version}}'])
  if (engine.status !== 0) throw new Unavailable(engine.error?.message ?? lastLine(engine.stderr))
  const name = `lading-postgres-${randomUUID()}`
  const keeper = guard('docker rm --force --volumes "$1"', [name])
  const port = await freePort()
  const initdb = '--encoding=UTF8 --locale=C --no-sync'
  const server = Object.entries({ ...settings, listen_addresses: '*' }).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const created = run(
    'docker',
    ['create', '--name', name, '--publish', `127.0.0.1:${port}:5432`, '--env', 'POSTGRES_HOST_AUTH_METHOD=trust']
      .concat(['--env', `POSTGRES_INITDB_ARGS=${initdb}`, '--env', 'TZ=UTC', image])
      .concat(server),
    { timeout: 300_000 },
  )
  if (created.status !== 0) {
    await keeper.close()
    throw new Unavailable(created.error?.message ?? lastLine(created.stderr))
  }
  return {
    port,
    dataDirectory: null,
    spawn: () => startContainer(name),
    log: () => run('docker', ['logs', '--tail', '30', name]).stderr,
    remove: () => keeper.close(),
  }
}

function startContainer(name: string): Running {
  const started = run('docker', ['start', name])
  if (started.status !== 0) throw new Error(`docker start failed: ${lastLine(started.stderr)}`)
  const waiting = spawn('docker', ['wait', name], { stdio: 'ignore' })
  const exited = once(waiting, 'exit').then(() => undefined)
  waiting.unref()
  return {
    pid: Number(run('docker', ['inspect', '--format', '{{.State.Pid}}', name]).stdout),
    exited,
    alive: () => waiting.exitCode === null,
    signal: (signal) => void run('docker', ['kill', '--signal', signal, name]),
  }
}
