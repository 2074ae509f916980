/** JSON messages of one record each that wait in a stream of NATS JetStream. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { type NatsServer, startNats } from '../../tooling/servers/nats.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'
import { type Context, measurable } from '../context.ts'
import { filledWay, Filling } from '../filled.ts'
import { consumeCommand } from '../lading.ts'
import { events } from '../models/events.ts'
import { userModel } from '../models.ts'
import { resetTable, tableState } from '../postgres.ts'
import type { Command } from '../process.ts'
import { whole } from '../report.ts'
import type { Table } from '../rounds.ts'
import { eventMessages } from './messages.ts'
import type { Section } from './section.ts'

export const nats: Section = {
  name: 'nats',
  heading: 'Messages from NATS JetStream',
  about: `JSON objects of about 200 bytes, one message each, wait in a stream that is a work queue.

- The plain consumer takes up to 1,000 messages with \`fetch\` of the client library, inserts them with one statement
  (\`json_populate_recordset\`), and acknowledges each. It neither checks a record nor survives a duplicate message.
- \`lading consume --until-empty\`: with one consumer, and with two in one process.

Filling the stream is not timed.`,
  records: 100_000,
  sensors: [],
  tables: async (context, { records }) => {
    const postgres = await context.postgres()
    const server = await started(context)
    if (server === undefined) return []
    const model = userModel('events', context.temporary)
    const filling = new Filling()
    const fresh = async () => {
      await empty(server)
      return `${server.url}?stream=bench-${randomUUID()}`
    }
    const fill = (queue: string) => filling.fill(queue, eventMessages(records))
    const way = (name: string, isLading: boolean, command: (queue: string) => Command) =>
      filledWay({ name, isLading, fresh, fill, command })
    const lading = (queue: string, ...more: string[]) =>
      consumeCommand({ model, target: postgres.url, queue }, ...more)
    const program = join(import.meta.dirname, '..', 'programs', 'nats-inserts.ts')
    const table: Table = {
      title: `${whole(records)} messages of one record, waiting in a stream`,
      unit: 'messages',
      records,
      ways: [
        way('`fetch` of the client, INSERT of 1,000', false, (queue) => ({
          role: 'consumer',
          program: process.execPath,
          args: [program, queue, postgres.url, String(records)],
        })),
        way('`lading consume`', true, (queue) => lading(queue)),
        way('`lading consume --concurrency 2`', true, (queue) => lading(queue, '--concurrency', '2')),
      ],
      servers: [...measurable(['PostgreSQL', postgres]), { name: 'NATS', pid: () => server.pid() }],
      reset: () => resetTable(postgres.url, events),
      state: () => tableState(postgres.url, events),
      notes: () => filling.note(),
    }
    return [table]
  },
}

async function started(context: Context): Promise<NatsServer | undefined> {
  try {
    const server = await startNats()
    context.use(() => server.stop())
    context.versions['NATS'] = server.version
    return server
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    context.miss(`NATS cannot be started: ${error.message}`)
    return undefined
  }
}

/** Streams of earlier runs would fill the disk. */
async function empty(server: NatsServer): Promise<void> {
  const client = await server.connect()
  const { streams } = await jetstreamManager(client)
  for await (const name of streams.names()) await streams.delete(name)
  await client.close()
}
