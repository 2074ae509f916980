/**
 * The usual consumer of a table that serves as a queue: a transaction deletes the next thousand rows that nobody has
 * locked, and inserts their records. It neither checks a record nor keeps one that is refused.
 *
 * Arguments: database.
 */
import pg from 'pg'

const [database] = process.argv.slice(2) as [string]
const client = new pg.Client(database)
await client.connect()

const move = `WITH taken AS (
    DELETE FROM jobs WHERE id IN (SELECT id FROM jobs ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING body
  )
  SELECT body FROM taken`
const insert = `INSERT INTO events
  SELECT id, occurred_at, kind, visitor, session, path, seconds FROM jsonb_populate_recordset(NULL::events, $1)`

for (let taken = 1; taken > 0;) {
  await client.query('BEGIN')
  const { rows } = await client.query<{ body: string }>(move)
  taken = rows.length
  if (taken > 0) await client.query(insert, [`[${rows.map(({ body }) => body).join()}]`])
  await client.query('COMMIT')
}
await client.end()
