/**
 * Private RabbitMQ brokers for tests: started here, removed here, and gone even when this process is killed.
 * Never touches a broker that it did not start. Durability is RabbitMQ's default.
 */
import { connect } from 'amqplib'
import type { ServerProperties } from 'amqplib'
import { rabbitContainer } from './docker.ts'
import { openFirst } from './engine.ts'
import type { Way } from './engine.ts'
import { createNode } from './rabbitmq-node.ts'
import type { RabbitConfiguration, RabbitEngine } from './rabbitmq-node.ts'
import { rabbitFromApt, rabbitFromFolder, rabbitFromMachine } from './rabbitmq-programs.ts'
import { PrivateServer, type TestServer } from './server.ts'

export interface RabbitOptions {
  /** Lines of rabbitmq.conf, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>
  /** Names of plugins to enable; none by default. */
  readonly plugins?: readonly string[]
}

/** The permissions are regular expressions of the names of queues and exchanges. */
type Permissions = [user: string, vhost: string, configure: string, write: string, read: string]

export interface RabbitServer extends TestServer {
  /** The administrator's url of the vhost `/`, as amqp://guest:guest@127.0.0.1:PORT/. */
  readonly url: string
  /** Empty for a container. */
  readonly dataDirectory: string
  /**
   * Runs rabbitmqctl against this broker and returns what it prints. Throws with its output where it fails.
   */
  ctl(...args: readonly string[]): Promise<string>
  /** The value of an Erlang expression in this broker. It starts no Erlang machine, as rabbitmqctl does. */
  evaluate(expression: string): Promise<string>
  /** Closes every client's connection, which then reads the reason. */
  closeConnections(reason?: string): Promise<void>
  /** A new vhost, in which guest may do everything. */
  addVhost(name: string): Promise<void>
  /**
   * A new user with permissions in one vhost, each a regular expression of the names of queues and exchanges.
   */
  addUser(
    name: string,
    password: string,
    vhost: string,
    configure: string,
    write: string,
    read: string,
  ): Promise<void>
  /**
   * Resolves when quorum queues that were declared before survive `kill`. RabbitMQ writes the names of new
   * ones half a second late, and a queue whose name is not on the disk has no leader after the crash, ever,
   * although its messages were confirmed.
   */
  saveQueues(): Promise<void>
}

// Its alarms block publishers: at 0.4 of the memory, and when less disk is free than a small machine may
// have.
const defaults = { 'vm_memory_high_watermark.relative': '0.8', 'disk_free_limit.absolute': '50MB' }

export async function startRabbit(options: RabbitOptions = {}): Promise<RabbitServer> {
  const server = await openRabbit(options)
  await server.start()
  return server
}

/** A broker that is not started yet, for whom does not want to wait until it is. */
export async function openRabbit(options: RabbitOptions = {}): Promise<RabbitServer> {
  const configuration = { settings: { ...defaults, ...options.settings }, plugins: options.plugins ?? [] }
  return new Server(await openFirst('RabbitMQ', ways(configuration)))
}

function ways(configuration: RabbitConfiguration): readonly Way<RabbitEngine>[] {
  const folder = process.env['LADING_TEST_RABBITMQ_BIN']
  if (folder) {
    return [
      {
        name: `LADING_TEST_RABBITMQ_BIN=${folder}`,
        open: async () => await createNode(rabbitFromFolder(folder), configuration),
      },
    ]
  }
  return [
    { name: "the machine's own", open: async () => await createNode(rabbitFromMachine(), configuration) },
    { name: 'apt-get install', open: async () => await createNode(await rabbitFromApt(), configuration) },
    { name: 'Docker', open: () => rabbitContainer(configuration) },
  ]
}

class Server extends PrivateServer implements RabbitServer {
  readonly url: string
  readonly dataDirectory: string
  protected readonly product = 'RabbitMQ'
  readonly #engine: RabbitEngine

  constructor(engine: RabbitEngine) {
    super(engine)
    this.#engine = engine
    this.dataDirectory = engine.dataDirectory ?? ''
    this.url = `amqp://guest:guest@127.0.0.1:${engine.port}/`
  }

  ctl(...args: readonly string[]): Promise<string> {
    return this.#engine.ctl(args)
  }

  evaluate(expression: string): Promise<string> {
    return this.#engine.evaluate(expression)
  }

  async closeConnections(reason = 'closed by a test'): Promise<void> {
    const close = `rabbit_networking:close_connection(C, ${string(reason)})`
    // One that ends by itself meanwhile is no fault.
    await this.evaluate(`[catch ${close} || C <- rabbit_networking:connections()].`)
  }

  async addVhost(name: string): Promise<void> {
    await this.evaluate(`ok = rabbit_vhost:add(${binary(name)}, <<"tests">>).`)
    await this.#permit('guest', name, '.*', '.*', '.*')
  }

  async addUser(
    name: string,
    password: string,
    vhost: string,
    configure: string,
    write: string,
    read: string,
  ): Promise<void> {
    await this.evaluate(
      `ok = rabbit_auth_backend_internal:add_user(${binary(name)}, ${binary(password)}, <<"tests">>).`,
    )
    await this.#permit(name, vhost, configure, write, read)
  }

  async #permit(...[user, ...permissions]: Permissions): Promise<void> {
    const values = [user, ...permissions, 'tests'].map(binary)
    await this.evaluate(`ok = rabbit_auth_backend_internal:set_permissions(${values.join(', ')}).`)
  }

  async saveQueues(): Promise<void> {
    await this.evaluate('ok = dets:sync(ra_directory_reverse).')
  }

  /**
   * RabbitMQ accepts connections last, when it has recovered its queues. The name of the cluster begins as
   * that of its first node.
   */
  protected override async identify(): Promise<string> {
    const { version, cluster_name: cluster } = await askServer(this.url)
    const [name] = this.#engine.node.split('@')
    if (!cluster?.startsWith(`${name}@`))
      throw new Error(`another broker, of cluster ${cluster}, has port ${this.port}`)
    return version
  }
}

/** As Erlang writes them. */
const string = (text: string): string => JSON.stringify(text)
const binary = (text: string): string => `<<${string(text)}>>`

/** What a broker says of itself to a client that connects. Throws where none accepts the connection. */
export async function askServer(url: string): Promise<ServerProperties> {
  const connection = await connect(url, { timeout: 5000 })
  connection.on('error', () => undefined)
  const { serverProperties } = connection.connection
  await connection.close()
  return serverProperties
}
