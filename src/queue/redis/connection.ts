/**
 * One connection to the server. It never connects again by itself: what was under way when it broke is unknown,
 * and whoever asked has to know that. Every wait for an answer ends.
 */
import { createClient, RESP_TYPES } from '@redis/client'
import { LadingError } from '../../core/errors.ts'
import { type Address, shownQueue } from './address.ts'
import { queueError } from './errors.ts'

/** How long the server may take to answer, in times for connecting: it may be at work on a call of others. */
const answerShare = 3

/** As Redis answers: texts are bytes. */
export type Reply = Buffer | number | null | readonly Reply[]
export type Command = readonly (string | Buffer)[]

type Client = ReturnType<typeof clientFor>

export class Connection {
  readonly where: string
  readonly #client: Client
  readonly #answerWithinMs: number
  #ended: LadingError | undefined

  private constructor(client: Client, address: Address) {
    this.where = shownQueue(address)
    this.#client = client
    this.#answerWithinMs = answerShare * address.connectTimeoutMs
    client.on('error', (error: unknown) => (this.#ended ??= queueError(error, this.where)))
  }

  static async open(address: Address): Promise<Connection> {
    const client = clientFor(address)
    const connection = new Connection(client, address)
    try {
      // To a port without TLS, the client's first words are no end of a line, for which the server waits.
      const hint = address.tls === undefined ? '' : ': does its port speak TLS?'
      await connection.#inTime(client.connect(), address.connectTimeoutMs, hint)
      // For CLIENT LIST; not every user may say who he is. Names have no blanks.
      const name = `lading-${address.stream}`.replaceAll(/[^\u0021-\u007e]/g, '_')
      client.sendCommand(['CLIENT', 'SETNAME', name]).catch(() => undefined)
      return connection
    } catch (error) {
      client.destroy()
      throw queueError(error, connection.where)
    }
  }

  get isUsable(): boolean {
    return this.#ended === undefined
  }

  async send(command: Command): Promise<Reply> {
    const [answer] = await this.sendAll([command])
    if (answer instanceof LadingError) throw answer
    return answer as Reply
  }

  /** All in one go; what the server refuses is among the answers. Throws where the connection is lost. */
  async sendAll(commands: readonly Command[]): Promise<readonly (Reply | LadingError)[]> {
    if (this.#ended !== undefined) throw this.#ended
    const sent = commands.map((command) =>
      this.#client
        .sendCommand<Reply>(command as (string | Buffer)[], { typeMapping: bytes })
        .catch((error: unknown) => this.#heard(error)),
    )
    const answers = await this.#inTime(Promise.all(sent), this.#answerWithinMs)
    if (this.#ended !== undefined) throw this.#ended
    return answers
  }

  close(): void {
    this.#ended ??= new LadingError('QUEUE_UNAVAILABLE', `${this.where}: the connection was closed`)
    this.#client.destroy()
  }

  /** What the server does not want to hear on this connection any more ends it. */
  #heard(thrown: unknown): LadingError {
    const error = this.#ended ?? queueError(thrown, this.where)
    if (error.code === 'QUEUE_UNAVAILABLE') this.#end(error)
    return error
  }

  #end(error: LadingError): LadingError {
    this.#ended ??= error
    this.#client.destroy()
    return this.#ended
  }

  /** The client itself waits for ever. */
  #inTime<T>(answer: Promise<T>, ms: number, hint = ''): Promise<T> {
    return new Promise((resolve, reject) => {
      const silent = `${this.where}: the server does not answer${hint}`
      const timer = setTimeout(() => reject(this.#end(new LadingError('QUEUE_UNAVAILABLE', silent))), ms)
      answer.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }
}

const bytes = { [RESP_TYPES.BLOB_STRING]: Buffer } as const

function clientFor({ tls, host, port, user, password, database, connectTimeoutMs }: Address) {
  const place = { host, port, connectTimeout: connectTimeoutMs, reconnectStrategy: false as const }
  const { ca, cert, key } = tls ?? {}
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  return createClient({
    socket:
      tls === undefined
        ? place
        : { ...place, ...files, tls: true, minVersion: 'TLSv1.2', rejectUnauthorized: true },
    ...(user !== undefined && { username: user }),
    ...(password !== undefined && { password }),
    database,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
  })
}
