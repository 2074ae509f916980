/** Kills of producers, consumers and the server of a stream lose nothing and double nothing (killed-load.ts). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { useNats } from '../../tooling/servers/nats.ts'
import { killedLoad, killsTimeout, readPostgres } from './killed-load.ts'

const { server, freshUrl } = useNats()

describePostgres('a stream', () => {
  it(
    'kills of producers, consumers and the server lose nothing and double nothing',
    { timeout: killsTimeout },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lading-kills-'))
      try {
        await using database = await freshDatabase()
        await killedLoad({
          folder,
          queueUrl: freshUrl({ lease: '1' }),
          target: database.url,
          kills: 12,
          read: () => readPostgres(database.url),
          server: async () => {
            server().kill()
            await server().start()
          },
        })
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  )
})
