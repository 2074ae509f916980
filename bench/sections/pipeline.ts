/**
 * The pipelines that lading replaces: Python producers and consumers that meet at RabbitMQ, beside lading
 * with as many consumers.
 */
import { type Context, measurable } from '../context.ts'
import type { Data, Size } from '../data.ts'
import { loadWays } from '../lading.ts'
import { resetTable, tableState } from '../postgres.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { findPython } from '../programs.ts'
import { pipelineWay, type Python } from '../python.ts'
import type { Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

const consumerCounts = [1, 2, 4]
/** The ways with one message for each record load fewer files: their rate is what is compared. */
const shareOfMessages = 10

export const pipeline: Section = {
  name: 'pipeline',
  heading: 'The replaced pipelines, in Python',
  about: `\`pika\` and \`psycopg2\`.

- Names of files: the producer puts the names of the files into a durable queue. Each consumer takes one with \`basic_get\`, reads the file
  with \`csv.reader\` and upserts it in batches of 5,000, one transaction for each file. \`executemany\` is the replaced way. \`execute_values\`
  and COPY of the whole file, which cannot update, are alternatives to it.
- Messages of one record: each row is a JSON message, and each consumer commits 5,000 of them with \`executemany\`. They load a tenth of the
  files; compare their rate.
- Lading: \`lading load\` through a quorum queue, with as many consumers.

Producer and consumers start together. An idle consumer asks the queue every 10 ms. It ends when the queue is empty and the producer had
ended before the request.`,
  records: 200_000,
  sensors: [200],
  tables: async (context, size) => {
    const server = await context.postgres()
    const rabbit = await context.rabbit()
    const program = context.need(
      'Python',
      findPython(),
      'the replaced pipeline (Debian: python3-pika, python3-psycopg2)',
    )
    if (rabbit === undefined) return []
    const data = await context.data(size)
    const { url } = server
    const lading = {
      data: data.folder,
      model: userModel('records-brin', context.temporary),
      target: url,
      rabbit,
    }
    const python = program === undefined ? undefined : { program, rabbit }
    const ways = [
      ...(python === undefined ? [] : await peerWays(context, python, data, url)),
      ...loadWays({ ...lading, consumers: consumerCounts }),
    ]
    return [
      {
        title: `${filesOf(size)} through RabbitMQ into a table with primary key and BRIN index`,
        unit: 'rows',
        records: size.records,
        ways,
        servers: measurable(['PostgreSQL', server], ['RabbitMQ', rabbit]),
        reset: () => resetTable(url, recordsBrin),
        state: () => tableState(url, recordsBrin),
      },
    ]
  },
}

async function peerWays(context: Context, python: Python, data: Data, target: string): Promise<Way[]> {
  const few = await context.data(fewer(data))
  const named = { producer: 'names.py', consumer: 'files.py', folder: data.folder, target }
  const single = {
    producer: 'records.py',
    consumer: 'messages.py',
    folder: few.folder,
    target,
    records: few.records,
  }
  const columns = ['records', 'record_time,sensor_id,value', 'get', String(few.records)]
  return [
    ...['executemany', 'execute_values', 'copy'].flatMap((method) =>
      consumerCounts.map((consumers) => {
        const name = `names of files, \`${method}\`, ${consumersOf(consumers)}`
        return pipelineWay(python, { ...named, name, consumers, more: [method] })
      }),
    ),
    ...consumerCounts.map((consumers) => {
      const name = `messages of one record, \`executemany\`, ${consumersOf(consumers)}`
      return pipelineWay(python, { ...single, name, consumers, more: columns })
    }),
  ]
}

/** Fewer files of the same length, or shorter ones where there are only a few. */
function fewer({ records, sensors }: Size): Size {
  const files = Math.max(1, Math.round(sensors / shareOfMessages))
  return { sensors: files, records: files * Math.max(1, Math.round(records / shareOfMessages / files)) }
}

const consumersOf = (count: number): string => (count === 1 ? 'one consumer' : `${count} consumers`)
