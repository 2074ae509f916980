/**
 * Private PostgreSQL servers for tests: started here, removed here, and gone even when this process is killed.
 * Never touches a server that it did not start. Durability is PostgreSQL's default, fsync included.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { fromApt, fromFolder, fromMachine, fromNpm, Unavailable } from './binaries.ts'
import { createCluster } from './cluster.ts'
import { createContainer } from './docker.ts'
import type { Engine, Running } from './engine.ts'

/** `fast` ends sessions and writes a checkpoint; `immediate` is a crash that the next start must recover from. */
export type StopMode = 'fast' | 'immediate'

export interface PostgresOptions {
  /** Settings of postgresql.conf, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface PostgresServer extends AsyncDisposable {
  /** The superuser's url of the database `postgres`; the same after each start. */
  readonly url: string
  readonly port: number
  readonly version: string
  /** Empty for a container. */
  readonly dataDirectory: string
  /** Process id of the postmaster. Throws while the server is down. */
  pid(): number
  /** The last lines of the server's log. */
  log(): string
  /** Stops the server and keeps its data. Does nothing while it is down. */
  halt(mode: StopMode): Promise<void>
  /** SIGKILL to the postmaster, at once. */
  kill(): void
  /** Starts the server again after `halt` or `kill`; resolves when it accepts connections. */
  start(): Promise<void>
  restart(mode: StopMode): Promise<void>
  /** Stops the server and removes its data. */
  stop(): Promise<void>
}

interface Way {
  readonly name: string
  /** Throws `Unavailable` where this way is closed. */
  open(settings: Readonly<Record<string, string>>): Promise<Engine>
}

const defaults = { listen_addresses: '127.0.0.1', timezone: 'UTC', log_timezone: 'UTC' }
const startWithinMs = 60_000
const fastWithinMs = 20_000
// What a killed server leaves behind for a moment: its sessions hold the shared memory until they see that it is gone.
const lingering = /pre-existing shared memory block|lock file .* already exists|is another postmaster/i

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const closed: string[] = []
  for (const way of ways()) {
    try {
      const server = new Server(await way.open({ ...defaults, ...options.settings }))
      await server.start()
      return server
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      closed.push(`${way.name}: ${error.message}`)
    }
  }
  throw new Unavailable(['no PostgreSQL can be started here', ...closed].join('\n  - '))
}

function ways(): readonly Way[] {
  const folder = process.env['LADING_TEST_POSTGRES_BIN']
  if (folder) {
    return [{ name: `LADING_TEST_POSTGRES_BIN=${folder}`, open: async (settings) => await createCluster(fromFolder(folder), settings) }]
  }
  return [
    { name: 'npm package', open: async (settings) => await createCluster(await fromNpm(), settings) },
    { name: "the machine's own", open: async (settings) => await createCluster(fromMachine(), settings) },
    { name: 'apt-get install', open: async (settings) => await createCluster(fromApt(), settings) },
    { name: 'Docker', open: createContainer },
  ]
}

class Server implements PostgresServer {
  readonly url: string
  readonly port: number
  readonly dataDirectory: string
  version = ''
  readonly #engine: Engine
  #running: Running | null = null

  constructor(engine: Engine) {
    this.#engine = engine
    this.port = engine.port
    this.dataDirectory = engine.dataDirectory ?? ''
    this.url = `postgres://postgres@127.0.0.1:${engine.port}/postgres`
  }

  pid(): number {
    if (!this.#running?.alive()) throw new Error('the server is down')
    return this.#running.pid
  }

  log(): string {
    return this.#engine.log()
  }

  async start(): Promise<void> {
    const deadline = Date.now() + startWithinMs
    if (this.#running) await exit(this.#running)
    for (;;) {
      const running = (this.#running = this.#engine.spawn())
      const failure = await this.#accepting(running, deadline)
      if (!failure) return
      const log = this.log()
      if (!running.alive() && lingering.test(log) && Date.now() < deadline) {
        await sleep(100)
        continue
      }
      await this.stop()
      throw new Error(`PostgreSQL did not start: ${failure}\n${log}`)
    }
  }

  async halt(mode: StopMode): Promise<void> {
    const running = this.#running
    if (!running?.alive()) return
    running.signal(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    // A session that is stopped itself would hold a fast shutdown for ever.
    const impatient = setTimeout(() => running.signal('SIGQUIT'), fastWithinMs)
    await exit(running)
    clearTimeout(impatient)
  }

  kill(): void {
    if (this.#running?.alive()) this.#running.signal('SIGKILL')
  }

  async restart(mode: StopMode): Promise<void> {
    await this.halt(mode)
    await this.start()
  }

  async stop(): Promise<void> {
    await this.halt('fast')
    await this.#engine.remove()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Waits until this server, and no other on its port, accepts connections. Returns why it does not. */
  async #accepting(running: Running, deadline: number): Promise<string | null> {
    let failure = 'it accepts no connection'
    while (Date.now() < deadline) {
      await sleep(25)
      if (!running.alive()) return 'it exited'
      try {
        const { version, folder } = await identity(this.url)
        if (this.dataDirectory && folder !== this.dataDirectory) return `another server, of ${folder}, has port ${this.port}`
        this.version = version
        return null
      } catch (error) {
        failure = String(error)
      }
    }
    return failure
  }
}

/** Waits for the end, and keeps this process alive until then: the server alone does not. */
async function exit(running: Running): Promise<void> {
  const alive = setInterval(() => undefined, 1000)
  await running.exited
  clearInterval(alive)
}

async function identity(url: string): Promise<{ version: string; folder: string }> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const sql = "select current_setting('server_version') as version, current_setting('data_directory') as folder"
    const { rows } = await client.query<{ version: string; folder: string }>(sql)
    if (!rows[0]) throw new Error('no answer')
    return rows[0]
  } finally {
    await client.end().catch(() => undefined)
  }
}
