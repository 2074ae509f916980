/** Opens a queue: makes what is missing of the tables and of the queue, where it may. */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { LadingError } from '../../core/errors.ts'
import { transaction } from '../../driver/postgres/transaction.ts'
import { migrations } from './schema.ts'

export interface Opened {
  /** Of its messages in the table. */
  readonly number: number
  readonly uuid: string
  /** Settings of the server with which a crash may lose what was published. */
  readonly unsafe: readonly string[]
}

/** Throws `QUEUE_MISSING` where there is none and `create` is false, and `QUEUE_NEWER`. */
export async function openTable(client: pg.Client, queue: string, create: boolean): Promise<Opened> {
  const { encoding, unsafe } = await serverOf(client)
  const unfit = encodingFault(encoding)
  if (unfit !== undefined) throw new LadingError('QUEUE_REFUSED', unfit)
  if ((await versionOf(client)) !== migrations.length) await migrate(client, queue, create)
  const found = (await find(client, queue)) ?? (create ? await make(client, queue) : undefined)
  if (found === undefined) throw missing(queue)
  return { ...found, unsafe }
}

const missing = (queue: string): LadingError =>
  new LadingError('QUEUE_MISSING', `there is no queue ${queue} in the database`)

export const encodingFault = (encoding: string): string | undefined =>
  encoding === 'UTF8' ? undefined : `the database has the encoding ${encoding}, a queue needs UTF8`

export async function serverOf(
  client: pg.Client,
): Promise<{ readonly encoding: string; readonly unsafe: readonly string[] }> {
  const { rows } = await client.query<{ encoding: string; unsafe: string[] }>(
    `SELECT current_setting('server_encoding') AS encoding,
       array(SELECT name FROM unnest('{fsync,full_page_writes}'::text[]) AS name WHERE current_setting(name) = 'off') AS unsafe`,
  )
  return rows[0] as { encoding: string; unsafe: string[] }
}

/** 0 where nothing is there. */
export async function versionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    "SELECT FROM pg_class WHERE oid = to_regclass('lading_queue.migration')",
  )
  if (rows.length === 0) return 0
  const made = await client.query<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM lading_queue.migration',
  )
  return made.rows[0]?.version ?? 0
}

/** Two processes that start together must not both make the tables. */
const lock = "SELECT pg_advisory_xact_lock(hashtextextended('lading/queue', 0))"

async function migrate(client: pg.Client, queue: string, create: boolean): Promise<void> {
  await transaction(client, 'BEGIN ISOLATION LEVEL READ COMMITTED', async () => {
    await client.query(lock)
    const version = await versionOf(client)
    if (version > migrations.length)
      throw new LadingError(
        'QUEUE_NEWER',
        `the queues of the database have version ${version}, this lading knows ${migrations.length}`,
      )
    if (version === 0) {
      if (!create) throw missing(queue)
      await makeSchema(client)
      await client.query('CREATE TABLE IF NOT EXISTS lading_queue.migration (version int PRIMARY KEY)')
    }
    for (const [index, step] of migrations.slice(version).entries())
      await client.query(`${step}; INSERT INTO lading_queue.migration VALUES (${version + index + 1})`)
  })
}

/** IF NOT EXISTS would demand the right to make one where an administrator has made it for the role. */
async function makeSchema(client: pg.Client): Promise<void> {
  const { rows } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'lading_queue'")
  if (rows.length === 0) await client.query('CREATE SCHEMA lading_queue')
}

export async function find(
  client: pg.Client,
  queue: string,
): Promise<Pick<Opened, 'number' | 'uuid'> | undefined> {
  const { rows } = await client.query<{ number: number; uuid: string }>(
    'SELECT id AS number, uuid FROM lading_queue.queue WHERE name = $1',
    [queue],
  )
  return rows[0]
}

async function make(client: pg.Client, queue: string): Promise<Pick<Opened, 'number' | 'uuid'> | undefined> {
  await client.query(
    'INSERT INTO lading_queue.queue (name, uuid) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING',
    [queue, randomUUID()],
  )
  return find(client, queue)
}
