/** What `lading doctor` finds of a RabbitMQ broker and its queue. */
import { randomUUID } from 'node:crypto'
import { count, counted } from '../../../core/counted.ts'
import type { LadingEvent } from '../../../core/events.ts'
import { checked, failure, type Finding, findingsAbout } from '../../../core/finding.ts'
import { isLoopback } from '../../../core/server-url.ts'
import { openedFor, type QueueQuestions } from '../../examination.ts'
import { type Address, parseAddress, shownQueue } from '../address.ts'
import { Connection } from '../connection.ts'
import { deadName, declaration, delayedName } from '../topology.ts'
import { type Arguments, type Made, madeWith, mayConfigure, mayPublish, mayRead, stateOf } from './probes.ts'

const { ok, note, warn, fail } = findingsAbout('queue')

export async function* examine(url: string, { create, signal }: QueueQuestions): AsyncGenerator<Finding> {
  const address = parseAddress(url)
  const blocked = Promise.withResolvers<'blocked'>()
  const onEvent = ({ type }: LadingEvent) => void (type === 'waiting' && blocked.resolve('blocked'))
  let connection: Connection
  try {
    const opening = Connection.open(address, `doctor ${address.queue}`, onEvent, false)
    connection = await openedFor(opening, signal)
  } catch (thrown) {
    yield failure('queue', 'connection', thrown)
    return
  }
  try {
    yield* connected(address, connection)
    const there = await checked('queue', 'queue', (add) => queueState(connection, address, create, add))
    yield* there
    yield* await checked('queue', 'rights', (add) =>
      rights(connection, address, create, blocked.promise, add),
    )
    yield note(
      'policies',
      'AMQP does not tell the policies of the broker (a time to live, a limit of length), nor its consumer_timeout (30 minutes by default), so look at them there',
      `rabbitmqctl list_policies -p '${address.vhost}'; rabbitmqctl environment | grep consumer_timeout`,
    )
  } finally {
    await connection.close()
  }
}

function* connected(address: Address, { serverVersion }: Connection): Generator<Finding> {
  yield ok(
    'connection',
    `RabbitMQ ${serverVersion} at ${address.host}:${address.port}, virtual host ${address.vhost}, as ${address.user}`,
  )
  if (address.tls !== undefined) yield ok('encryption', 'the connection is encrypted (TLS)')
  else if (isLoopback(address.host)) yield ok('encryption', 'the connection stays on this machine')
  else
    yield warn(
      'encryption',
      'password and records cross the network as plain text',
      'amqps:// in the URL (port 5671)',
    )
}

type Add = (...found: readonly Finding[]) => void

async function queueState(
  connection: Connection,
  address: Address,
  create: boolean,
  add: Add,
): Promise<void> {
  const { queue } = address
  const state = await stateOf(connection, queue)
  if (state === undefined)
    return add(
      create
        ? note(
            'queue',
            `there is no ${shownQueue(address)} yet: the first producer or consumer makes it (${address.type}, durable)`,
          )
        : fail('queue', `QUEUE_MISSING: there is no ${shownQueue(address)}`, 'leave --no-create away'),
    )
  add(
    state.messages === 0
      ? ok('queue', `${queue} is empty, ${counted(state.consumers, 'consumer')}`)
      : note(
          'queue',
          `${counted(state.messages, 'message')} wait in ${queue}, ${counted(state.consumers, 'consumer')}`,
          'lading status',
        ),
  )
  const dead = await stateOf(connection, deadName(queue))
  if (dead !== undefined && dead.messages > 0)
    add(
      warn(
        'dead messages',
        `${count(dead.messages)} in ${deadName(queue)}: each was delivered too often, and crashed its consumer mostly`,
      ),
    )
  if ((await mayConfigure(connection, queue)) === 'refused')
    return add(
      note(
        'arguments',
        `those of ${queue} cannot be seen without the right to configure it`,
        `rabbitmqctl list_queues -p '${address.vhost}' name type durable arguments`,
      ),
    )
  const expected = declaration(address)
  const made = await madeWith(connection, queue, expected)
  if (made === undefined)
    return add(
      note(
        'arguments',
        `those of ${queue} could not be found out`,
        `rabbitmqctl list_queues -p '${address.vhost}' name type durable arguments`,
      ),
    )
  add(...weaknesses(made))
  const differing = [
    ...(made.durable ? [] : ['not durable']),
    ...(made.autoDelete ? ['auto-delete'] : []),
    ...differences(expected, made.arguments),
  ]
  if (differing.length === 0) return add(ok('arguments', `${queue} is as Lading makes it`))
  const what = `${queue} was made otherwise than Lading would: ${differing.join(', ')}`
  return add(
    create
      ? fail(
          'arguments',
          `QUEUE_REFUSED: ${what}`,
          'add --no-create, which takes the queue as it is, or name another one: ?queue=NAME',
        )
      : note('arguments', what),
  )
}

const differences = (expected: Arguments, made: Arguments): string[] =>
  [...new Set([...Object.keys(expected), ...Object.keys(made)])]
    .filter((name) => expected[name] !== made[name])
    .map((name) => (made[name] === undefined ? `without ${name}` : `${name} = ${JSON.stringify(made[name])}`))

/** From its sixth delivery on a message is processed alone, and after the twentieth a consumer gives it up. */
const enoughDeliveries = 20

function* weaknesses({ durable, autoDelete, arguments: made }: Made): Generator<Finding> {
  if (!durable)
    yield warn('durability', 'the queue is not durable: a restart of the broker loses it, with its messages')
  if (autoDelete)
    yield warn(
      'durability',
      'the queue is one that is deleted, with its messages, when its last consumer leaves (auto-delete)',
    )
  const { 'x-queue-type': type = 'classic', 'x-delivery-limit': limit } = made
  if (type === 'classic')
    yield warn(
      'durability',
      'a classic queue may lose what it has confirmed when its machine fails, and does not count deliveries',
      '?type=quorum in the URL, with another ?queue=NAME',
    )
  else if (durable)
    yield ok('durability', `a ${type} queue: what it has confirmed is on the disk of most of its nodes`)
  for (const name of ['x-message-ttl', 'x-expires'])
    if (made[name] !== undefined)
      yield warn(
        name,
        `${name} is ${made[name]} ms: messages that wait longer are removed, and their records are lost (lading verify shows them as open)`,
      )
  const isLimited = ['x-max-length', 'x-max-length-bytes'].find((name) => made[name] !== undefined)
  if (isLimited !== undefined && made['x-overflow'] !== 'reject-publish')
    yield warn(
      isLimited,
      `${isLimited} is ${made[isLimited]}, and what is beyond it is dropped from the head: those records are lost`,
      "x-overflow: 'reject-publish' makes producers wait instead",
    )
  if (typeof limit === 'number' && limit < enoughDeliveries)
    yield warn(
      'x-delivery-limit',
      `it is ${limit}: the broker moves a message away before a consumer has said what is wrong with it`,
    )
  if (made['x-single-active-consumer'] === true)
    yield note('x-single-active-consumer', 'one consumer at a time gets messages, however many there are')
}

async function rights(
  connection: Connection,
  address: Address,
  create: boolean,
  blocked: Promise<'blocked'>,
  add: Add,
): Promise<void> {
  const { queue, user, vhost } = address
  const names = create ? [queue, deadName(queue), delayedName(queue)] : [queue]
  const missing: string[] = []
  for (const name of names) {
    if (create && (await mayConfigure(connection, name)) === 'refused') missing.push(`configure ${name}`)
    if ((await mayRead(connection, name)) === 'refused') missing.push(`read ${name}`)
  }
  const published = await mayPublish(connection, `lading-doctor-${randomUUID()}`, blocked)
  if (published === 'refused') missing.push('write amq.default (the default exchange)')
  if (published === 'blocked')
    add(
      warn(
        'alarm',
        'the broker takes nothing now: it is short of memory or disk, and producers wait until it is not',
        'rabbitmq-diagnostics alarms',
      ),
    )
  // v8 ignore next -- a broker that falls silent after all other answers
  if (published === 'silent')
    add(warn('alarm', 'the broker does not answer what is published', 'rabbitmq-diagnostics alarms'))
  if (missing.length === 0)
    return add(ok('rights', `user ${user} may ${create ? 'make the queues, ' : ''}publish and consume`))
  const pattern = `^${queue.replaceAll(/[^\w-]/g, '\\$&')}(\\.dead|\\.delayed)?$`
  return add(
    fail(
      'rights',
      `user ${user} may not ${missing.join(', ')}`,
      `rabbitmqctl set_permissions -p '${vhost}' '${user}' '${create ? pattern : '^$'}' '${pattern}|^amq\\.default$' '${pattern}' # replaces what the user has there`,
    ),
  )
}
