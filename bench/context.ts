/**
 * What sections share: servers that start when they are first needed, files, versions, and what was missing.
 */
import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../tooling/servers/postgres.ts'
import { type RabbitServer, startRabbit } from '../tooling/servers/rabbitmq.ts'
import { type Data, sensorData, type Size } from './data.ts'
import type { BenchOptions } from './options.ts'
import type { Program } from './programs.ts'
import { shownSettings } from './postgres.ts'
import type { Server } from './rounds.ts'

export const tell = (line: string) => void process.stderr.write(`${line}\n`)

export class Context implements AsyncDisposable {
  readonly options: BenchOptions
  readonly temporary = mkdtempSync(join(tmpdir(), 'lading-bench-'))
  readonly #servers = new AsyncDisposableStack()
  /** Of everything that was used until now. */
  readonly versions: Record<string, string> = { node: process.versions.node }
  settings: Readonly<Record<string, string>> = {}
  readonly missing = new Set<string>()
  #postgres: Promise<PostgresServer> | undefined
  #rabbit: Promise<RabbitServer | undefined> | undefined

  constructor(options: BenchOptions) {
    this.options = options
  }

  postgres(): Promise<PostgresServer> {
    return (this.#postgres ??= this.#startPostgres())
  }

  /** Undefined where none can be started, which is said. */
  rabbit(): Promise<RabbitServer | undefined> {
    return (this.#rabbit ??= this.#startRabbit())
  }

  data(size: Size): Promise<Data> {
    return sensorData(this.temporary, size)
  }

  /** The program, or undefined and a loud word that `what` is not measured. */
  need(name: string, program: Program | undefined, what: string): Program | undefined {
    if (program === undefined) this.miss(`${name} is missing here: ${what} is not measured`)
    else this.versions[name] = program.version
    return program
  }

  miss(sentence: string): void {
    if (!this.missing.has(sentence)) tell(`!!! ${sentence}`)
    this.missing.add(sentence)
  }

  /** Closes something at the end, before the servers. */
  use(stop: () => Promise<void>): void {
    this.#servers.defer(stop)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers.disposeAsync()
    rmSync(this.temporary, { recursive: true, force: true })
  }

  async #startPostgres(): Promise<PostgresServer> {
    const server = this.#servers.use(await startPostgres({ settings: this.options.settings }))
    this.versions['PostgreSQL'] = server.version
    this.settings = await shownSettings(server.url)
    return server
  }

  async #startRabbit(): Promise<RabbitServer | undefined> {
    try {
      const server = this.#servers.use(await startRabbit())
      this.versions['RabbitMQ'] = server.version
      return server
    } catch (error) {
      this.miss(
        `RabbitMQ cannot be started here: nothing that goes through it is measured (${(error as Error).message.split('\n')[0]})`,
      )
      return undefined
    }
  }
}

type Measurable = Pick<PostgresServer, 'dataDirectory' | 'pid'>

/** Those whose processes are this machine's and not a container's. */
export const measurable = (
  ...servers: readonly (readonly [name: string, server: Measurable | undefined])[]
): Server[] =>
  servers.flatMap(([name, server]) =>
    server === undefined || server.dataDirectory === '' ? [] : [{ name, pid: () => server.pid() }],
  )
