/** Without a model, into a table that does not exist: what looking at every record first costs. */
import { measurable } from '../context.ts'
import { loadWays } from '../lading.ts'
import { readings } from '../models/readings.ts'
import { userModel } from '../models.ts'
import { execute, resetTable, tableState } from '../postgres.ts'
import type { Table } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

/** In one order and of one type: a double of the model is a numeric where every digit has to be kept. */
const columns = 'sensor_id, record_time, value::double precision'

export const inferred: Section = {
  name: 'inferred',
  heading: 'Without a model',
  about: `The table does not exist yet. The first way has a model that states its columns. The second reads every record, creates the table,
and then loads the files.`,
  records: 5_000_000,
  sensors: [50],
  tables: async (context, size) => {
    const server = await context.postgres()
    const data = await context.data(size)
    const prepare = () => execute(server.url, ['DROP TABLE readings'])
    const lading = { data: data.folder, target: server.url, prepare }
    const table: Table = {
      title: `${filesOf(size)} into a new table`,
      unit: 'rows',
      records: size.records,
      ways: [
        ...loadWays({ ...lading, model: userModel('readings', context.temporary) }),
        ...loadWays({ ...lading, flags: ['--table', 'readings'] }),
      ],
      servers: measurable(['PostgreSQL', server]),
      reset: () => resetTable(server.url, readings),
      state: () => tableState(server.url, readings, columns),
    }
    return [table]
  },
}
