/**
 * Private MariaDB servers for tests: started here, removed here, and gone even when this process is killed.
 * Never touches a server that it did not start. Durability is MariaDB's default: each commit is flushed.
 */
import { chownSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { freePort, guardFolder, lastLines, openFirst, spawnProgram } from './engine.ts'
import type { Engine, Way } from './engine.ts'
import { makeFolder } from './machine.ts'
import { mariadbFromApt, mariadbFromFolder, mariadbFromMachine, mariadbUser } from './mariadb-programs.ts'
import type { MariadbPrograms } from './mariadb-programs.ts'
import { runProgram } from './rabbitmq-node.ts'
import { PrivateServer, type TestServer } from './server.ts'

/** Settings of the server, over the defaults, as on its command line: `{ 'max-connections': '20' }`. */
export type MariadbSettings = Readonly<Record<string, string>>

export interface MariadbServer extends TestServer {
  /** The administrator's url, without a database. */
  readonly url: string
  readonly dataDirectory: string
}

const password = 'administers'
/** At each start, one statement a line. */
const administrator = `CREATE USER IF NOT EXISTS admin@'127.0.0.1' IDENTIFIED BY '${password}';
GRANT ALL ON *.* TO admin@'127.0.0.1' WITH GRANT OPTION;
`

/** A test waits for the server, and the server for the disk: what only speeds up a restart is left out. */
const defaults: MariadbSettings = {
  'bind-address': '127.0.0.1',
  'skip-name-resolve': '1',
  'character-set-server': 'utf8mb4',
  'innodb-buffer-pool-dump-at-shutdown': '0',
  'innodb-buffer-pool-load-at-startup': '0',
  'default-time-zone': '+00:00',
}

/** For a server that outlives no crash of its machine: what it has written is the system's to keep. */
export const withoutFsync: MariadbSettings = { 'innodb-flush-method': 'nosync', 'sync-frm': '0' }

export async function startMariadb(settings: MariadbSettings = {}): Promise<MariadbServer> {
  const server = await openMariadb(settings)
  await server.start()
  return server
}

/** A server that is not started yet, for whom does not want to wait until it is. */
export async function openMariadb(settings: MariadbSettings = {}): Promise<MariadbServer> {
  return new Server(await openFirst('MariaDB', ways({ ...defaults, ...settings })))
}

function ways(settings: MariadbSettings): readonly Way<MariadbEngine>[] {
  const folder = process.env['LADING_TEST_MARIADB_BIN']
  if (folder) {
    return [
      {
        name: `LADING_TEST_MARIADB_BIN=${folder}`,
        open: () => createServer(mariadbFromFolder(folder), settings),
      },
    ]
  }
  return [
    { name: "the machine's own", open: async () => await createServer(mariadbFromMachine(), settings) },
    { name: 'apt-get install', open: async () => await createServer(await mariadbFromApt(), settings) },
  ]
}

interface MariadbEngine extends Engine {
  readonly dataDirectory: string
  /** Makes the data, before the first start. */
  initialize(): Promise<void>
}

async function createServer(programs: MariadbPrograms, settings: MariadbSettings): Promise<MariadbEngine> {
  const user = mariadbUser()
  const folder = makeFolder('lading-mariadb-', user)
  const keeper = guardFolder(folder)
  try {
    const dataDirectory = join(folder, 'data')
    const first = join(folder, 'first.sql')
    writeFileSync(first, administrator)
    if (user.uid !== undefined && user.gid !== undefined) chownSync(first, user.uid, user.gid)
    const port = await freePort()
    const own = {
      datadir: dataDirectory,
      port: String(port),
      socket: join(folder, 'socket'),
      'pid-file': join(folder, 'pid'),
      tmpdir: folder,
      'init-file': first,
    }
    const args = ['--no-defaults', ...flags({ ...own, ...settings })]
    const logFile = join(folder, 'log')
    const program = { path: programs.server, args, env: environment(), user, logFile }
    return {
      port,
      dataDirectory,
      initialize: () => initialize(programs.install, folder, dataDirectory),
      spawn: () => spawnProgram(program, (pid) => keeper.tell(pid === null ? '' : String(pid))),
      log: () => lastLines(logFile),
      remove: () => keeper.close(),
    }
  } catch (error) {
    await keeper.close()
    throw error
  }
}

async function initialize(install: string, folder: string, dataDirectory: string): Promise<void> {
  if (existsSync(dataDirectory)) return
  const args = [
    '--no-defaults',
    `--datadir=${dataDirectory}`,
    `--tmpdir=${folder}`,
    '--auth-root-authentication-method=socket',
    '--skip-test-db',
    '--skip-name-resolve',
    // Nothing of it has to survive a crash yet.
    '--innodb-flush-log-at-trx-commit=0',
  ]
  await runProgram(install, args, { env: environment(), ...mariadbUser() })
}

/** The machine's own locale and time zone would make one machine's tests differ from another's. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH']}:/usr/sbin:/usr/bin`, LC_ALL: 'C', TZ: 'UTC' }
}

function flags(settings: MariadbSettings): string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
}

class Server extends PrivateServer implements MariadbServer {
  readonly url: string
  readonly dataDirectory: string
  protected readonly product = 'MariaDB'
  readonly #engine: MariadbEngine

  constructor(engine: MariadbEngine) {
    super(engine)
    this.#engine = engine
    this.dataDirectory = engine.dataDirectory
    this.url = `mysql://admin:${password}@127.0.0.1:${engine.port}`
  }

  override async start(): Promise<void> {
    await this.#engine.initialize()
    await super.start()
  }

  protected override async identify(): Promise<string> {
    const connection = await createConnection({ uri: this.url, connectTimeout: 5000 })
    connection.on('error', () => undefined)
    try {
      const [rows] = await connection.query('SELECT version() AS version, @@datadir AS folder')
      const [row] = rows as { readonly version: string; readonly folder: string }[]
      if (row === undefined || join(row.folder, '.') !== join(this.dataDirectory, '.'))
        throw new Error(`another server, of ${row?.folder}, has port ${this.port}`)
      return row.version
    } finally {
      connection.destroy()
    }
  }

  /** Of a server that was killed, its lock on the data may outlive it for a moment. */
  protected override passes(log: string): boolean {
    return /Unable to lock|Can't lock aria control file/.test(log)
  }
}
