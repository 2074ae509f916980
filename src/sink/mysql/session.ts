/** One connection to the server, with the settings that every transaction of ours needs. */
import { Readable } from 'node:stream'
import type { Socket } from 'node:net'
import mysql from 'mysql2/promise'
import type { Connection as Driver, ConnectionOptions, ResultSetHeader } from 'mysql2/promise'
import { LadingError } from '../../core/errors.ts'
import type { LedgerRow } from '../sql/ledger-rows.ts'

/** What a statement that returns no rows says. */
export interface Ran {
  /** Rows that it inserted, changed or deleted; of an upsert, twice those that it changed. */
  readonly changed: number
  readonly warnings: number
  /** The server's sentence: `Records: 3  Duplicates: 0  Warnings: 0`. */
  readonly info: string
}

export type Product = 'mariadb' | 'mysql'

/**
 * Strict in each table, so that a value that does not fit is refused; and no statement depends on what the
 * server, or the database, has as its default. Identifiers stand in double quotes, a backslash in a text is one.
 */
const sqlMode = [
  'STRICT_ALL_TABLES',
  'NO_ZERO_IN_DATE',
  'NO_ZERO_DATE',
  'ERROR_FOR_DIVISION_BY_ZERO',
  'NO_ENGINE_SUBSTITUTION',
  // Without it, 0 in an AUTO_INCREMENT column becomes the next number.
  'NO_AUTO_VALUE_ON_ZERO',
  'NO_BACKSLASH_ESCAPES',
  'ANSI_QUOTES',
  'PIPES_AS_CONCAT',
].join()

/** What a server may have as its default for all sessions, MariaDB alone: CHECKs without effect, and duplicates without a warning. */
const ofMariadb = `/*M! , SESSION check_constraint_checks = 1, SESSION old_mode = '' */`

/**
 * A server may be told to ignore the character set of its clients, which NAMES is not. Without notes, or a list of
 * warnings, nothing would show that the server has rounded or cut a value. Keys are sorted as a whole.
 * READ COMMITTED, because under REPEATABLE READ a batch would not see what it has waited for, and gaps would be
 * locked. If a lock takes more than 5 s, the batch is tried again.
 */
const settings = [
  'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
  `SET SESSION sql_mode = '${sqlMode}', SESSION time_zone = '+00:00', SESSION autocommit = 1,
    SESSION innodb_lock_wait_timeout = 5, SESSION lock_wait_timeout = 30, SESSION foreign_key_checks = 1,
    SESSION unique_checks = 1, SESSION sql_safe_updates = 0, SESSION completion_type = 0, SESSION group_concat_max_len = 1048576,
    SESSION sql_notes = 1, SESSION max_error_count = 64, SESSION sql_select_limit = 18446744073709551615,
    SESSION sql_big_selects = 1, SESSION max_sort_length = 8192 ${ofMariadb}`,
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE',
]

const facts = `SELECT VERSION() AS version, CONNECTION_ID() AS id, DATABASE() AS "database", @@max_allowed_packet AS packet, @@sql_mode AS mode, @@local_infile AS "local"`

/** The first versions that can skip locked rows. */
const oldest: Readonly<Record<Product, readonly [number, number]>> = { mariadb: [10, 6], mysql: [8, 0] }

/** Milliseconds of silence after which the system probes a connection, and closes it if the peer is gone. */
const keepAliveMs = 30_000

export class Session {
  readonly product: Product
  readonly version: string
  /** Of the server, for `KILL` and its list of sessions. */
  readonly id: number
  readonly database: string
  /** Bytes of the largest statement. */
  readonly maxPacket: number
  /** Whether LOAD DATA LOCAL is allowed. */
  takesLocal: boolean
  readonly #driver: Driver

  private constructor(driver: Driver, row: LedgerRow) {
    this.#driver = driver
    this.version = String(row['version'])
    this.product = /mariadb/i.test(this.version) ? 'mariadb' : 'mysql'
    this.id = Number(row['id'])
    this.database = String(row['database'])
    this.maxPacket = Number(row['packet'])
    this.takesLocal = Number(row['local']) === 1
  }

  /** `onLost` hears of a connection that dies between two statements. */
  static async open(
    options: ConnectionOptions,
    connectTimeout: number,
    signal: AbortSignal,
    onLost: () => void,
  ): Promise<Session> {
    const driver = await connect({ ...options, connectTimeout }, signal)
    driver.on('error', onLost)
    using _ = cutting(driver, signal)
    try {
      for (const statement of settings) await driver.query(statement)
      const [[row]] = await driver.query<mysql.RowDataPacket[]>(facts)
      const session = new Session(driver, row as LedgerRow)
      session.#require(String(row?.['mode']))
      return session
    } catch (error) {
      cut(driver)
      throw error
    }
  }

  #require(mode: string): void {
    const [major = 0, minor = 0] = this.version.split('.').map(Number)
    const [least, leastMinor] = oldest[this.product]
    // v8 ignore next -- servers of old versions are not here
    if (major < least || (major === least && minor < leastMinor))
      throw new LadingError(
        'SINK_REFUSED',
        `the server is ${this.shown}, and lading needs MariaDB 10.6 or MySQL 8.0`,
      )
    // v8 ignore next -- only a proxy that shares sessions forgets what they are set to
    if (!mode.includes('STRICT_ALL_TABLES') || !mode.includes('NO_BACKSLASH_ESCAPES'))
      throw new LadingError(
        'SINK_REFUSED',
        `${this.shown}: the session does not keep its settings (sql_mode is ${mode}); name the port of the server itself in the URL, not that of a proxy`,
      )
  }

  /** The product and its version, for people. */
  get shown(): string {
    return `${this.product === 'mariadb' ? 'MariaDB' : 'MySQL'} ${this.version.split('-')[0]}`
  }

  get socket(): Socket {
    return socketOf(this.#driver)
  }

  /** Whole numbers of 64 bits and decimals come as text, times as they are shown, bytes as a Buffer. */
  async query(sql: string): Promise<readonly LedgerRow[]> {
    const [rows] = await this.#driver.query(sql)
    return Array.isArray(rows) ? (rows as LedgerRow[]) : []
  }

  async run(sql: string): Promise<Ran> {
    this.#requireShort(sql)
    const [result] = await this.#driver.query<ResultSetHeader>(sql)
    return ranOf(result)
  }

  /** The server would end the session, and so each time. */
  #requireShort(sql: string): void {
    if (sql.length * mostBytesOfUnit < this.maxPacket) return
    const bytes = Buffer.byteLength(sql)
    if (bytes < this.maxPacket) return
    throw new LadingError(
      'SINK_REFUSED',
      `a record, or a reject, needs a statement of ${bytes} bytes, and ${this.shown} takes ${this.maxPacket}: SET GLOBAL max_allowed_packet = ${roundedUp(bytes)}`,
    )
  }

  /** `sql` is LOAD DATA LOCAL INFILE; whatever file it names, what it reads is these bytes. */
  async load(sql: string, parts: readonly Buffer[]): Promise<Ran> {
    using _ = forgetting(this.socket)
    const [result] = await this.#driver.query<ResultSetHeader>({
      sql,
      infileStreamFactory: () => Readable.from(parts),
    })
    return ranOf(result)
  }

  /**
   * The server ends the session, and rolls back, when it has waited for this client for `ms` in a transaction or
   * within a LOAD DATA: what a stopped client has locked would be locked for ever. MySQL has no such limit for
   * transactions alone; there a session that nobody uses is ended too, and made again when it is needed.
   */
  async limitSilence(ms: number): Promise<void> {
    const seconds = Math.max(1, Math.floor(ms / 1000))
    const limit = this.product === 'mariadb' ? 'idle_transaction_timeout' : 'wait_timeout'
    await this.run(`SET SESSION ${limit} = ${seconds}, SESSION net_read_timeout = ${seconds}`)
  }

  /** The same outside a transaction, where the session holds a lock all the same. MySQL has but the one limit. */
  async limitIdleness(isOn: boolean): Promise<void> {
    // v8 ignore next -- there is no MySQL where tests run
    if (this.product === 'mysql') return
    await this.run(
      `SET SESSION wait_timeout = ${isOn ? '@@idle_transaction_timeout' : '@@GLOBAL.wait_timeout'}`,
    )
  }

  /** Without notice to the server, which rolls back what was open. */
  drop(): void {
    cut(this.#driver)
  }

  async end(): Promise<void> {
    await this.#driver.end()
  }
}

const socketOf = (driver: Driver): Socket =>
  (driver as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream

/**
 * Ends the connection at once, and with an error what waits for an answer. The driver's own `destroy` would wait for the
 * other side's part of an orderly end, and never tell who waits.
 */
function cut(driver: Driver): void {
  socketOf(driver).destroy(new LadingError('SINK_UNAVAILABLE', 'the connection to the database was dropped'))
}

/** Cuts the connection on abort, until disposal. */
function cutting(driver: Driver, signal: AbortSignal): Disposable {
  const abort = () => cut(driver)
  // v8 ignore next -- the abort has to come in the very moment in which the connection is made
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', abort) }
}

/** Of a LOAD DATA that the server refuses, the driver leaves listeners on the socket, which hold what was sent. */
const leftBehind = ['pause', 'drain'] as const

function forgetting(socket: Socket): Disposable {
  const before = leftBehind.map((event) => new Set(socket.listeners(event)))
  return {
    [Symbol.dispose]: () => {
      for (const [index, event] of leftBehind.entries())
        for (const listener of socket.listeners(event))
          if (before[index]?.has(listener) !== true) socket.off(event, listener as () => void)
    },
  }
}

/** UTF-8 of a unit of UTF-16. */
const mostBytesOfUnit = 3
const packetUnit = 1 << 20

/** The server rounds down. */
const roundedUp = (bytes: number): number => Math.ceil((bytes + 1) / packetUnit) * packetUnit

const ranOf = ({ affectedRows, warningStatus, info }: ResultSetHeader): Ran => ({
  changed: affectedRows,
  warnings: warningStatus,
  info,
})

async function connect(options: ConnectionOptions, signal: AbortSignal): Promise<Driver> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(new LadingError('ABORTED', 'stopped while the database was connected to'))
  const late = setTimeout(
    () => reject(new LadingError('SINK_UNAVAILABLE', 'the server accepts the connection and says nothing')),
    options.connectTimeout,
  )
  signal.addEventListener('abort', abort, { once: true })
  const connected = mysql.createConnection({
    ...options,
    charset: 'utf8mb4_bin',
    // What an UPDATE has changed counts, not what it has found.
    flags: ['-FOUND_ROWS'],
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    enableKeepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
    connectAttributes: { program_name: 'lading' },
  })
  try {
    return await Promise.race([connected, aborted])
  } catch (error) {
    connected.then(
      (driver) => cut(driver.on('error', () => undefined)),
      () => undefined,
    )
    throw error
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', abort)
  }
}
