/**
 * One of several processes that load the same batches into one SQLite file; prints how many parts it applied.
 */
import { integer } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { SqliteSink } from '../../src/sink/sqlite/sqlite.ts'
import { write } from './contract/target.ts'

const model = defineModel({ table: 'events', columns: { id: integer() } })

const [path = '', batches = '0'] = process.argv.slice(2)
await using sink = new SqliteSink(path)
await sink.prepare(model)
let applied = 0
for (let batch = 0; batch < Number(batches); batch++) {
  const parts = [0, 1, 2].map((part) => ({ key: `${batch}-${part}`, records: [[`${batch * 3 + part}`]] }))
  applied += (await write(sink, model, parts)).filter(({ kind }) => kind === 'applied').length
}
process.stdout.write(`${applied}`)
