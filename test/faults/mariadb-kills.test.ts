/** Kills of producers, consumers and the database lose nothing and double nothing (killed-load.ts). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, it } from 'vitest'
import { describeMariadb, freshMariadb } from '../../tooling/servers/mariadb-database.ts'
import { type MariadbServer, startMariadb } from '../../tooling/servers/mariadb.ts'
import { queryMariadb } from '../support/mariadb.ts'
import { killedLoad, killsTimeout, storedOf } from './killed-load.ts'

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
    { timeout: killsTimeout },
    async () => {
      await using database = await freshMariadb(server.url)
      const read = async () => {
        const [row] = await queryMariadb<object>(
          database.url,
          'SELECT count(*) AS `rows`, count(DISTINCT sensor_id, record_time) AS `distinct` FROM readings',
        )
        return storedOf(row)
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
