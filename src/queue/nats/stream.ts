/**
 * The stream and its consumer: made where there are none, and looked at where others made them. A stream that
 * cannot keep the promise is refused; one that keeps less of it is told of.
 */
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { count } from '../../core/counted.ts'
import { LadingError } from '../../core/errors.ts'
import { type Address, shownQueue } from './address.ts'
import type { Connection } from './connection.ts'

/** The stream and the consumer as the server has them. */
export interface Made {
  readonly stream: StreamInfo
  readonly consumer: ConsumerInfo
}

/** As they are, or undefined for what there is not. */
export async function look(connection: Connection, address: Address): Promise<Partial<Made>> {
  const { manager } = connection
  const stream = await found(connection, manager.streams.info(address.stream))
  if (stream === undefined) return {}
  const consumer = await found(connection, manager.consumers.info(address.stream, address.consumer))
  return consumer === undefined ? { stream } : { stream, consumer }
}

/** Makes what there is not, where it may; throws what is wrong with it before anybody relies on it. */
export async function prepare(connection: Connection, address: Address, create: boolean): Promise<Made> {
  const { manager } = connection
  let { stream, consumer } = await look(connection, address)
  if (stream === undefined) {
    if (!create) throw missing(address, 'there is no such stream')
    stream = await connection.answered(manager.streams.add(streamConfig(address)))
  }
  const unfit = streamFault(stream.config, address)
  if (unfit !== undefined) throw refused(address, unfit)
  if (consumer === undefined) {
    if (!create) throw missing(address, `it has no consumer ${address.consumer}`)
    const config = consumerConfig(address, stream.config)
    consumer = await connection.answered(manager.consumers.add(address.stream, config))
  }
  const fault = consumerFault(consumer.config, address)
  if (fault !== undefined) throw refused(address, fault)
  return { stream, consumer }
}

const found = async <T>(connection: Connection, asked: Promise<T>): Promise<T | undefined> =>
  await connection.answered(
    asked.catch((error: unknown) => {
      if (error instanceof JetStreamApiError && error.status === 404) return undefined
      throw error
    }),
  )

const refused = (address: Address, why: string): LadingError =>
  new LadingError('QUEUE_REFUSED', `${shownQueue(address)}: ${why}`)
const missing = (address: Address, why: string): LadingError =>
  new LadingError('QUEUE_MISSING', `${shownQueue(address)}: ${why}`)

/** A message leaves the stream when it is acknowledged, and a stream that is full makes producers wait. */
export const streamConfig = ({
  stream,
  subject,
  storage,
  replicas,
}: Address): Partial<StreamConfig> & {
  readonly name: string
} => ({
  name: stream,
  subjects: [subject ?? stream],
  retention: RetentionPolicy.Workqueue,
  discard: DiscardPolicy.New,
  storage: storage === 'memory' ? StorageType.Memory : StorageType.File,
  num_replicas: replicas,
})

/** Nothing of it gives a message up: a consumer of ours counts the deliveries, and keeps the message with the reason. */
export const consumerConfig = (
  { consumer, subject, leaseMs }: Address,
  stream: StreamConfig,
): Partial<ConsumerConfig> => ({
  durable_name: consumer,
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(leaseMs),
  deliver_policy: DeliverPolicy.All,
  replay_policy: ReplayPolicy.Instant,
  max_deliver: -1,
  max_ack_pending: -1,
  ...(subject !== undefined && !isOnly(subject, subjectsOf(stream)) ? { filter_subject: subject } : {}),
})

const isOnly = (subject: string, subjects: readonly string[]): boolean =>
  subjects.length === 1 && subjects[0] === subject

/** A copy of another stream has none. */
const subjectsOf = ({ subjects }: Partial<StreamConfig>): readonly string[] => subjects ?? []

/** Subjects that the consumer is limited to; empty for all of the stream. */
export const filtersOf = ({ filter_subject: one, filter_subjects: several }: Partial<ConsumerConfig>) =>
  several ?? (one ? [one] : [])

/** Whether the consumer gets every message of the stream. */
export function hasAll(consumer: ConsumerConfig, stream: StreamConfig): boolean {
  const filters = filtersOf(consumer)
  return filters.length === 0 || subjectsOf(stream).every((subject) => isWithin(subject, filters))
}

/** What messages are published to. Throws where the stream alone does not say it. */
export function subjectOf(address: Address, stream: StreamConfig): string {
  const why = subjectFault(address, stream)
  if (why !== undefined) throw refused(address, why)
  return address.subject ?? (subjectsOf(stream)[0] as string)
}

/** Why there is no subject to publish to; undefined where there is one. */
export function subjectFault({ subject }: Address, stream: StreamConfig): string | undefined {
  const subjects = subjectsOf(stream)
  if (subjects.length === 0) return 'it is a copy of another stream, to which nothing can be published'
  const only = subject ?? (subjects.length === 1 ? subjects[0] : undefined)
  return only !== undefined && isPlain(only)
    ? undefined
    : `it has several subjects (${subjects.join(', ')}); subject=NAME in the URL says which one to publish to`
}

const isPlain = (subject: string): boolean => !subject.split('.').some((name) => name === '*' || name === '>')

/** Whether one of the patterns takes all that the subject stands for. */
const isWithin = (subject: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => takes(pattern.split('.'), subject.split('.')))

function takes(pattern: readonly string[], names: readonly string[]): boolean {
  if (pattern.at(-1) !== '>') return pattern.length === names.length && pattern.every(takesName(names))
  return pattern.length <= names.length && pattern.slice(0, -1).every(takesName(names))
}

const takesName = (names: readonly string[]) => (each: string, at: number) =>
  each === names[at] || (each === '*' && names[at] !== '>')

/** Why messages must not be entrusted to the stream. */
export function streamFault(stream: StreamConfig, { storage, subject }: Address): string | undefined {
  if (stream.no_ack === true) return 'it confirms nothing that is published (no_ack)'
  if (stream.storage === StorageType.Memory && storage !== 'memory')
    return 'it is kept in memory, so a restart loses its messages; storage=memory in the URL takes it all the same'
  if (subject !== undefined && !isWithin(subject, subjectsOf(stream)))
    return `it does not take the subject ${subject}, but ${subjectsOf(stream).join(', ') || 'none'}`
  return undefined
}

/** Why messages cannot be taken from the consumer. */
export function consumerFault(config: ConsumerConfig, { consumer, subject }: Address): string | undefined {
  const other = 'consumer=NAME in the URL names another'
  if (config.ack_policy !== AckPolicy.Explicit)
    return `its consumer ${consumer} acknowledges with ${config.ack_policy}, not each message (explicit); ${other}`
  if (config.deliver_subject !== undefined)
    return `its consumer ${consumer} is one that messages are pushed to; ${other}`
  if (config.headers_only === true) return `its consumer ${consumer} gets headers alone; ${other}`
  const filters = filtersOf(config)
  if (subject !== undefined && filters.length > 0 && !isWithin(subject, filters))
    return `its consumer ${consumer} is limited to ${filters.join(', ')}, not to ${subject}; ${other}`
  return undefined
}

/** How long the server leaves a delivery with its holder. */
export const leaseOf = ({ ack_wait: wait = 0, backoff = [] }: ConsumerConfig): number =>
  Math.min(wait || Number.POSITIVE_INFINITY, ...backoff) / 1e6

const longest = 0xffff_ffff

/** Of stream and consumer: what is weaker than it could be, and what a person can do about it. */
export function* weaknesses(
  stream: StreamConfig,
  consumer: ConsumerConfig | undefined,
): Generator<{ readonly what: string; readonly detail: string; readonly cure?: string }> {
  const { name, max_age: age, discard, retention, storage, max_msgs_per_subject: perSubject } = stream
  const edit = (options: string) => `nats stream edit ${name} ${options}`
  if (storage === StorageType.Memory)
    yield {
      what: 'storage',
      detail: 'the stream is kept in memory: a restart of the server loses its messages',
    }
  if (age > 0)
    yield {
      what: 'max_age',
      detail: `messages are removed after ${seconds(age / 1e9)}, read or not`,
      cure: edit('--max-age 0'),
    }
  const limits = { max_msgs: stream.max_msgs, max_bytes: stream.max_bytes }
  for (const [limit, most] of Object.entries(limits))
    if (most > 0 && discard !== DiscardPolicy.New)
      yield {
        what: limit,
        detail: `beyond ${limit} ${count(most)} the oldest messages are removed, read or not`,
        cure: edit('--discard new'),
      }
  if (perSubject > 0 && perSubject < longest)
    yield {
      what: 'max_msgs_per_subject',
      detail: `beyond ${count(perSubject)} messages of a subject its oldest are removed, read or not`,
      cure: edit('--max-msgs-per-subject=-1'),
    }
  if (retention === RetentionPolicy.Interest)
    yield {
      what: 'retention',
      detail: 'the stream keeps nothing that is published while it has no consumer (retention interest)',
    }
  if (consumer !== undefined && consumer.deliver_policy !== DeliverPolicy.All)
    yield {
      what: 'deliver_policy',
      detail: `the consumer has passed over messages that were there before it (deliver_policy ${consumer.deliver_policy}); they never come`,
      cure: 'consumer=NAME in the URL, for one that is made anew',
    }
  if (consumer !== undefined && (consumer.max_deliver ?? -1) > 0)
    yield {
      what: 'max_deliver',
      detail: `the server no longer delivers a message after ${consumer.max_deliver} deliveries, those to stopped and killed consumers included`,
      cure: `nats consumer edit ${name} ${consumer.durable_name ?? ''} --max-deliver=-1`,
    }
}

function seconds(value: number): string {
  const days = value / 86_400
  return days >= 1 ? `${count(Math.round(days))} days` : `${count(Math.round(value))} s`
}

/** The messages of the stream from a number on, one after the other, as the server stores them. */
export async function* stored(
  connection: Connection,
  { stream, consumer }: Made,
  from: number,
): AsyncGenerator<NonNullable<Awaited<ReturnType<JetStreamManager['streams']['getMessage']>>>> {
  const filters = filtersOf(consumer.config)
  const subject = filters.length === 1 ? filters[0] : '>'
  for (let seq = Math.max(1, from); ;) {
    const query = { seq, next_by_subj: subject }
    const message = await connection.answered(
      connection.manager.streams.getMessage(stream.config.name, query),
    )
    if (message === null) return
    yield message
    seq = message.seq + 1
  }
}
