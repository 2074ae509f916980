/**
 * Servers in containers, for machines that have Docker and no binaries.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresEngine } from './cluster.ts'
import { freePort, guard } from './engine.ts'
import type { Engine, Running } from './engine.ts'
import { lastLine, run, Unavailable } from './machine.ts'
import type { RabbitConfiguration, RabbitEngine } from './rabbitmq-node.ts'
import { pluginsFile, runProgram, settingsFile } from './rabbitmq-node.ts'

interface Container {
  readonly product: string
  readonly image: string
  /** The port inside. */
  readonly port: number
  readonly environment: Readonly<Record<string, string>>
  /** Arguments of the image's own command. */
  readonly args: readonly string[]
  /** Texts by the path that they have inside. */
  readonly files: Readonly<Record<string, string>>
}

export async function postgresContainer(settings: Readonly<Record<string, string>>): Promise<PostgresEngine> {
  const initdb = '--encoding=UTF8 --locale=C --no-sync'
  const { engine } = await createContainer({
    product: 'postgres',
    image: 'postgres:18',
    port: 5432,
    environment: { POSTGRES_HOST_AUTH_METHOD: 'trust', POSTGRES_INITDB_ARGS: initdb, TZ: 'UTC' },
    args: Object.entries({ ...settings, listen_addresses: '*' }).flatMap(([key, value]) => [
      '-c',
      `${key}=${value}`,
    ]),
    files: {},
  })
  return { ...engine, dataDirectory: null }
}

export async function rabbitContainer({ settings, plugins }: RabbitConfiguration): Promise<RabbitEngine> {
  const node = `lading-${randomUUID()}@localhost`
  // The guest of the test comes through Docker's network, which is not the loopback of the container.
  const inside = { 'listeners.tcp.default': '5672', loopback_users: 'none', ...settings }
  const { name, engine } = await createContainer({
    product: 'rabbitmq',
    image: 'rabbitmq:4',
    port: 5672,
    environment: { RABBITMQ_NODENAME: node, TZ: 'UTC' },
    args: [],
    files: {
      '/etc/rabbitmq/conf.d/90-lading.conf': settingsFile(inside),
      '/etc/rabbitmq/enabled_plugins': pluginsFile(plugins),
    },
  })
  return {
    ...engine,
    node,
    dataDirectory: null,
    ctl: (args) => runProgram('docker', ['exec', name, 'rabbitmqctl', ...args]),
    evaluate: (expression) => runProgram('docker', ['exec', name, 'rabbitmqctl', 'eval', expression]),
  }
}

async function createContainer(container: Container): Promise<{ name: string; engine: Engine }> {
  const server = run('docker', ['version', '--format', '{{.Server.Version}}'])
  if (server.status !== 0) throw new Unavailable(server.error?.message ?? lastLine(server.stderr))
  const name = `lading-${container.product}-${randomUUID()}`
  const keeper = guard('docker rm --force --volumes "$1"', [name])
  try {
    const port = await freePort()
    const variables = Object.entries(container.environment).flatMap(([key, value]) => [
      '--env',
      `${key}=${value}`,
    ])
    const publish = ['--publish', `127.0.0.1:${port}:${container.port}`]
    docker(['create', '--name', name, ...publish, ...variables, container.image, ...container.args])
    for (const [path, text] of Object.entries(container.files)) copyText(text, `${name}:${path}`)
    const log = () => {
      const { stdout, stderr } = run('docker', ['logs', '--tail', '30', name])
      return `${stdout}${stderr}`
    }
    return { name, engine: { port, spawn: () => startContainer(name), log, remove: () => keeper.close() } }
  } catch (error) {
    await keeper.close()
    throw error
  }
}

function copyText(text: string, target: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'lading-docker-'))
  try {
    const file = join(folder, 'file')
    writeFileSync(file, text)
    docker(['cp', file, target])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function docker(args: readonly string[]): void {
  const result = run('docker', args, { timeout: 300_000 })
  if (result.status !== 0) throw new Unavailable(result.error?.message ?? lastLine(result.stderr))
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
