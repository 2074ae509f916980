/**
 * A plain consumer of a stream, as the documentation of the client shows it: XREADGROUP of 1,000, one INSERT for them,
 * XACK. It knows no record that is wrong and no message that comes twice.
 *
 * Arguments: server, stream, database, messages after which it ends.
 */
import { createClient } from '@redis/client'
import pg from 'pg'

const [url, stream, database, wanted] = process.argv.slice(2) as [string, string, string, string]
/** What the client's own type leaves open. */
interface Stream {
  readonly messages: readonly { readonly id: string; readonly message: Readonly<Record<string, string>> }[]
}

const group = 'plain'
const client = await createClient({ url }).connect()
const postgres = new pg.Client(database)
await postgres.connect()
await client.xGroupCreate(stream, group, '0')
for (let left = Number(wanted); left > 0;) {
  const read = await client.xReadGroup(group, 'one', { key: stream, id: '>' }, { COUNT: 1_000, BLOCK: 1_000 })
  const entries = (read as readonly Stream[] | null)?.[0]?.messages ?? []
  if (entries.length === 0) continue
  const records = `[${entries.map(({ message }) => message['body']).join()}]`
  await postgres.query('INSERT INTO events SELECT * FROM json_populate_recordset(NULL::events, $1)', [
    records,
  ])
  await client.xAck(
    stream,
    group,
    entries.map(({ id }) => id),
  )
  left -= entries.length
}
await postgres.end()
client.destroy()
