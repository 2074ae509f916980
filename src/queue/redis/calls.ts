/** Calls of scripts for one queue, on whichever connection there is; a queue that went away is made again. */
import { randomUUID } from 'node:crypto'
import { LadingError } from '../../core/errors.ts'
import { Reopening } from '../reopening.ts'
import type { Address } from './address.ts'
import { type Command, Connection, type Reply } from './connection.ts'
import { keysOf, type Script, scripts } from './scripts.ts'
import { factsOf, requireFit, weaknessesOf } from './server.ts'

/** Runs a script with these arguments behind the group. */
export type Call = (script: Script, args?: readonly string[]) => Promise<Reply>

export class Calls {
  readonly #address: Address
  readonly #create: boolean
  readonly #connection: Reopening<Connection>
  #id = ''
  #warnings: readonly string[] = []
  #wasOpen = false

  constructor(address: Address, create: boolean) {
    this.#address = address
    this.#create = create
    this.#connection = new Reopening(() => this.#open())
  }

  /** Of the queue itself; another one where the server has forgotten it. */
  get id(): string {
    return this.#id
  }

  get warnings(): readonly string[] {
    return this.#warnings
  }

  /** A connection to a queue that is there. */
  connection(): Promise<Connection> {
    return this.#connection.get()
  }

  readonly call: Call = (script, args = []) =>
    this.whileThere((connection) => connection.send(this.#command(script, args)))

  /** Does it once more where the queue went away, and is ours to make. */
  async whileThere<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.connection()
    try {
      return await work(connection)
    } catch (error) {
      if (!this.#create || !(error instanceof LadingError) || error.code !== 'QUEUE_MISSING') throw error
      await this.#prepare(connection)
      return await work(connection)
    }
  }

  async close(): Promise<void> {
    await this.#connection.close(async (connection) => connection.close())
  }

  async #open(): Promise<Connection> {
    const connection = await Connection.open(this.#address)
    try {
      const facts = await factsOf(connection)
      try {
        requireFit(facts, this.#address, connection.where)
      } catch (error) {
        // A primary that has become a replica: another one answers at the address soon.
        if (!this.#wasOpen || facts.info['role'] !== 'slave') throw error
        throw new LadingError('QUEUE_UNAVAILABLE', (error as Error).message)
      }
      this.#warnings = [...weaknessesOf(facts, this.#address), ...(await this.#prepare(connection))]
      this.#wasOpen = true
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  #command(script: Script, args: readonly string[]): Command {
    return commandOf(this.#address, script, args)
  }

  /** Makes the queue where it may. Returns what is wrong with it and does not stand against it. */
  async #prepare(connection: Connection): Promise<readonly string[]> {
    const { id, warnings } = await prepare(connection, this.#address, this.#create ? 'make' : 'use')
    this.#id = id
    return warnings
  }
}

/** The script with its arguments behind the group. */
export function commandOf({ stream, group }: Address, script: Script, args: readonly string[] = []): Command {
  const keys = keysOf(stream)
  return ['EVAL', scripts[script], String(keys.length), ...keys, group, ...args]
}

/** Asks what the user may not do. */
export const rightsCommand = ({ stream, group }: Address): Command => [
  'EVAL',
  scripts.rights,
  '0',
  ...keysOf(stream),
  group,
]

/** Throws what stands against the stream. `look` changes nothing. */
export async function prepare(
  connection: Connection,
  address: Address,
  mode: 'make' | 'use' | 'look',
): Promise<{ readonly id: string; readonly warnings: readonly string[] }> {
  const { stream, group } = address
  const { where } = connection
  const refused = (why: string) => new LadingError('QUEUE_REFUSED', `${where}: ${why}`)
  const answer = await connection.send(commandOf(address, 'prepare', [mode, randomUUID()]))
  const [state, one = '', two = ''] = (answer as readonly Reply[]).map(String)
  switch (state) {
    case 'type':
      throw refused(`the key ${one} holds something else (${two}); name another stream`)
    case 'others':
      throw refused(
        `the stream has another group, ${one}, which would miss what is removed once it is loaded; publish to a stream of its own`,
      )
    case 'missing':
      throw new LadingError('QUEUE_MISSING', `${where}: there is no such stream`)
    case 'no group':
      throw new LadingError('QUEUE_MISSING', `${where}: the stream has no group ${group}`)
    default:
  }
  const passed = `the group ${group} has passed over messages, from ${one} on, because it was made behind them or others acknowledged them: they count as waiting and never come (XGROUP SETID ${stream} ${group} 0, while nobody consumes, delivers them)`
  return { id: two, warnings: one === '' ? [] : [passed] }
}
