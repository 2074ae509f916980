/**
 * CSV files of sensors into a table that has its indexes already: the model with and without its HASH index.
 */
import type { Model } from '../../src/model/model.ts'
import { records } from '../../src/model/shipped/records.ts'
import { type Context, measurable } from '../context.ts'
import type { Data, Size } from '../data.ts'
import { halvesWay, loadWays } from '../lading.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { pgloaderWays } from '../pgloader.ts'
import { resetTable, tableState } from '../postgres.ts'
import { findPgloader, findPsql } from '../programs.ts'
import { binaryFiles, copyWays, type Psql } from '../psql.ts'
import type { Table, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

/** From here on a run takes so long that it needs no warm-up. */
const longRecords = 10_000_000

export const brin: Section = {
  name: 'brin',
  heading: 'Table with primary key and BRIN index',
  about: `\`psql\` copies the same files, one statement for each, as CSV and in PostgreSQL's binary format. Making the binary files
is not counted. \`pgloader\` runs with its own defaults. Through the embedded queue a load's messages hold paths and byte ranges, unless
\`--carry bytes\` puts the bytes into them; through a broker they hold bytes, unless \`--carry reference\` says otherwise. \`lading load\`
without a flag chooses the number of consumers, and whether the indexes of the empty table are built at the end. In the ways with flags they are updated row by row (\`--defer-indexes never\`; the section on empty tables has deferred ones).
\`--queue amqp://…\` is a quorum queue of RabbitMQ; the default queue is the embedded one. \`lading produce\`, then \`lading consume\` runs the
two halves one after the other, to measure the memory of each.`,
  records: 1_000_000,
  sensors: [10],
  sizes: [
    { sensors: 10, records: 1_000_000 },
    { sensors: 50, records: 5_000_000 },
    { sensors: 100, records: longRecords },
  ],
  tables: async (context, size) => {
    const shared = await loadsOf(context, size, recordsBrin, 'table with primary key and BRIN index')
    const { psql, data, rabbit } = shared
    const lading = { ...shared.lading, model: userModel('records-brin', context.temporary) }
    const { consumers } = context.options
    const server = await context.postgres()
    const binaries = psql === undefined ? [] : await binaryFiles(psql, data, context.temporary)
    const pgloader = context.need('pgloader', findPgloader(), "pgloader (Debian's package of that name)")
    const ways = [
      ...csvWays(psql, data, [1, 2]),
      ...copyWays(
        psql,
        [1, 2].map((streams) => ({ files: binaries, format: 'BINARY', streams }) as const),
      ),
      // It takes minutes for more, and its rate is the same; who asks for it by name has it.
      ...(size.records > 1_000_000 && context.options.only === undefined
        ? []
        : pgloaderWays(pgloader, server, data)),
      ...loadWays({ ...lading, common: [] }),
      ...loadWays({ ...lading, consumers }),
      ...loadWays({ ...lading, consumers, carry: 'bytes' }),
      halvesWay({ ...lading }),
      ...(rabbit === undefined
        ? []
        : [
            ...loadWays({ ...lading, consumers, rabbit }),
            ...loadWays({ ...lading, consumers, rabbit, carry: 'reference' }),
            halvesWay({ ...lading, rabbit }),
          ]),
    ]
    return [shared.table(ways)]
  },
}

export const hash: Section = {
  name: 'hash',
  heading: 'The same with the HASH index of the model `records`',
  about:
    'The more records share a value, the more a hash index costs the server; see [models.md](models.md#indexes).',
  records: 1_000_000,
  sensors: [1000],
  tables: async (context, size) => {
    const shared = await loadsOf(context, size, records, 'table with primary key, BRIN and HASH index')
    const { psql, data, lading, rabbit } = shared
    const { consumers } = context.options
    const ways = [
      ...csvWays(psql, data, [1, 2]),
      ...loadWays({ ...lading, model: 'records', consumers }),
      ...(rabbit === undefined ? [] : loadWays({ ...lading, model: 'records', consumers, rabbit })),
    ]
    return [shared.table(ways)]
  },
}

/** What both need, and the table for whatever ways there are. */
async function loadsOf(context: Context, size: Size, model: Model, what: string) {
  const server = await context.postgres()
  const rabbit = await context.rabbit()
  const data: Data = await context.data(size)
  const psql = psqlOf(context, server)
  const table = (ways: readonly Way[]): Table => ({
    title: `${filesOf(size)} into a ${what}`,
    unit: 'rows',
    records: size.records,
    ways,
    servers: measurable(['PostgreSQL', server], ['RabbitMQ', rabbit]),
    ...(size.records >= longRecords ? { warmUp: false as const, rounds: 1 } : {}),
    reset: () => resetTable(server.url, model),
    state: () => tableState(server.url, model),
  })
  return {
    data,
    rabbit,
    psql,
    table,
    lading: { data: data.folder, target: server.url, common: ['--defer-indexes', 'never'] },
  }
}

const csvWays = (psql: Psql | undefined, { files }: Data, streams: readonly number[]): Way[] =>
  copyWays(
    psql,
    streams.map((each) => ({ files, format: 'CSV', streams: each }) as const),
  )

export function psqlOf(context: Context, server: Psql['server']): Psql | undefined {
  const program = context.need('psql', findPsql(), 'psql (Debian: postgresql-client)')
  return program === undefined ? undefined : { program, server }
}
