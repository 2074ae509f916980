/** Producers, consumers and the server of the queue are killed, with the queue in another database than the target's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { startPostgres, type PostgresServer } from '../../tooling/servers/postgres.ts'
import { killedLoad, killsTimeout, readPostgres } from './killed-load.ts'

describePostgres('kills, with a queue in PostgreSQL', () => {
  let folder = ''
  let server: PostgresServer

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lading-kills-'))
    server = await startPostgres()
  })

  afterEach(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const killServer = async () => {
    server.kill()
    await server.start()
  }

  it(
    'every record is in the table once, where the queue lies in another database',
    { timeout: killsTimeout },
    async () => {
      await using target = await freshDatabase()
      await killedLoad({
        folder,
        queueUrl: `${server.url}?queue=kills&lease=1s`,
        target: target.url,
        kills: 10,
        consumers: 2,
        read: () => readPostgres(target.url),
        server: killServer,
      })
    },
  )
})
