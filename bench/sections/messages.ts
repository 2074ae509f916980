/** JSON messages of one record each that wait in a quorum queue. */
import { join } from 'node:path'
import { measurable } from '../context.ts'
import { Filling } from '../filled.ts'
import { consumeCommand } from '../lading.ts'
import { events } from '../models/events.ts'
import { userModel } from '../models.ts'
import { resetTable, tableState } from '../postgres.ts'
import { type Command, measure } from '../process.ts'
import { findPython } from '../programs.ts'
import { pythonCommand } from '../python.ts'
import { deleteQueue, type FreshQueue, freshQueue } from '../rabbit.ts'
import type { RabbitServer } from '../../tooling/servers/rabbitmq.ts'
import type { Table, Way } from '../rounds.ts'
import { whole } from '../report.ts'
import type { Section } from './section.ts'

export const messages: Section = {
  name: 'messages',
  heading: 'Messages of one record each',
  about: `JSON objects of about 200 bytes, one message each, wait in a quorum queue of RabbitMQ.

- \`lading consume --until-empty\`: one process, two consumers in one process, and two processes. The way without a database is Lading's
  consumer with a sink that encodes nothing and only counts (\`bench/programs/drain.ts\`): the price of client, queue and decoding.
- \`basic_consume\`: a Python consumer with a prefetch of 1,000, and COPY of 1,000 records for each commit. It neither checks a record nor
  survives a duplicate message.
- \`basic_get\`: the replaced consumer, \`executemany\` of 5,000 for each commit, with a fifth of the messages.

Filling the queue is not timed.`,
  records: 100_000,
  sensors: [],
  tables: async (context, { records }) => {
    const server = await context.postgres()
    const rabbit = await context.rabbit()
    const program = context.need(
      'Python',
      findPython(),
      'the Python consumers (Debian: python3-pika, python3-psycopg2)',
    )
    if (rabbit === undefined) return []
    const { url } = server
    // It takes minutes for more, and its rate is the same.
    const few = Math.ceil(records / 5)
    const model = userModel('events', context.temporary)
    const filling = new Filling()
    const way = (
      name: string,
      isLading: boolean,
      commands: (queue: FreshQueue) => Command[],
      count = records,
    ): Way => {
      const fill = (queue: string) => filling.fill(queue, eventMessages(count))
      return { ...queuedWay({ name, isLading, rabbit, fill, commands }), records: count }
    }
    const consume = (queue: FreshQueue, ...more: string[]) =>
      consumeCommand({ model, target: url, queue: queue.url }, ...more)
    const python = (queue: FreshQueue, method: string, count = records) => {
      // A mark that is always there: nobody fills the queue any more.
      const args = [
        rabbit.url,
        queue.name,
        url,
        import.meta.filename,
        'events',
        columns,
        method,
        String(count),
      ]
      return program === undefined
        ? []
        : [pythonCommand({ program, rabbit }, 'consumer', 'messages.py', args)]
    }
    const drain = join(import.meta.dirname, '..', 'programs', 'drain.ts')
    const drained = 'lading, its consumer without a database'
    const ways = [
      ...(program === undefined
        ? []
        : [
            way(
              '`basic_get`, `executemany`, 4 consumers',
              false,
              (queue) => Array.from({ length: 4 }, () => python(queue, 'get', few)).flat(),
              few,
            ),
            way('`basic_consume`, COPY, one consumer', false, (queue) => python(queue, 'push')),
          ]),
      way('`lading consume`', true, (queue) => [consume(queue)]),
      way('`lading consume --concurrency 2`', true, (queue) => [consume(queue, '--concurrency', '2')]),
      way('`lading consume`, two processes', true, (queue) => [consume(queue), consume(queue)]),
      way(drained, true, (queue) => [
        { role: 'consumer', program: process.execPath, args: [drain, queue.url, model] },
      ]),
    ]
    const table: Table = {
      title: `${whole(records)} messages of one record, waiting in a quorum queue`,
      unit: 'messages',
      records,
      ways,
      servers: measurable(['PostgreSQL', server], ['RabbitMQ', rabbit]),
      reset: () => resetTable(url, events),
      // Without a database there are no rows to compare; its program has counted them.
      state: async ({ name }) => (name === drained ? undefined : await tableState(url, events)),
      notes: () => filling.note(),
    }
    return [table]
  },
}

const columns = events.columns.map(({ name }) => name).join(',')

interface QueuedWay {
  readonly name: string
  readonly isLading: boolean
  readonly rabbit: RabbitServer
  readonly fill: (queueUrl: string) => Promise<void>
  readonly commands: (queue: FreshQueue) => Command[]
}

/** A queue of its own for each run, filled before it. */
function queuedWay({ name, isLading, rabbit, fill, commands }: QueuedWay): Way {
  let queue: FreshQueue | undefined
  return {
    name,
    isLading,
    prepare: async () => {
      queue = freshQueue(rabbit)
      await fill(queue.url)
    },
    run: async (folder) => {
      if (queue === undefined) throw new Error('the queue has not been filled')
      try {
        return await measure(commands(queue), folder)
      } finally {
        await deleteQueue(rabbit, queue)
      }
    },
  }
}

const kinds = ['view', 'search', 'basket', 'order', 'login'] as const

export function* eventMessages(count: number) {
  const start = Date.parse('2024-01-01T00:00:00Z')
  for (let id = 1; id <= count; id++) {
    const event = {
      id,
      occurred_at: new Date(start + id * 37).toISOString(),
      kind: kinds[id % kinds.length],
      visitor: `visitor-${String(id % 9973).padStart(6, '0')}`,
      session: String(Math.imul(id, 2_654_435_761) >>> 0).padStart(16, '0'),
      path: `/catalogue/category-${id % 97}/article-${id % 8191}`,
      seconds: (id % 100_003) / 1000,
    }
    yield { key: String(id), body: Buffer.from(JSON.stringify(event)), headers: {} }
  }
}
