/**
 * Records of which none, half or all are in the table already, with other values: every way leaves the new
 * ones.
 */
import { measurable } from '../context.ts'
import { type Data, shares } from '../data.ts'
import { loadWays } from '../lading.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { execute, resetTable, tableState } from '../postgres.ts'
import { copyScript, type Psql, runScripts } from '../psql.ts'
import type { Table, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import { psqlOf } from './loads.ts'
import type { Section } from './section.ts'

/** Which rows of `seed` are there beforehand; whole seconds tell the halves of each file apart. */
const shared = [
  { words: 'none of them there', where: 'false' },
  { words: 'half of them there', where: 'extract(epoch from record_time)::bigint % 2 = 0' },
  { words: 'all of them there', where: 'true' },
] as const

export const upsert: Section = {
  name: 'upsert',
  heading: 'Upserts',
  about: `\`psql\` copies into a temporary table and then runs \`INSERT … SELECT … ON CONFLICT (…) DO UPDATE\`, once for each stream.
Lading's model has \`onConflict: 'update'\`, and its ledger does not know these files. The existing rows have other values.`,
  records: 1_000_000,
  sensors: [1000],
  tables: async (context, size) => {
    const server = await context.postgres()
    const psql = psqlOf(context, server)
    const data = await context.data(size)
    if (psql !== undefined) await makeSeed(psql, data, context.temporary)
    const { consumers } = context.options
    const ways = [
      ...(psql === undefined ? [] : [1, 2].map((streams) => stagingWay(psql, data, streams))),
      ...loadWays({
        data: data.folder,
        model: userModel('records-brin', context.temporary),
        target: server.url,
        consumers,
        common: ['--defer-indexes', 'never'],
      }),
    ]
    return shared
      .filter((_, index) => index === 0 || psql !== undefined)
      .map(({ words, where }): Table => {
        const fill = [
          `INSERT INTO records SELECT * FROM seed WHERE ${where} ORDER BY sensor_id, record_time`,
          'ANALYZE records',
        ]
        return {
          title: `${filesOf(size)}, ${words}`,
          unit: 'rows',
          records: size.records,
          ways,
          servers: measurable(['PostgreSQL', server]),
          reset: () => resetTable(server.url, recordsBrin, psql === undefined ? [] : fill),
          state: () => tableState(server.url, recordsBrin),
        }
      })
  },
}

/** The same keys with other values. */
async function makeSeed(psql: Psql, { files }: Data, temporary: string): Promise<void> {
  const { url } = psql.server
  await execute(url, ['CREATE TABLE seed (record_time timestamptz, sensor_id text, value double precision)'])
  await runScripts(psql, [copyScript('seed', files, 'CSV')], temporary)
  await execute(url, ['UPDATE seed SET value = value + 1', 'VACUUM FULL seed'])
}

const staged = `INSERT INTO records SELECT * FROM staging
  ON CONFLICT (sensor_id, record_time) DO UPDATE SET value = excluded.value;\n`

function stagingWay(psql: Psql, { files }: Data, streams: number): Way {
  return {
    name: `\`psql\`, temporary table and \`INSERT … ON CONFLICT\`, ${streams === 1 ? 'one stream' : `${streams} streams`}`,
    isLading: false,
    run: (folder) => {
      const begin = 'CREATE TEMPORARY TABLE staging (LIKE records);\n'
      return runScripts(
        psql,
        shares(files, streams).map((share) => `${begin}${copyScript('staging', share, 'CSV')}${staged}`),
        folder,
      )
    },
  }
}
