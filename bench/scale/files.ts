/** Sizes of what is no ledger: the producer's state, the file of the embedded queue, the queue in PostgreSQL. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { type Model, openQueue, produce } from '../../src/index.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { eventMessages } from '../sections/messages.ts'

export interface Size {
  readonly what: string
  readonly bytes: number
}

const things = 2_000
const model: Model = recordsBrin
const header = 'record_time,sensor_id,value\n'
const line = (n: number): string =>
  `2026-03-01T${new Date(n * 1000).toISOString().slice(11, 19)}Z,sensor-1,0.5\n`

/** With what SQLite keeps beside it. */
const sizeOf = (folder: string, name: string): number =>
  readdirSync(folder)
    .filter((each) => each.startsWith(name))
    .reduce((sum, each) => sum + statSync(join(folder, each)).size, 0)

export async function fileSizes(temporary: string, url: string): Promise<readonly Size[]> {
  const files = await manyFiles(join(temporary, 'many'), (n) => line(n))
  const [few] = await manyFiles(
    join(temporary, 'few'),
    () => Array.from({ length: things * 30 }, (_, n) => line(n)).join(''),
    1,
  )
  const small = await produced(join(temporary, 'many'), files, {})
  const large = await produced(join(temporary, 'few'), [few as string], { chunkBytes: 30 * 35 })
  const referred = await produced(join(temporary, 'few'), [few as string], {
    chunkBytes: 30 * 35,
    carry: 'reference',
    root: join(temporary, 'few'),
  })
  return [
    { what: "the producer's state, for each file of one chunk", bytes: small.state / things },
    { what: "the producer's state, for each further chunk", bytes: large.state / large.messages },
    {
      what: 'the embedded queue, for each message beside its body',
      bytes: large.queue / large.messages - large.body,
    },
    { what: 'the header of a message with the bytes of its chunk', bytes: large.headers },
    { what: 'the header and body of a message with a reference', bytes: referred.headers + referred.body },
    ...(await postgresQueue(url)),
  ]
}

async function manyFiles(
  folder: string,
  content: (n: number) => string,
  count = things,
): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true })
  return Array.from({ length: count }, (_, n) => {
    const path = join(folder, `sensor-${String(n).padStart(7, '0')}.csv`)
    writeFileSync(path, header + content(n))
    return path
  })
}

async function produced(
  folder: string,
  paths: readonly string[],
  more: Partial<Parameters<typeof produce>[0]>,
) {
  const own = join(folder, `run-${Object.keys(more).length}`)
  mkdirSync(own, { recursive: true })
  const queueUrl = `embedded:${join(own, 'queue.db')}`
  {
    await using queue = await openQueue(queueUrl)
    await produce({ paths, model, queue, statePath: join(own, 'producer.db'), ...more })
  }
  return {
    state: sizeOf(own, 'producer.db'),
    queue: sizeOf(own, 'queue.db'),
    ...messagesIn(join(own, 'queue.db')),
  }
}

function messagesIn(path: string) {
  using file = new DatabaseSync(path)
  const row = file
    .prepare('SELECT count(*) AS messages, avg(length(headers)) AS headers, avg(bytes) AS bytes FROM message')
    .get()
  const body = file.prepare('SELECT avg(length(body)) AS body FROM body').get()
  return {
    messages: Number(row?.['messages']),
    headers: Number(row?.['headers']),
    body: Number(body?.['body']),
  }
}

async function postgresQueue(url: string): Promise<readonly Size[]> {
  const messages = [...eventMessages(20 * things)]
  const body = messages.reduce((sum, each) => sum + each.body.length, 0) / messages.length
  {
    await using queue = await openQueue(`${url}?queue=scale`)
    await queue.publish(messages)
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ bytes: number }>(
    "SELECT pg_total_relation_size('lading_queue.message')::float8 AS bytes",
  )
  await client.end()
  return [
    {
      what: `the queue in PostgreSQL, for each message of ${body.toFixed(0)} bytes beside its body`,
      bytes: (rows[0]?.bytes ?? 0) / messages.length - body,
    },
  ]
}
