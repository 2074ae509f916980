/** Which queue goes with which database. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guard } from '../../tooling/servers/engine.ts'
import * as databases from './databases.ts'
import type { Lane } from './lane.ts'
import { makeClock, mountDisk } from './machine.ts'
import * as queues from './queues.ts'

const { postgres, sqlite, mariadb, duckdb } = databases

const pairs = {
  'embedded-postgres': [queues.embedded, postgres],
  'rabbitmq-postgres': [queues.rabbitmq, postgres],
  'nats-postgres': [queues.nats, postgres],
  'redis-postgres': [queues.redis, postgres],
  'sqs-postgres': [queues.sqs, postgres],
  'sqs-fifo-postgres': [queues.sqsFifo, postgres],
  'pgqueue-same': [queues.postgresBeside, postgres],
  'pgqueue-postgres': [queues.postgres, postgres],
  'embedded-sqlite': [queues.embedded, sqlite],
  'rabbitmq-sqlite': [queues.rabbitmq, sqlite],
  'nats-sqlite': [queues.nats, sqlite],
  'redis-sqlite': [queues.redis, sqlite],
  'sqs-sqlite': [queues.sqs, sqlite],
  'pgqueue-sqlite': [queues.postgres, sqlite],
  'embedded-mariadb': [queues.embedded, mariadb],
  'embedded-duckdb': [queues.embedded, duckdb],
} as const satisfies Record<string, readonly [queues.OpenLaneQueue, databases.OpenDatabase]>

export type LaneName = keyof typeof pairs
export const laneNames = Object.keys(pairs) as readonly LaneName[]

/** Starts the servers. */
export async function openLane(name: LaneName): Promise<Lane> {
  await using opened = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'lading-faults-'))
  // Goes with this process, however that ends.
  const keeper = guard('umount -l "$1/disk" 2>/dev/null; rm -rf "$1"', [folder])
  opened.defer(() => keeper.close())
  const disk = mountDisk(folder)
  const small = 'reason' in disk ? undefined : disk
  const [openQueue, openDatabase] = pairs[name]
  const database = opened.use(await openDatabase(folder, small))
  const queue = opened.use(await openQueue(folder, small))
  const clock = makeClock(folder)
  const all = opened.move()
  return { name, queue, database, folder, disk, clock, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
