/**
 * The usual consumer of SQS, npm's sqs-consumer: batches of ten, one INSERT for each, addresses and devices
 * as their SHA-256.
 *
 * Arguments: queue, database, consumers beside each other in this process, messages after which it ends.
 */
import { createHash } from 'node:crypto'
import { type Message, SQSClient } from '@aws-sdk/client-sqs'
import pg from 'pg'
import { Consumer } from 'sqs-consumer'

const [queueUrl, database, consumers, wanted] = process.argv.slice(2) as [string, string, string, string]
const pool = new pg.Pool({ connectionString: database, max: Number(consumers) })
const sqs = new SQSClient({ endpoint: new URL(queueUrl).origin })
const columns = 8

interface Login {
  readonly user_id: string
  readonly device_type: string
  readonly ip: string
  readonly device_id: string
  readonly locale: string | null
  readonly app_version: string
}

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex')

function valuesOf({ MessageId, Body = '' }: Message): unknown[] {
  const login = JSON.parse(Body) as Login
  const { user_id, device_type, ip, device_id, locale, app_version } = login
  return [
    MessageId,
    user_id,
    device_type,
    hashed(ip),
    hashed(device_id),
    locale,
    Number.parseInt(app_version, 10),
    app_version,
  ]
}

let left = Number(wanted)

async function insert(messages: Message[]): Promise<Message[]> {
  const rows = messages.map(
    (_, row) =>
      `(${Array.from({ length: columns }, (__, column) => `$${row * columns + column + 1}`).join(', ')}, now(), now())`,
  )
  const names =
    'event_id, user_id, device_type, masked_ip, masked_device_id, locale, app_version, app_version_full, create_date, received_at'
  await pool.query(
    `INSERT INTO user_logins (${names}) VALUES ${rows.join(', ')} ON CONFLICT DO NOTHING`,
    messages.flatMap(valuesOf),
  )
  left -= messages.length
  return messages
}

const started = Array.from({ length: Number(consumers) }, () =>
  Consumer.create({ queueUrl, sqs, batchSize: 10, waitTimeSeconds: 1, handleMessageBatch: insert }),
)
await Promise.all(
  started.map(
    (consumer) =>
      new Promise<void>((resolve) => {
        consumer.on('stopped', () => resolve())
        // After the deletion of a batch, so that what was loaded is settled too.
        consumer.on('response_processed', () => {
          if (left <= 0) for (const each of started) each.stop({ abort: true })
        })
        consumer.start()
      }),
  ),
)
await pool.end()
