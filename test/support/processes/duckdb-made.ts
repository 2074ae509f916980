/** Makes a table and the ledger in the DuckDB file `argv[2]`, and is killed before anything of it is in the file itself. */
import { bytea, integer, json, numeric, varchar } from '../../../src/model/columns.ts'
import { defineModel } from '../../../src/model/model.ts'
import { DuckdbSink } from '../../../src/sink/duckdb/duckdb.ts'

const columns = {
  id: integer().notNull(),
  price: numeric(),
  code: varchar(3).default('x'),
  document: json().default('{"a": 1}'),
  bytes: bytea().default(String.raw`\x00ff27`),
}
await new DuckdbSink(process.argv[2] as string).prepare(defineModel({ table: 'noted', columns }))
process.kill(process.pid, 'SIGKILL')
