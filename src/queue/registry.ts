/** The queues that there are. A driver is loaded when a URL of its queue is opened. */
import { type Adapter, examplesOf, openBy, type Place, placeOf } from '../core/address.ts'
import type { Finding } from '../core/finding.ts'
import { embedded } from './embedded/address.ts'
import type { QueueQuestions } from './examination.ts'
import { memory } from './memory/address.ts'
import { nats } from './nats/address.ts'
import { postgres } from './postgres/address.ts'
import type { OpenOptions, Queue } from './queue.ts'
import { rabbitmq } from './rabbitmq/address.ts'
import { redis } from './redis/address.ts'
import { sqs } from './sqs/address.ts'

const adapters: readonly Adapter<Queue, OpenOptions>[] = [
  { ...embedded, open: async (...args) => (await import('./embedded/open.ts')).openEmbeddedQueue(...args) },
  { ...rabbitmq, open: async (...args) => (await import('./rabbitmq/rabbitmq.ts')).openRabbitQueue(...args) },
  { ...postgres, open: async (...args) => (await import('./postgres/postgres.ts')).openPgQueue(...args) },
  { ...redis, open: async (...args) => (await import('./redis/redis.ts')).openRedisQueue(...args) },
  { ...sqs, open: async (...args) => (await import('./sqs/sqs.ts')).openSqsQueue(...args) },
  { ...nats, open: async (...args) => (await import('./nats/nats.ts')).openNatsQueue(...args) },
  { ...memory, open: async (...args) => (await import('./memory/memory.ts')).openMemoryQueue(...args) },
]

/** What `lading doctor` asks. */
const examiners: readonly Adapter<AsyncIterable<Finding>, QueueQuestions>[] = [
  { ...embedded, open: async (...args) => (await import('./embedded/doctor.ts')).examine(...args) },
  { ...rabbitmq, open: async (...args) => (await import('./rabbitmq/doctor/doctor.ts')).examine(...args) },
  { ...postgres, open: async (...args) => (await import('./postgres/doctor.ts')).examine(...args) },
  { ...redis, open: async (...args) => (await import('./redis/doctor.ts')).examine(...args) },
  { ...sqs, open: async (...args) => (await import('./sqs/doctor.ts')).examine(...args) },
  { ...nats, open: async (...args) => (await import('./nats/doctor.ts')).examine(...args) },
  { ...memory, open: async (url) => (await import('./memory/doctor.ts')).examine(url) },
]

export const defaultQueueUrl = 'embedded:./.lading/queue.db'
/** For the examples of help. */
export const exampleQueueUrl = 'embedded:/var/lib/lading/queue.db'
export const queueUrls = examplesOf(adapters)

export const placeOfQueue = (url: string): Place => placeOf(adapters, url)

/**
 * The queue of a URL: `embedded:FILE`, `memory:` or `memory:NAME`, `amqp://…` or `amqps://…`, `postgresql://…?queue=NAME`, `redis://…` or `rediss://…`,
 * `nats://…` or `tls://…`, an SQS URL. Disposing of it closes it; messages stay, but for those of `memory:`.
 *
 * @param url - By default a file below the working folder, `embedded:./.lading/queue.db`.
 * @throws LadingError `USAGE` for a URL that cannot be one, `QUEUE_MISSING` where `create` is false and there is none,
 *   `QUEUE_REFUSED` or `QUEUE_UNAVAILABLE` where the broker cannot be used.
 * @example
 * await using queue = await openQueue('memory:')
 */
export const openQueue = async (url: string = defaultQueueUrl, options: OpenOptions = {}): Promise<Queue> =>
  openBy(adapters, 'queue', url, options)

export const examineQueue = async (url: string, questions: QueueQuestions): Promise<AsyncIterable<Finding>> =>
  openBy(examiners, 'queue', url, questions)
