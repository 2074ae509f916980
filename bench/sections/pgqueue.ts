/** JSON messages of one record each that wait in a table of PostgreSQL, beside RabbitMQ. */
import { join } from 'node:path'
import pg from 'pg'
import { measurable } from '../context.ts'
import { Filling } from '../filled.ts'
import { consumeCommand } from '../lading.ts'
import { events } from '../models/events.ts'
import { userModel } from '../models.ts'
import { execute, resetTable, tableState } from '../postgres.ts'
import { measure } from '../process.ts'
import { deleteQueue, type FreshQueue, freshQueue } from '../rabbit.ts'
import { whole } from '../report.ts'
import type { Table, Way } from '../rounds.ts'
import { eventMessages } from './messages.ts'
import type { Section } from './section.ts'

export const pgqueue: Section = {
  name: 'pgqueue',
  heading: 'Messages that wait in PostgreSQL',
  about: `JSON objects of about 200 bytes, one message each.

- \`DELETE … SKIP LOCKED\`: what a program does by itself with a table of jobs. One transaction deletes a thousand rows and inserts their
  records, which it does not check.
- In the target's database, the transaction of a batch settles its messages itself. In another database of the same server, they are settled
  after it.

Filling the queue is not timed.`,
  records: 100_000,
  sensors: [],
  tables: async (context, { records }) => {
    const server = await context.postgres()
    const rabbit = await context.rabbit()
    const { url } = server
    const model = userModel('events', context.temporary)
    const filling = new Filling()
    const other = new URL(url)
    other.pathname = '/queues'
    await execute(url, ['CREATE DATABASE queues'])
    const consume = (queue: string, ...more: string[]) =>
      consumeCommand({ model, target: url, queue }, ...more)
    const inDatabase = (name: string, database: string, ...more: string[]): Way => ({
      name,
      isLading: true,
      prepare: async () => {
        await execute(database, ['DROP SCHEMA IF EXISTS lading_queue CASCADE'])
        await filling.fill(`${database}?queue=bench`, eventMessages(records))
        await execute(database, ['CHECKPOINT'])
      },
      run: (folder) => measure([consume(`${database}?queue=bench`, ...more)], folder),
    })
    let queue: FreshQueue | undefined
    const overRabbit: Way | undefined =
      rabbit === undefined
        ? undefined
        : {
            name: '`lading consume`, a quorum queue of RabbitMQ',
            isLading: true,
            prepare: async () => {
              queue = freshQueue(rabbit)
              await new Filling().fill(queue.url, eventMessages(records))
            },
            run: async (folder) => {
              if (queue === undefined) throw new Error('the queue has not been filled')
              try {
                return await measure([consume(queue.url)], folder)
              } finally {
                await deleteQueue(rabbit, queue)
              }
            },
          }
    const program = join(import.meta.dirname, '..', 'programs', 'postgres-deletes.ts')
    const table: Table = {
      title: `${whole(records)} messages of one record, waiting in PostgreSQL`,
      unit: 'messages',
      records,
      ways: [
        {
          name: '`DELETE … SKIP LOCKED`, one consumer',
          isLading: false,
          prepare: () => fillJobs(url, records),
          run: (folder) =>
            measure([{ role: 'consumer', program: process.execPath, args: [program, url] }], folder),
        },
        ...(overRabbit === undefined ? [] : [overRabbit]),
        inDatabase("`lading consume`, in the target's database", url),
        inDatabase('`lading consume`, in another database', other.href),
        inDatabase("`lading consume --concurrency 2`, in the target's database", url, '--concurrency', '2'),
      ],
      servers: measurable(['PostgreSQL', server], ['RabbitMQ', rabbit]),
      reset: () => resetTable(url, events),
      state: () => tableState(url, events),
      notes: () => filling.note(),
    }
    return [table]
  },
}

async function fillJobs(url: string, records: number): Promise<void> {
  await execute(url, [
    'DROP TABLE IF EXISTS jobs',
    'CREATE TABLE jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)',
  ])
  const client = new pg.Client(url)
  await client.connect()
  let window: string[] = []
  const flush = async () => {
    await client.query('INSERT INTO jobs (body) SELECT unnest($1::text[])', [window])
    window = []
  }
  for (const { body } of eventMessages(records)) {
    window.push(body.toString())
    if (window.length === 1_000) await flush()
  }
  if (window.length > 0) await flush()
  await client.query('CHECKPOINT')
  await client.end()
}
