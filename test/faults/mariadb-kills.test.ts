/** Kills of producers, consumers and the database lose nothing and double nothing (killed-load.ts). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, beforeEach, it } from 'vitest'
import { describeMariadb, freshMariadb } from '../../tooling/servers/mariadb-database.ts'
import { type MariadbServer, startMariadb } from '../../tooling/servers/mariadb.ts'
import { killedLoad, type Stored, sums } from './killed-load.ts'

describeMariadb('MariaDB', () => {
  let server: MariadbServer
  let folder: string
  beforeAll(async () => {
    server = await startMariadb()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lading-kills-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it(
    'kills of producers, consumers and the server lose nothing and double nothing in a table without a key',
    { timeout: 600_000 },
    async () => {
      await using database = await freshMariadb(server.url)
      const read = async (): Promise<Stored> => {
        const client = await createConnection(database.url)
        const [rows] = await client.query<RowDataPacket[]>(
          `SELECT ${sums.replace('rows', '`rows`')}, count(DISTINCT sensor_id, record_time) AS \`distinct\` FROM readings`,
        )
        await client.end()
        const [row] = rows
        return { rows: Number(row?.['rows']), distinct: Number(row?.['distinct']), sum: Number(row?.['sum']) }
      }
      await killedLoad({
        folder,
        queueUrl: `embedded:${join(folder, 'queue.db')}?lease=1s`,
        target: database.url,
        kills: 12,
        read,
        server: async () => {
          server.kill()
          await server.start()
        },
      })
    },
  )
})
