/** Many small files: what each file costs, and what it costs to find that all of them are loaded. */
import { measurable } from '../context.ts'
import { loadWays } from '../lading.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { resetTable, tableState } from '../postgres.ts'
import { copyWays } from '../psql.ts'
import type { Table, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import { psqlOf } from './loads.ts'
import type { Section } from './section.ts'

export const files: Section = {
  name: 'files',
  heading: 'Many small files',
  about: `Files of 20 records. \`psql\` takes each with a \`\\copy\` of its own, all in one session. The last way loads the same files again, and finds
that there is nothing to do: files that have not changed by what the file system says of them are not read again, unless \`--read-all\` is given.`,
  records: 20,
  perFile: true,
  sensors: [1000, 10_000],
  tables: async (context, size) => {
    const server = await context.postgres()
    const psql = psqlOf(context, server)
    const data = await context.data(size)
    const lading = {
      data: data.folder,
      model: userModel('records-brin', context.temporary),
      target: server.url,
      consumers: [1],
    }
    const once = loadWays(lading)
    const table: Table = {
      title: filesOf(size),
      unit: 'rows',
      records: size.records,
      ways: [
        ...copyWays(psql, [{ files: data.files, format: 'CSV', streams: 1 }]),
        ...once,
        ...once.map(again),
      ],
      servers: measurable(['PostgreSQL', server]),
      reset: () => resetTable(server.url, recordsBrin),
      state: () => tableState(server.url, recordsBrin),
    }
    return [table]
  },
}

const again = (way: Way): Way => ({
  ...way,
  name: `${way.name}, the second time`,
  prepare: async (folder) => void (await way.run(folder)),
})
