/** Faults of one line each that tests with real servers have to find; those of consumers and loads are in simulation/saboteurs.ts. */
import type { Saboteur } from '../simulation/saboteurs.ts'

export interface GuardedSaboteur extends Saboteur {
  /** The test file that has to turn red. */
  readonly guard: string
}

const direct = 'src/sink/postgres/direct.ts'
const publisher = 'src/queue/rabbitmq/publisher.ts'
const producer = 'src/producer/publish.ts'

export const saboteurs: readonly GuardedSaboteur[] = [
  {
    name: 'PostgreSQL: COMMIT is believed whatever its tag says',
    file: 'src/driver/postgres/transaction.ts',
    line: "command !== 'COMMIT'",
    instead: 'command === undefined',
    guard: 'test/sink/postgres-faults.test.ts',
  },
  {
    name: 'PostgreSQL: nobody counts the rows that COPY took',
    file: direct,
    line: 'open === loads && entered === parts.length && taken === rows.rows',
    instead: 'open === loads && entered === parts.length',
    guard: 'test/sink/postgres.test.ts',
  },
  {
    name: 'PostgreSQL: the ledger is written in a transaction of its own',
    file: direct,
    line: '    copyEntries,\n',
    instead: "    copyEntries,\n    'COMMIT',\n    beginBatch,\n",
    guard: 'test/sink/postgres.test.ts',
  },
  {
    name: 'PostgreSQL: a folded load takes its chunks again',
    file: direct,
    line: 'open === loads && entered === parts.length && taken === rows.rows',
    instead: 'entered === parts.length && taken === rows.rows',
    guard: 'test/sink/postgres.test.ts',
  },
  {
    name: 'a load is folded before its last chunk',
    file: 'src/sink/sql/steps.ts',
    line: 'NOT complete AND done = chunks',
    instead: 'NOT complete AND done + 1 >= chunks',
    guard: 'test/sink/sqlite.test.ts',
  },
  {
    name: 'a fold does not keep the batches of its loads out',
    file: 'src/sink/sql/steps.ts',
    line: 'const free = yield* dialect.lockFreeLoads(ids)',
    instead: 'const free = ids',
    guard: 'test/sink/postgres.test.ts',
  },
  {
    name: 'a reject is replayed as often as it is asked for',
    file: 'src/sink/sql/replay.ts',
    line: "AND state = 'open' ORDER BY",
    instead: 'ORDER BY',
    guard: 'test/sink/postgres.test.ts',
  },
  {
    name: 'replays do not wait for each other',
    file: 'src/sink/sql/replay.ts',
    line: 'ORDER BY id ${forUpdate}',
    instead: 'ORDER BY id',
    guard: 'test/sink/postgres.test.ts',
  },
  {
    name: 'DuckDB: COMMIT is believed after an error',
    file: 'src/sink/duckdb/session.ts',
    line: 'this.#hasFailed = true',
    instead: 'this.#hasFailed = false',
    guard: 'test/sink/duckdb-session.test.ts',
  },
  {
    name: 'MariaDB: warnings of LOAD DATA are not read',
    file: 'src/sink/mysql/loading.ts',
    line: 'changed === end - start && warnings === 0',
    instead: 'changed === end - start',
    guard: 'test/sink/mysql.test.ts',
  },
  {
    name: 'RabbitMQ: nobody waits for a confirmation',
    file: publisher,
    line: "this.#epoch.channel.publish('', queue, body",
    instead: "resolve('confirmed')\n        this.#epoch.channel.publish('', queue, body",
    guard: 'test/queue/rabbitmq-publish.test.ts',
  },
  {
    name: 'RabbitMQ: what is returned is not heard',
    file: publisher,
    line: "channel.on('return'",
    instead: "channel.on('never'",
    guard: 'test/queue/rabbitmq-publish.test.ts',
  },
  {
    name: 'RabbitMQ: what cannot be routed is not returned',
    file: 'src/queue/rabbitmq/message.ts',
    line: 'persistent: true, mandatory: true },',
    instead: 'persistent: true },',
    guard: 'test/queue/rabbitmq-publish.test.ts',
  },
  {
    name: 'RabbitMQ: what is refused counts as confirmed',
    file: publisher,
    line: "left = left.filter((_, index) => answers[index] === 'refused')",
    instead: 'left = answers.slice(answers.length) as never',
    guard: 'test/queue/rabbitmq-publish.test.ts',
  },
  {
    name: 'RabbitMQ: an acknowledgement takes open messages along',
    file: 'src/queue/rabbitmq/acknowledgements.ts',
    line: 'end < states.length && states[end] !== open',
    instead: 'end < states.length',
    guard: 'test/queue/rabbitmq-acknowledgements.test.ts',
  },
  {
    name: 'SQS: an entry that failed counts as done',
    file: 'src/queue/sqs/batch.ts',
    line: 'left = [...open.values()]',
    instead: 'left = []',
    guard: 'test/queue/sqs-faults.test.ts',
  },
  {
    name: 'PostgreSQL queue: who lost the lease still settles',
    file: 'src/queue/postgres/settlements.ts',
    line: 'm.id = held.id AND m.lease = held.lease`',
    instead: 'm.id = held.id`',
    guard: 'test/queue/postgres-contract.test.ts',
  },
  {
    name: 'Redis: who lost the delivery still settles',
    file: 'src/queue/redis/scripts.ts',
    line: "state and state[2] == 'held' and state[4] == attempt",
    instead: 'state',
    guard: 'test/queue/redis-contract.test.ts',
  },
  {
    name: 'a chunk is published although the file has changed',
    file: producer,
    line: 'Buffer.isBuffer(body) && sha256Of(body) !== chunk.sha256',
    instead: 'Buffer.isBuffer(body) && false',
    guard: 'test/producer/publish.test.ts',
  },
  {
    name: 'a chunk counts as published before the queue has it',
    file: producer,
    line: 'await retrying(() => this.#queue.publish(messages, { signal })',
    instead: 'void retrying(() => this.#queue.publish(messages, { signal })',
    guard: 'test/producer/publish.test.ts',
  },
  {
    name: 'a load waits for room for ever',
    file: 'src/load/room.ts',
    line: 'performance.now() - since < patienceMs',
    instead: 'since !== undefined',
    guard: 'test/load/room.test.ts',
  },
  {
    name: 'a commit does not wait for the disk',
    file: 'src/core/sqlite.ts',
    line: "synchronous = 'FULL'",
    instead: "synchronous = 'NORMAL'",
    guard: 'test/core/sqlite.test.ts',
  },
  {
    name: 'consumer: a stop waits for a queue that does not take back',
    file: 'src/consumer/foreign.ts',
    line: 'await unlessAborted(Promise.all(given), abandon)',
    instead: 'await Promise.all(given)',
    guard: 'test/consumer/stop.test.ts',
  },
]
