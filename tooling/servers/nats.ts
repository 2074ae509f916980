/**
 * Private NATS servers with JetStream for tests: started here, removed here, and gone even when this process is
 * killed. Never touches a server that it did not start.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll } from 'vitest'
import { type Engine, freePort, guardFolder, lastLines, openFirst, spawnProgram, type Way } from './engine.ts'
import { makeFolder } from './machine.ts'
import { natsFromApt, natsFromFolder, natsFromMachine, natsUser } from './nats-programs.ts'
import { PrivateServer, type TestServer } from './server.ts'

export interface NatsOptions {
  /** Lines of the configuration beside port and host: users, TLS, limits. */
  readonly settings?: string
  /** What stands in its block of JetStream besides the folder; `false` for a server without it. */
  readonly jetstream?: string | false
  /** Where JetStream keeps its data, if not in a folder of the server's own. */
  readonly dataDirectory?: string
  /** What a client needs to be let in. */
  readonly client?: ConnectionOptions
}

export interface NatsServer extends TestServer {
  /** As nats://127.0.0.1:PORT/. */
  readonly url: string
  /** A connection of the client itself, for what Lading does not do. */
  connect(): Promise<NatsConnection>
}

export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const server = new Server(await openFirst('NATS', ways(options)), options.client)
  await server.start()
  return server
}

/** A server of the test file's own; call at its top. */
export function useNats(options: NatsOptions = {}) {
  let started: NatsServer | undefined
  beforeAll(async () => {
    started = await startNats(options)
  })
  afterAll(() => started?.stop())
  const server = (): NatsServer => {
    if (started === undefined) throw new Error('the server has not been started')
    return started
  }
  /** The URL of a stream that is not made yet. */
  const freshUrl = (parameters: Readonly<Record<string, string>> = {}): string => {
    const url = new URL(server().url)
    url.search = new URLSearchParams({ stream: `lading-${randomUUID()}`, ...parameters }).toString()
    return url.href
  }
  return { server, freshUrl }
}

interface NatsEngine extends Engine {
  /** The server's name, which no other server has. */
  readonly serverName: string
}

function ways(options: NatsOptions): readonly Way<NatsEngine>[] {
  const way = (name: string, program: () => Promise<string> | string): Way<NatsEngine> => ({
    name,
    open: async () => await createEngine(await program(), options),
  })
  const folder = process.env['LADING_TEST_NATS_BIN']
  return folder
    ? [way(`LADING_TEST_NATS_BIN=${folder}`, () => natsFromFolder(folder))]
    : [way("the machine's own", natsFromMachine), way('apt-get install', natsFromApt)]
}

async function createEngine(path: string, options: NatsOptions): Promise<NatsEngine> {
  const user = natsUser()
  const folder = makeFolder('lading-nats-', user)
  const keeper = guardFolder(folder)
  const port = await freePort()
  const { settings = '', jetstream = '', dataDirectory = join(folder, 'data') } = options
  const block = jetstream === false ? '' : `jetstream { store_dir: "${dataDirectory}"\n${jetstream}\n}`
  const serverName = basename(folder)
  const own = `server_name: ${serverName}\nhost: 127.0.0.1\nport: ${port}`
  writeFileSync(join(folder, 'nats.conf'), `${own}\n${block}\n${settings}\n`, { mode: 0o644 })
  const logFile = join(folder, 'log')
  const args = ['--config', join(folder, 'nats.conf')]
  const program = { path, args, env: { PATH: process.env['PATH'], TZ: 'UTC' }, user, logFile }
  return {
    port,
    serverName,
    spawn: () => spawnProgram(program, (pid) => keeper.tell(pid === null ? '' : String(pid))),
    log: () => lastLines(logFile),
    remove: () => keeper.close(),
  }
}

class Server extends PrivateServer implements NatsServer {
  readonly url: string
  protected readonly product = 'NATS'
  readonly #client: ConnectionOptions
  readonly #serverName: string

  constructor(engine: NatsEngine, client: ConnectionOptions = {}) {
    super(engine)
    this.url = `nats://127.0.0.1:${engine.port}/`
    this.#client = client
    this.#serverName = engine.serverName
  }

  async connect(): Promise<NatsConnection> {
    const servers = [`127.0.0.1:${this.port}`]
    return await connect({ timeout: 5_000, reconnect: false, ...this.#client, servers })
  }

  protected override async identify(): Promise<string> {
    const client = await this.connect()
    const { version = '', server_name: name } = client.info ?? {}
    await client.close()
    if (name !== this.#serverName) throw new Error(`another server, ${name}, has port ${this.port}`)
    return version
  }
}
