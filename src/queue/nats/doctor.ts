/** What `lading doctor` finds of a stream and its consumer. It stores, delivers and acknowledges nothing. */
import { randomUUID } from 'node:crypto'
import { count } from '../../core/counted.ts'
import { LadingError } from '../../core/errors.ts'
import { checked, failure, type Finding, findingsAbout } from '../../core/finding.ts'
import { isLoopback } from '../../core/server-url.ts'
import { openedFor, type QueueQuestions } from '../examination.ts'
import { type Address, parseAddress, shownQueue } from './address.ts'
import { Connection } from './connection.ts'
import { consumerFault, look, type Made, streamFault, subjectFault, subjectOf, weaknesses } from './stream.ts'

const { ok, note, warn, fail } = findingsAbout('queue')

export async function* examine(url: string, { create, signal }: QueueQuestions): AsyncGenerator<Finding> {
  const address = parseAddress(url)
  let connection: Connection
  try {
    connection = await openedFor(Connection.open(address, false), signal)
  } catch (thrown) {
    yield failure('queue', 'connection', thrown)
    return
  }
  try {
    yield ok('connection', `NATS ${connection.serverVersion} at ${address.servers[0]}`)
    yield encryption(address, connection)
    let made: Partial<Made>
    try {
      made = await look(connection, address)
    } catch (thrown) {
      yield failure('queue', 'stream', thrown)
      return
    }
    yield* state(address, made, create)
    if (made.stream !== undefined && made.consumer !== undefined)
      yield* await checked('queue', 'rights', async (add) => add(await rights(address, made as Made)))
  } finally {
    await connection.close()
  }
}

function encryption({ tls, host }: Address, { demandsTls }: Connection): Finding {
  if (tls !== undefined || demandsTls) return ok('encryption', 'the connection is encrypted (TLS)')
  return isLoopback(host)
    ? ok('encryption', 'the connection stays on this machine')
    : warn('encryption', 'password and records cross the network as plain text', 'tls:// in the URL')
}

function* state(address: Address, { stream, consumer }: Partial<Made>, create: boolean): Generator<Finding> {
  const where = shownQueue(address)
  const absent = (what: string) =>
    create
      ? note(what, `there is none at ${where} yet: the first producer or consumer makes it`)
      : fail(what, `QUEUE_MISSING: there is none at ${where}`, 'leave --no-create away')
  if (stream === undefined) return yield absent('stream')
  const unfit = streamFault(stream.config, address)
  if (unfit !== undefined) yield fail('stream', `QUEUE_REFUSED: ${unfit}`)
  if (consumer === undefined) yield absent('consumer')
  else {
    const fault = consumerFault(consumer.config, address)
    if (fault !== undefined) yield fail('consumer', `QUEUE_REFUSED: ${fault}`)
    const { num_pending: ready, num_ack_pending: held } = consumer
    yield ready + held === 0
      ? ok('stream', `nothing waits in ${stream.config.name} for ${address.consumer}`)
      : note(
          'stream',
          `${count(ready)} messages wait in ${stream.config.name} for ${address.consumer}, ${count(held)} are with consumers or come again later`,
          'lading status',
        )
  }
  for (const { what, detail, cure } of weaknesses(stream.config, consumer?.config))
    yield warn(what, detail, cure)
  yield durability(stream.config.num_replicas)
  const nowhere = subjectFault(address, stream.config)
  if (nowhere !== undefined)
    yield warn('subject', `QUEUE_REFUSED for producers: ${nowhere}`, 'subject=NAME in the URL')
}

/** The interval is a setting of the server that it tells no client. */
const durability = (replicas: number): Finding =>
  replicas > 1
    ? ok('durability', `what is confirmed is with most of ${replicas} servers`)
    : note(
        'durability',
        'the server confirms before its file system has synced (every two minutes by default): what was just confirmed survives a crash of the server, and may be lost when its machine fails',
        'sync_interval: always in the jetstream block of its configuration (2.10 and newer), or replicas=3',
      )

/** Each on a connection of its own, because a refusal may end it. */
async function rights(address: Address, made: Made): Promise<Finding> {
  const { stream, consumer } = address
  const isTold = subjectFault(address, made.stream.config) === undefined
  const missing: string[] = []
  const probe = async (right: string, work: (connection: Connection) => Promise<void>) => {
    const connection = await Connection.open(address, true)
    try {
      await work(connection)
    } catch (thrown) {
      if (!(thrown instanceof LadingError) || thrown.code !== 'QUEUE_REFUSED') throw thrown
      missing.push(right)
    } finally {
      await connection.close()
    }
  }
  if (isTold) {
    const subject = subjectOf(address, made.stream.config)
    await probe(subject, (connection) => mayPublish(connection, subject))
  }
  const get = `$JS.API.STREAM.MSG.GET.${stream}`
  await probe(get, async ({ answered, manager }) => {
    await answered(manager.streams.getMessage(stream, { seq: 1 }))
  })
  // Requests that the server refuses to read, and an acknowledgement of nothing.
  for (const [right, payload] of [
    [`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, '{'],
    [`$JS.ACK.${stream}.${consumer}.1.0.0.0.0`, '+ACK'],
  ] as const)
    await probe(right.replace(/\.1\.0\.0\.0\.0$/, '.>'), async (connection) => {
      connection.send(right.replace('$JS.API', connection.api), payload)
      await connection.flush()
    })
  return missing.length === 0
    ? ok('rights', 'the user may publish, ask for messages and acknowledge them')
    : fail(
        'rights',
        `the user may not publish to ${missing.join(', ')}`,
        `permissions: { publish: { allow: ${JSON.stringify(missing)} } }`,
      )
}

/** The server refuses a message for another stream, if it may be sent at all. */
async function mayPublish({ answered, publisher }: Connection, subject: string): Promise<void> {
  const expect = { streamName: `lading-doctor-${randomUUID()}` }
  await answered(publisher.publish(subject, '', { expect })).catch((error: unknown) => {
    if (error instanceof LadingError && !/expected stream/i.test(error.message)) throw error
  })
}
