/** Opens a DuckDB file, and keeps it open until it is killed: node duckdb-holder.ts PATH */
import { DuckDBInstance } from '@duckdb/node-api'

const instance = await DuckDBInstance.create(process.argv[2])
await instance.connect()
process.send?.('open')
setInterval(() => instance, 60_000)
