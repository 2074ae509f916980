/** What `lading doctor` finds of a Redis server and its stream. */
import { count } from '../../core/counted.ts'
import { sizeText } from '../../core/disk.ts'
import { LadingError } from '../../core/errors.ts'
import { checked, failure, type Finding, findingsAbout } from '../../core/finding.ts'
import { isLoopback } from '../../core/server-url.ts'
import { openedFor, type QueueQuestions } from '../examination.ts'
import { type Address, parseAddress, shownQueue } from './address.ts'
import { commandOf, prepare, rightsCommand } from './calls.ts'
import { Connection, type Reply } from './connection.ts'
import { keysOf } from './scripts.ts'
import { factsOf, reasonAgainst, type ServerFacts, weaknessesOf } from './server.ts'

const { ok, note, warn, fail } = findingsAbout('queue')

export async function* examine(url: string, { create, signal }: QueueQuestions): AsyncGenerator<Finding> {
  const address = parseAddress(url)
  let connection: Connection | undefined
  try {
    connection = await openedFor(Connection.open(address), signal)
    const facts = await factsOf(connection)
    yield ok('connection', `Redis ${facts.version} at ${address.host}:${address.port}`)
    yield* encryption(address)
    const against = reasonAgainst(facts, address)
    if (against !== undefined) yield fail('server', `QUEUE_REFUSED: ${against}`)
    if (facts.info['redis_mode'] === 'sentinel') return
    yield* disk(facts)
    yield* memory(facts)
    const { rights, state } = questions(connection, address, create)
    const found = await checked('queue', 'rights', rights)
    yield* found
    if (!found.some(({ level }) => level === 'fail')) yield* await checked('queue', 'queue', state)
  } catch (thrown) {
    yield failure('queue', 'connection', thrown)
  } finally {
    connection?.close()
  }
}

function* encryption({ tls, host }: Address): Generator<Finding> {
  if (tls !== undefined) yield ok('encryption', 'the connection is encrypted (TLS)')
  else if (isLoopback(host)) yield ok('encryption', 'the connection stays on this machine')
  else
    yield warn('encryption', 'password and records cross the network as plain text', 'rediss:// in the URL')
}

function* disk(facts: ServerFacts): Generator<Finding> {
  const { info, settings } = facts
  // What is not said of the network here.
  const weak = [...weaknessesOf(facts, { tls: undefined, host: 'localhost' })]
  const cure =
    info['aof_enabled'] === '1'
      ? 'redis-cli CONFIG SET appendfsync always # and in redis.conf'
      : 'redis-cli CONFIG SET appendonly yes # and in redis.conf'
  for (const what of weak) yield warn('durability', what, settings === undefined ? undefined : cure)
  if (weak.length === 0)
    yield ok('durability', 'what Redis has confirmed is on its disk (appendfsync always)')
  for (const name of ['aof_last_write_status', 'aof_last_bgrewrite_status', 'rdb_last_bgsave_status'])
    if (info[name] === 'err')
      yield warn('durability', `${name} is err: the disk of the server is full or broken, see its log`)
}

/** Of the memory that it may have, from where on it is told. */
const nearlyFull = 0.8

function* memory({ info }: ServerFacts): Generator<Finding> {
  const [used, most] = [Number(info['used_memory']), Number(info['maxmemory'])]
  if (!(most > 0))
    return yield note(
      'memory',
      `${sizeText(used)}, without a limit: a queue that grows beyond the memory of the machine ends the server`,
      'redis-cli CONFIG SET maxmemory 1gb # what is beyond it makes producers wait',
    )
  const what = `${sizeText(used)} of ${sizeText(most)}, all of the queue lies in it`
  yield used > most * nearlyFull
    ? warn('memory', `${what}: producers wait when it is full`, 'redis-cli CONFIG SET maxmemory …')
    : ok('memory', what)
}

type Add = (...found: readonly Finding[]) => void

const questions = (connection: Connection, address: Address, create: boolean) => ({
  rights: async (add: Add): Promise<void> => {
    const missing = (await connection.send(rightsCommand(address))) as readonly Reply[]
    const user = address.user ?? 'default'
    if (missing.length === 0) return add(ok('rights', `user ${user} may do what producers and consumers do`))
    const keys = keysOf(address.stream)
      .map((key) => `'~${key}'`)
      .join(' ')
    add(
      fail(
        'rights',
        `user ${user} may not use ${missing.map((each) => String(each).slice(1)).join(', ')} on the keys of the queue`,
        `redis-cli ACL SETUSER '${user}' ${keys} ${missing.map(String).join(' ')}`,
      ),
    )
  },
  state: async (add: Add): Promise<void> => {
    let warnings: readonly string[]
    try {
      warnings = (await prepare(connection, address, 'look')).warnings
    } catch (thrown) {
      if (thrown instanceof LadingError && thrown.code === 'QUEUE_MISSING' && create)
        return add(
          note('queue', `there is no ${shownQueue(address)} yet: the first producer or consumer makes it`),
        )
      return add(failure('queue', 'queue', thrown))
    }
    const [ready, held] = (await connection.send(commandOf(address, 'depth'))) as readonly [number, number]
    add(...warnings.map((what) => warn('group', what)))
    add(
      ready + held === 0
        ? ok('queue', `${address.stream} is empty`)
        : note(
            'queue',
            `${count(ready)} messages wait and ${count(held)} are with consumers`,
            'lading status',
          ),
    )
  },
})
