/**
 * Private NATS servers with JetStream for tests: started here, removed here, and gone even when this process is
 * killed. Never touches a server that it did not start.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll } from 'vitest'
import { type Engine, freePort, guard, lastLines, openFirst, spawnProgram, type Way } from './engine.ts'
import { makeFolder } from './machine.ts'
import { natsFromApt, natsFromFolder, natsFromMachine, natsUser } from './nats-programs.ts'
import { PrivateServer } from './server.ts'

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

export interface NatsServer extends AsyncDisposable {
  /** As nats://127.0.0.1:PORT/; the same after each start. */
  readonly url: string
  readonly port: number
  readonly version: string
  pid(): number
  log(): string
  /** A connection of the client itself, for what Lading does not do. */
  connect(): Promise<NatsConnection>
  /** Stops the server in order and keeps its data. */
  halt(): Promise<void>
  /** SIGKILL at once. */
  kill(): void
  /** Starts the server again after `halt` or `kill`; resolves when it accepts connections. */
  start(): Promise<void>
  /** Ends the server and removes its data. */
  stop(): Promise<void>
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

function ways(options: NatsOptions): readonly Way<Engine>[] {
  const way = (name: string, program: () => Promise<string> | string): Way<Engine> => ({
    name,
    open: async () => await createEngine(await program(), options),
  })
  const folder = process.env['LADING_TEST_NATS_BIN']
  return folder
    ? [way(`LADING_TEST_NATS_BIN=${folder}`, () => natsFromFolder(folder))]
    : [way("the machine's own", natsFromMachine), way('apt-get install', natsFromApt)]
}

async function createEngine(path: string, options: NatsOptions): Promise<Engine> {
  const user = natsUser()
  const folder = makeFolder('lading-nats-', user)
  const keeper = guard('if [ -n "$last" ]; then kill -KILL $last; fi; rm -rf "$1"', [folder])
  const port = await freePort()
  const { settings = '', jetstream = '', dataDirectory = join(folder, 'data') } = options
  const block = jetstream === false ? '' : `jetstream { store_dir: "${dataDirectory}"\n${jetstream}\n}`
  writeFileSync(join(folder, 'nats.conf'), `host: 127.0.0.1\nport: ${port}\n${block}\n${settings}\n`, {
    mode: 0o644,
  })
  const logFile = join(folder, 'log')
  const args = ['--config', join(folder, 'nats.conf')]
  const program = { path, args, env: { PATH: process.env['PATH'], TZ: 'UTC' }, user, logFile }
  return {
    port,
    spawn: () => spawnProgram(program, (pid) => keeper.tell(pid === null ? '' : String(pid))),
    log: () => lastLines(logFile),
    remove: () => keeper.close(),
  }
}

class Server extends PrivateServer implements NatsServer {
  readonly url: string
  protected readonly product = 'NATS'
  readonly #client: ConnectionOptions

  constructor(engine: Engine, client: ConnectionOptions = {}) {
    super(engine)
    this.url = `nats://127.0.0.1:${engine.port}/`
    this.#client = client
  }

  async connect(): Promise<NatsConnection> {
    const servers = [`127.0.0.1:${this.port}`]
    return await connect({ timeout: 5_000, reconnect: false, ...this.#client, servers })
  }

  async halt(): Promise<void> {
    await this.end('SIGTERM', 'SIGKILL')
  }

  override async stop(): Promise<void> {
    await this.end('SIGKILL', 'SIGKILL')
    await this.remove()
  }

  protected override async identify(): Promise<string> {
    const client = await this.connect()
    const version = client.info?.version ?? ''
    await client.close()
    return version
  }
}
