/** Sessions of a pool that belongs to the program: borrowed, and given back as they were found. */
import pg from 'pg'
import { endWithinMs, identityOf, placeOf, type Sessions } from '../../driver/postgres/sessions.ts'
import { settingNames } from '../../driver/postgres/settings.ts'
import { streamOf } from '../../driver/postgres/silence.ts'
import { LadingError } from '../../core/errors.ts'
import { sleep, within } from '../../core/wait.ts'
import type { SessionPool } from '../pool.ts'

interface Borrowed extends pg.Client {
  release(destroy?: boolean): void
}

/** One for batches as long as a sink is used, and one for each question meanwhile. */
const leastSessions = 2

export class PoolSessions implements Sessions {
  readonly place: string
  readonly identity: string
  readonly config: pg.ClientConfig
  readonly areShared = true
  readonly #pool: SessionPool
  /** What the settings were that Lading changes, until they are restored. */
  readonly #found = new WeakMap<pg.Client, readonly (string | null)[]>()

  constructor(pool: SessionPool) {
    this.#pool = pool
    this.config = pool.options
    const { max } = pool.options as pg.PoolConfig
    if (max !== undefined && max !== null && max < leastSessions)
      throw new LadingError(
        'USAGE',
        `a pool of ${max} is too small: a sink keeps one session for batches and borrows another for questions`,
      )
    // Made only to have it read the options.
    const client = new pg.Client(this.config)
    this.place = placeOf(client)
    this.identity = identityOf(client)
  }

  async take(connectMs: number, signal: AbortSignal): Promise<pg.Client> {
    const taking = this.#pool.connect() as Promise<Borrowed>
    const client = await soonEnough(taking, connectMs, signal)
    if (client === undefined) {
      // Whoever waits for a session behind us must not wait for ever.
      taking.then((late) => late.release()).catch(() => undefined)
      throw new LadingError('SINK_UNAVAILABLE', `the pool had no session free for ${connectMs / 1000} s`)
    }
    if (isNative(client)) {
      client.release()
      throw new LadingError(
        'USAGE',
        'the sessions of the pool must be those of pg itself, and not of pg-native',
      )
    }
    this.#found.set(client, await settingsOf(client, signal))
    return client
  }

  async giveBack(client: pg.Client, isKept: boolean): Promise<void> {
    const found = this.#found.get(client) as readonly (string | null)[]
    this.#found.delete(client)
    // What holds temporary tables and locks is ended: the pool makes another when one is needed. It is ended here, because
    // a pool does not wait for it, and takes an error of its last moments for one of the program.
    if (isKept) await within(endWithinMs, client.end())
    const isAsFound = !isKept && (await isRestored(client, found))
    ;(client as Borrowed).release(!isAsFound)
  }

  drop(client: pg.Client): void {
    if (!this.#found.delete(client)) return
    streamOf(client).destroy()
    ;(client as Borrowed).release(true)
  }
}

/** The driver's types do not say what a session of pg-native lacks. */
const isNative = (client: object): boolean => !('connection' in client)

const isRestored = (client: pg.Client, found: readonly (string | null)[]): Promise<boolean> =>
  client
    .query(
      "SELECT set_config(name, coalesce(value, ''), false) FROM unnest($1::text[], $2::text[]) AS each (name, value)",
      [settingNames, found],
    )
    .then(
      () => true,
      () => false,
    )

/** The settings that Lading changes, as they are. */
async function settingsOf(client: Borrowed, signal: AbortSignal): Promise<readonly (string | null)[]> {
  const drop = () => streamOf(client).destroy()
  signal.addEventListener('abort', drop, { once: true })
  const ignore = () => undefined
  client.on('error', ignore)
  try {
    const { rows } = await client.query<{ value: string | null }>(
      'SELECT current_setting(name, true) AS value FROM unnest($1::text[]) WITH ORDINALITY AS each (name, n) ORDER BY n',
      [settingNames],
    )
    client.off('error', ignore)
    return rows.map(({ value }) => value)
  } catch (error) {
    client.release(true)
    throw error
  } finally {
    signal.removeEventListener('abort', drop)
  }
}

/** Undefined where it takes longer, or the signal aborts. */
async function soonEnough<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  const over = new AbortController()
  const late = sleep(ms, AbortSignal.any([signal, over.signal])).then(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}
