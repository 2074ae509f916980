// node examples/load-a-file.ts orders.csv
// Loads files into a SQLite file. Run it again: nothing is loaded twice.
import { load, openQueue, openSink } from 'lading'
import orders from './orders.ts'

await using queue = await openQueue('memory:')
await using sink = await openSink('sqlite:./orders.db')

const { receipts } = await load({ paths: process.argv.slice(2), model: orders, queue, sink })
for (const { source, records, loaded, rejected } of receipts)
  console.log(`${source}: ${records} records, ${loaded} loaded, ${rejected} rejected`)

for (const { source, line, column, detail } of await sink.ledger.rejects({ limit: 10 }))
  console.log(`${source}:${line}: ${column ?? 'record'}: ${detail}`)
