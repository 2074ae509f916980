/**
 * Private Redis servers for tests: started here, removed here, and gone even when this process is killed. Never
 * touches a server that it did not start. What Redis has confirmed is on its disk, unless the settings say
 * otherwise.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { type Engine, freePort, guardFolder, lastLines, openFirst, spawnProgram } from './engine.ts'
import { lastLine, makeFolder, pathFolders, run, serverUser, Unavailable } from './machine.ts'
import { installPrograms } from './packages.ts'
import { PrivateServer, type TestServer } from './server.ts'

export interface RedisOptions {
  /** Lines of redis.conf, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface RedisServer extends TestServer {
  /** The administrator's url, as redis://127.0.0.1:PORT, with his password where there is one. */
  readonly url: string
  readonly dataDirectory: string
  /** Sends one command, as the administrator. */
  command(...args: readonly string[]): Promise<unknown>
}

const defaults = { appendonly: 'yes', appendfsync: 'always', save: '' }

/** The path of redis-server, which is installed where it is missing. Throws `Unavailable`. */
export const redisProgram = (): Promise<string> =>
  openFirst('Redis', [
    { name: "the machine's own", open: async () => fromMachine() },
    {
      name: 'apt-get install',
      open: async () => {
        await installPrograms('redis-server')
        return fromMachine()
      },
    },
  ])

export async function startRedis({ settings = {} }: RedisOptions = {}): Promise<RedisServer> {
  const all = { ...defaults, ...settings }
  const server = new Server(await createEngine(await redisProgram(), all), settings['requirepass'])
  await server.start()
  return server
}

function fromMachine(): string {
  const folder = pathFolders().find((path) => existsSync(join(path, 'redis-server')))
  if (folder === undefined) throw new Unavailable('no redis-server on PATH')
  const program = join(folder, 'redis-server')
  const { error, status, stderr } = run(program, ['--version'], serverUser('redis'))
  if (error !== undefined || status !== 0) throw new Unavailable(error?.message ?? lastLine(stderr))
  return program
}

interface RedisEngine extends Engine {
  readonly dataDirectory: string
}

async function createEngine(
  program: string,
  settings: Readonly<Record<string, string>>,
): Promise<RedisEngine> {
  const user = serverUser('redis')
  const folder = makeFolder('lading-redis-', user)
  const keeper = guardFolder(folder)
  const port = await freePort()
  const logFile = join(folder, 'log')
  const all = { port: String(port), bind: '127.0.0.1', dir: folder, daemonize: 'no', ...settings }
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  return {
    port,
    dataDirectory: folder,
    spawn: () =>
      spawnProgram({ path: program, args, env, user, logFile }, (pid) => keeper.tell(String(pid ?? ''))),
    log: () => lastLines(logFile),
    remove: () => keeper.close(),
  }
}

class Server extends PrivateServer implements RedisServer {
  readonly url: string
  readonly dataDirectory: string
  protected readonly product = 'Redis'

  constructor(engine: RedisEngine, password: string | undefined) {
    super(engine)
    this.dataDirectory = engine.dataDirectory
    this.url = `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${engine.port}`
  }

  async command(...args: readonly string[]): Promise<unknown> {
    const client = createClient({ url: this.url, RESP: 2, socket: { reconnectStrategy: false } })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.sendCommand(args)
    } finally {
      client.destroy()
    }
  }

  protected override async identify(): Promise<string> {
    const info = String(await this.command('INFO', 'server'))
    const of = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
    if (Number(of('process_id')) !== this.pid()) throw new Error(`another server has port ${this.port}`)
    // One that loads its data answers before it can be used.
    await this.command('EXISTS', 'lading')
    return of('redis_version')
  }
}
