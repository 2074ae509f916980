/** JSON messages of one record each that wait in a stream of Redis. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type RedisServer, startRedis } from '../../tooling/servers/redis.ts'
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

export const redis: Section = {
  name: 'redis',
  heading: 'Messages of one record each, from Redis',
  about: `The messages of the section before wait in a stream of Redis (\`appendonly yes\`, \`appendfsync everysec\`). The plain consumer is that
of the client's documentation: \`XREADGROUP\` of 1,000, one INSERT of them as JSON, \`XACK\`. It neither checks a record nor survives a
duplicate message. Filling the stream is not timed.`,
  records: 100_000,
  sensors: [],
  tables: async (context, { records }) => {
    const server = await context.postgres()
    const redisServer = await start(context)
    if (redisServer === undefined) return []
    const { url } = server
    const model = userModel('events', context.temporary)
    const filling = new Filling()
    const fresh = async () => {
      await redisServer.command('FLUSHALL')
      return `${redisServer.url}?stream=bench-${randomUUID()}`
    }
    const fill = (queue: string) => filling.fill(queue, eventMessages(records))
    const way = (name: string, isLading: boolean, command: (queue: string) => Command) =>
      filledWay({ name, isLading, fresh, fill, command })
    const lading = (queue: string, ...more: string[]) =>
      consumeCommand({ model, target: url, queue }, ...more)
    const program = join(import.meta.dirname, '..', 'programs', 'redis-inserts.ts')
    const plain = (queue: string): Command => {
      const stream = queue.slice(queue.indexOf('=') + 1)
      const args = [program, redisServer.url, stream, url, String(records)]
      return { role: 'consumer', program: process.execPath, args }
    }
    const table: Table = {
      title: `${whole(records)} messages of one record, waiting in a stream`,
      unit: 'messages',
      records,
      ways: [
        way('`XREADGROUP`, INSERT of 1,000', false, plain),
        way('`lading consume`', true, (queue) => lading(queue)),
        way('`lading consume --concurrency 2`', true, (queue) => lading(queue, '--concurrency', '2')),
      ],
      servers: measurable(['PostgreSQL', server], ['Redis', redisServer]),
      reset: () => resetTable(url, events),
      state: () => tableState(url, events),
      notes: () => filling.note(),
    }
    return [table]
  },
}

async function start(context: Context): Promise<RedisServer | undefined> {
  try {
    const server = await startRedis({ settings: { appendfsync: 'everysec' } })
    context.use(() => server.stop())
    context.versions['Redis'] = server.version
    return server
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    context.miss(`Redis is missing here: its section is not measured (${error.message})`)
    return undefined
  }
}
