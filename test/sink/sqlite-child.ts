/**
 * One of several processes that load the same batches into one SQLite file; prints how many parts it applied.
 */
import { createHash } from 'node:crypto'
import { integer } from '../../src/model/columns.ts'
import { defineModel } from '../../src/model/model.ts'
import { SqliteSink } from '../../src/sink/sqlite/sqlite.ts'

const model = defineModel({ table: 'events', columns: { id: integer() } })

const [path = '', batches = '0'] = process.argv.slice(2)
await using sink = new SqliteSink(path)
await sink.prepare(model)
let applied = 0
for (let batch = 0; batch < Number(batches); batch++) {
  const rows = sink.rows(model)
  const parts = [0, 1, 2].map((part) => {
    rows.startRow()
    rows.integer(batch * 3 + part)
    rows.endRow()
    const key = `${batch}-${part}`
    const describe = () => {
      throw new Error('no row can be refused')
    }
    return {
      key,
      sha256: createHash('sha256').update(key).digest('hex'),
      records: 1,
      rows: 1,
      rejects: [],
      describe,
    }
  })
  const verdicts = await sink.write({ pipeline: 'test', model, parts, rows })
  applied += verdicts.filter(({ kind }) => kind === 'applied').length
}
process.stdout.write(`${applied}`)
