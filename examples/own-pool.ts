// DATABASE_URL=postgresql://… node examples/own-pool.ts orders.csv
// Loads through the pool that the program has anyway, while it asks its own questions.
import { load, openQueue, openSink } from 'lading'
import pg from 'pg'
import orders from './orders.ts'

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 5 })
try {
  await using queue = await openQueue('memory:')
  // Borrows two sessions of the pool at most, and gives them back as they were.
  await using sink = await openSink(pool)
  const loading = load({ paths: process.argv.slice(2), model: orders, queue, sink })
  const { rows } = await pool.query<{ now: Date }>('SELECT now()')
  console.log(`the program goes on at ${rows[0]?.now.toISOString()}`)
  console.log(`${(await loading).loadedNow} loaded`)
  const { rows: found } = await pool.query<{ gross: string }>('SELECT sum(gross) AS gross FROM orders')
  console.log(`${found[0]?.gross} in all`)
} finally {
  await pool.end()
}
