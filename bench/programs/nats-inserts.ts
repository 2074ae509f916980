/**
 * What one writes with the client library of NATS and nothing else: up to a thousand messages, one INSERT for them,
 * an acknowledgement for each.
 *
 * Arguments: URL with the stream, database, messages after which it ends.
 */
import { type JsMsg, jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import pg from 'pg'

const [url = '', database = '', wanted] = process.argv.slice(2)
const { hostname, port, searchParams } = new URL(url)
const nats = await connect({ servers: [`${hostname}:${port}`] })
const consumer = await jetstream(nats).consumers.get(searchParams.get('stream') ?? '', 'lading')
const client = new pg.Client(database)
await client.connect()

for (let left = Number(wanted); left > 0;) {
  const messages: JsMsg[] = []
  for await (const message of await consumer.fetch({ max_messages: Math.min(1_000, left), expires: 5_000 }))
    messages.push(message)
  await client.query('INSERT INTO events SELECT * FROM json_populate_recordset(NULL::events, $1)', [
    `[${messages.map((message) => message.string()).join(',')}]`,
  ])
  await Promise.all(messages.map((message) => message.ackAck()))
  left -= messages.length
}
await client.end()
await nats.close()
