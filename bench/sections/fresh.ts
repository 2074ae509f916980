/**
 * Into an empty table: with the indexes there from the beginning, and with the indexes made when the rows are
 * there.
 */
import { records } from '../../src/model/shipped/records.ts'
import type { Model } from '../../src/model/model.ts'
import { measurable } from '../context.ts'
import type { Data } from '../data.ts'
import { loadWays } from '../lading.ts'
import { recordsBrin } from '../models/records-brin.ts'
import { userModel } from '../models.ts'
import { bareTable, execute, resetTable, tableState } from '../postgres.ts'
import { binaryFiles, copyScript, copyWays, type Format, type Psql, runScripts } from '../psql.ts'
import type { Table, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import { psqlOf } from './loads.ts'
import type { Section } from './section.ts'

const shapes = [
  { model: recordsBrin, name: 'records-brin', indexes: 'primary key and BRIN index' },
  { model: records, name: 'records', indexes: 'primary key, BRIN and HASH index' },
] as const

export const fresh: Section = {
  name: 'fresh',
  heading: 'Empty table, indexes made at the end',
  about: `In the first way the indexes exist already, as in the sections above. The others load into a table without key and indexes, and build
these in the same session at the end, which is counted. Lading does that with \`--defer-indexes always\`, and for many files without the
flag; it makes the table too.`,
  records: 1_000_000,
  sensors: [1000],
  sizes: [
    { sensors: 1000, records: 1_000_000 },
    { sensors: 50, records: 5_000_000 },
  ],
  tables: async (context, size) => {
    const server = await context.postgres()
    const psql = psqlOf(context, server)
    const data = await context.data(size)
    const binaries = psql === undefined ? [] : await binaryFiles(psql, data, context.temporary)
    // Keeping a HASH index over few values takes minutes for more.
    const measured = size.records > 1_000_000 ? shapes.slice(0, 1) : shapes
    return measured.map(({ model, name, indexes }): Table => {
      const path = name === 'records-brin' ? userModel(name, context.temporary) : name
      const lading = {
        data: data.folder,
        model: path,
        target: server.url,
        consumers: context.options.consumers,
      }
      const prepare = () => execute(server.url, ['DROP TABLE records'])
      return {
        title: `${filesOf(size)} into an empty table, ${indexes}`,
        unit: 'rows',
        records: size.records,
        ways: [
          ...(psql === undefined ? [] : peerWays(psql, model, data, binaries)),
          ...loadWays({ data: lading.data, model: path, target: server.url, prepare }),
          ...['always', 'never'].flatMap((when) =>
            loadWays({ ...lading, flags: ['--defer-indexes', when], prepare }),
          ),
        ],
        servers: measurable(['PostgreSQL', server]),
        reset: () => resetTable(server.url, model),
        state: () => tableState(server.url, model),
      }
    })
  },
}

function peerWays(psql: Psql, model: Model, data: Data, binaries: readonly string[]): Way[] {
  const copies = [
    { files: data.files, format: 'CSV', streams: 1 },
    { files: binaries, format: 'BINARY', streams: 1 },
  ] as const
  return [
    ...copyWays(psql, copies),
    ...copies.map(({ files, format }) => bareWay(psql, model, files, format)),
  ]
}

/** Rows first, then the key and the indexes. */
function bareWay(psql: Psql, model: Model, files: readonly string[], format: Format): Way {
  const { drop, make } = bareTable(model)
  return {
    name: `\`psql \\copy\`, ${format}, one stream, then \`CREATE INDEX\``,
    isLading: false,
    prepare: () => execute(psql.server.url, drop),
    run: (folder) =>
      runScripts(
        psql,
        [`${copyScript('records', files, format)}${make.map((sql) => `${sql};\n`).join('')}`],
        folder,
      ),
  }
}
