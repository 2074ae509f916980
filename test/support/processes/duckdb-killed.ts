/** Writes the record (2, y) under the key `b` into the table `items`, and is killed: node duckdb-killed.ts PATH */
import { integer, text } from '../../../src/model/columns.ts'
import { defineModel } from '../../../src/model/model.ts'
import { DuckdbSink } from '../../../src/sink/duckdb/duckdb.ts'
import { write } from '../../contract/sink/target.ts'

const model = defineModel({
  table: 'items',
  columns: { id: integer().notNull(), note: text() },
  primaryKey: ['id'],
})
const sink = new DuckdbSink(process.argv[2] as string)
await sink.prepare(model)
await write(sink, model, [{ key: 'b', records: [['2', 'y']] }])
process.kill(process.pid, 'SIGKILL')
