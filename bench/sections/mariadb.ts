/** MariaDB as a target: a private server with its default durability, filled by its own LOAD DATA and by `lading load`. */
import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { records } from '../../src/model/shipped/records.ts'
import { createTable } from '../../src/sink/mysql/ddl.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'
import { type MariadbServer, startMariadb } from '../../tooling/servers/mariadb.ts'
import { type Context, measurable } from '../context.ts'
import { loadWays } from '../lading.ts'
import { measure } from '../process.ts'
import type { TableState, Way } from '../rounds.ts'
import { filesOf } from '../words.ts'
import type { Section } from './section.ts'

export const mariadb: Section = {
  name: 'mariadb',
  heading: 'Into MariaDB',
  about:
    '`LOAD DATA LOCAL INFILE` reads the same files with the driver that Lading uses, a statement for each file; it keeps no ledger, goes through no queue, and only warns of what it cuts or leaves out.',
  records: 1_000_000,
  sensors: [10],
  tables: async (context, size) => {
    const server = await start(context)
    if (server === undefined) return []
    const data = await context.data(size)
    const url = `${server.url}/bench`
    const lading = loadWays({
      data: data.folder,
      model: 'records',
      target: url,
      consumers: context.options.consumers,
    })
    return [
      {
        title: `${filesOf(size)} into MariaDB`,
        unit: 'rows',
        records: size.records,
        ways: [loadDataWay(url, data.files), ...lading],
        servers: measurable(['MariaDB', server]),
        reset: () => reset(server),
        state: () => stateOf(url),
      },
    ]
  },
}

async function start(context: Context): Promise<MariadbServer | undefined> {
  try {
    const server = await startMariadb({ 'innodb-buffer-pool-size': '1G', 'innodb-log-file-size': '1G' })
    context.use(() => server.stop())
    context.versions['MariaDB'] = server.version
    return server
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    context.miss(
      `MariaDB cannot be started here: nothing into it is measured (${error.message.split('\n')[0]})`,
    )
    return undefined
  }
}

async function query(url: string, statements: readonly string[]): Promise<readonly RowDataPacket[]> {
  const client = await createConnection(url)
  try {
    let rows: readonly RowDataPacket[] = []
    for (const sql of statements) [rows] = await client.query<RowDataPacket[]>(sql)
    return rows
  } finally {
    await client.end()
  }
}

async function reset(server: MariadbServer): Promise<void> {
  await query(server.url, [
    'DROP DATABASE IF EXISTS bench',
    'CREATE DATABASE bench',
    'USE bench',
    "SET sql_mode = 'ANSI_QUOTES'",
    createTable(records, 'mariadb'),
  ])
}

const loadDataWay = (url: string, files: readonly string[]): Way => ({
  name: '`LOAD DATA LOCAL INFILE`',
  isLading: false,
  run: (folder) =>
    measure(
      [
        {
          role: 'client',
          program: process.execPath,
          args: [join(import.meta.dirname, '..', 'mariadb-load.ts'), url, ...files],
        },
      ],
      folder,
    ),
})

async function stateOf(url: string): Promise<TableState> {
  const [row] = await query(url, [
    `SELECT count(*) AS total, concat(format(coalesce(sum(value), 0), 3), ' ',
      coalesce(sum(to_seconds(record_time) % 1000003 * (1 + ascii(right(sensor_id, 1)))), 'none')) AS checksum FROM records`,
  ])
  return { rows: Number(row?.['total']), checksum: String(row?.['checksum']) }
}
