import { join } from 'node:path'
import { openQueue } from '../../src/index.ts'
import { startNats } from '../../tooling/servers/nats.ts'
import { startPostgres } from '../../tooling/servers/postgres.ts'
import { startRabbit } from '../../tooling/servers/rabbitmq.ts'
import { startRedis } from '../../tooling/servers/redis.ts'
import { startSqsStub, type SqsKnobs } from '../../tooling/servers/sqs-stub.ts'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { unsynced } from './databases.ts'
import { type Disk, type LaneQueue, throughProxy, type Urls, via } from './lane.ts'

/** Short leases, so that what a killed consumer held comes again while the round lasts. */
export type OpenLaneQueue = (folder: string, disk: Disk | undefined) => Promise<LaneQueue>

const lease = 'lease=2'

export const embedded: OpenLaneQueue = async (folder, disk) => ({
  name: 'embedded',
  hasFiles: true,
  fresh: async (round) => {
    const url = `embedded:${join(disk?.folder ?? folder, `queue-${round}.db`)}?${lease}`
    return { url, direct: url }
  },
  [Symbol.asyncDispose]: async () => undefined,
})

export const rabbitmq: OpenLaneQueue = async () => {
  const server = await startRabbit()
  const { proxy, wire } = await throughProxy(server.url)
  return {
    name: 'rabbitmq',
    server,
    proxy,
    wire,
    fresh: async (round) => {
      const direct = `${server.url}?queue=round-${round}&heartbeat=5`
      await (await openQueue(direct))[Symbol.asyncDispose]()
      // A new queue whose name is not on the disk yet does not outlive a kill of this broker.
      await server.saveQueues()
      return { url: via(proxy, direct), direct }
    },
    inFlight: async () => Number(await server.evaluate(unacknowledged)),
    endSessions: () => server.closeConnections(),
    ...disposing(proxy, server),
  }
}

/** Of all queues, those of sessions too that the server has lost and does not know to be gone. */
const unacknowledged =
  'lists:sum([N || [{_, N}] <- rabbit_amqqueue:info_all(<<"/">>, [messages_unacknowledged])]).'

export const nats: OpenLaneQueue = async () => {
  const server = await startNats()
  const { proxy, wire } = await throughProxy(server.url)
  return {
    name: 'nats',
    server,
    proxy,
    wire,
    fresh: async (round) => made(proxy, `${server.url}?stream=round-${round}&${lease}&heartbeat=3`),
    ...disposing(proxy, server),
  }
}

export const redis: OpenLaneQueue = async () => {
  const server = await startRedis()
  const { proxy, wire } = await throughProxy(server.url)
  return {
    name: 'redis',
    server,
    proxy,
    wire,
    fresh: async (round) => made(proxy, `${server.url}?stream=round-${round}&${lease}`),
    endSessions: async () => void (await server.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')),
    ...disposing(proxy, server),
  }
}

/** In the database of the rows: settled by their transaction. */
export const postgresBeside: OpenLaneQueue = async () => ({
  name: 'same',
  fresh: async (round, { url, direct }) => {
    const own = `?queue=round-${round}&${lease}`
    return { url: url + own, direct: direct + own }
  },
  [Symbol.asyncDispose]: async () => undefined,
})

/** On a server of its own. */
export const postgres: OpenLaneQueue = async () => {
  const server = await startPostgres(unsynced)
  const { proxy, wire } = await throughProxy(server.url)
  return {
    name: 'pgqueue',
    server,
    proxy,
    wire,
    fresh: async (round) => made(proxy, `${server.url}?queue=round-${round}&${lease}`),
    ...disposing(proxy, server),
  }
}

const knobs: SqsKnobs = {
  duplicates: 0.1,
  reorder: true,
  expireHandles: 0.02,
  throttle: 0.05,
  failEntries: 0.02,
  fail503: 0.02,
  cut: 0.02,
  slow: 0.05,
  slowMs: 500,
}

const sqsOf =
  (suffix: '' | '.fifo'): OpenLaneQueue =>
  async () => {
    Object.assign(process.env, sqsEnvironment)
    const stub = await startSqsStub()
    const { proxy, wire } = await throughProxy(stub.url(''))
    return {
      name: suffix === '' ? 'sqs' : 'sqs-fifo',
      ...(suffix === '' ? {} : { isOrdered: true }),
      proxy,
      wire,
      fresh: async (round) => {
        const direct = await stub.createQueue(`round-${round}${suffix}`, { VisibilityTimeout: '3' })
        return { url: via(proxy, direct), direct }
      },
      misbehave: (seed) => {
        stub.turn({ seed, ...knobs })
        return () => stub.turn({})
      },
      ...disposing(proxy, stub),
    }
  }
export const sqs = sqsOf('')
export const sqsFifo = sqsOf('.fifo')

/** It is made before anything disturbs it. */
async function made(proxy: Parameters<typeof via>[0], direct: string): Promise<Urls> {
  await (await openQueue(direct))[Symbol.asyncDispose]()
  return { url: via(proxy, direct), direct }
}

const disposing = (proxy: AsyncDisposable, server: { stop(): Promise<void> }) => ({
  [Symbol.asyncDispose]: async () => {
    await proxy[Symbol.asyncDispose]()
    await server.stop()
  },
})
