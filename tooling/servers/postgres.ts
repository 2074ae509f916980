/**
 * Private PostgreSQL servers for tests: started here, removed here, and gone even when this process is
 * killed. Never touches a server that it did not start. Durability is PostgreSQL's default, fsync included.
 */
import { Client } from 'pg'
import { fromApt, fromFolder, fromMachine, fromNpm } from './binaries.ts'
import { createCluster } from './cluster.ts'
import type { PostgresEngine } from './cluster.ts'
import { postgresContainer } from './docker.ts'
import { openFirst } from './engine.ts'
import type { Way } from './engine.ts'
import { PrivateServer, type TestServer } from './server.ts'

/**
 * `fast` ends sessions and writes a checkpoint; `immediate` is a crash that the next start must recover from.
 */
export type StopMode = 'fast' | 'immediate'

export interface PostgresOptions {
  /** Settings of postgresql.conf, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>
  /**
   * The npm package has no extensions; what the system brings has those of contrib, and may be an older
   * version.
   */
  readonly extensions?: boolean
}

export interface PostgresServer extends TestServer {
  /** The superuser's url of the database `postgres`. */
  readonly url: string
  /** Empty for a container. */
  readonly dataDirectory: string
  halt(mode?: StopMode): Promise<void>
  restart(mode?: StopMode): Promise<void>
}

const defaults = { listen_addresses: '127.0.0.1', timezone: 'UTC', log_timezone: 'UTC' }
// What a killed server leaves behind for a moment: its sessions hold the shared memory until they see that it
// is gone.
const lingering = /pre-existing shared memory block|lock file .* already exists|is another postmaster/i

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const settings = { ...defaults, ...options.settings }
  const server = new Server(
    await openFirst('PostgreSQL', options.extensions === true ? systemWays(settings) : ways(settings)),
  )
  await server.start()
  return server
}

function ways(settings: Readonly<Record<string, string>>): readonly Way<PostgresEngine>[] {
  const folder = process.env['LADING_TEST_POSTGRES_BIN']
  if (folder) {
    return [
      {
        name: `LADING_TEST_POSTGRES_BIN=${folder}`,
        open: async () => await createCluster(fromFolder(folder), settings),
      },
    ]
  }
  return [
    { name: 'npm package', open: async () => await createCluster(await fromNpm(), settings) },
    ...systemWays(settings),
  ]
}

const systemWays = (settings: Readonly<Record<string, string>>): readonly Way<PostgresEngine>[] => [
  { name: "the machine's own", open: async () => await createCluster(fromMachine(), settings) },
  { name: 'apt-get install', open: async () => await createCluster(fromApt(), settings) },
  { name: 'Docker', open: () => postgresContainer(settings) },
]

class Server extends PrivateServer implements PostgresServer {
  readonly url: string
  readonly dataDirectory: string
  protected readonly product = 'PostgreSQL'

  constructor(engine: PostgresEngine) {
    super(engine)
    this.dataDirectory = engine.dataDirectory ?? ''
    this.url = `postgres://postgres@127.0.0.1:${engine.port}/postgres`
  }

  override async halt(mode: StopMode = 'fast'): Promise<void> {
    // A session that is stopped itself would hold a fast shutdown for ever.
    await this.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT', 'SIGQUIT')
  }

  override async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.halt(mode)
    await this.start()
  }

  override async stop(): Promise<void> {
    await this.halt()
    await this.remove()
  }

  protected override async identify(): Promise<string> {
    const { version, folder } = await identity(this.url)
    if (this.dataDirectory && folder !== this.dataDirectory)
      throw new Error(`another server, of ${folder}, has port ${this.port}`)
    return version
  }

  protected override passes(log: string): boolean {
    return lingering.test(log)
  }
}

async function identity(url: string): Promise<{ version: string; folder: string }> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const sql =
      "select current_setting('server_version') as version, current_setting('data_directory') as folder"
    const { rows } = await client.query<{ version: string; folder: string }>(sql)
    if (!rows[0]) throw new Error('no answer')
    return rows[0]
  } finally {
    await client.end().catch(() => undefined)
  }
}
