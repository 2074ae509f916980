/** A load through a stream of Redis: producers, consumers and the server are killed (killed-load.ts). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { killedLoad, readPostgres } from './killed-load.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-kills-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describePostgres('PostgreSQL', () => {
  describeRedis('Redis', ({ server, freshUrl }) => {
    it(
      'kills of producers, consumers and the server lose nothing and double nothing',
      { timeout: 900_000 },
      async () => {
        await using database = await freshDatabase()
        await killedLoad({
          folder,
          queueUrl: freshUrl('&lease=1s'),
          target: database.url,
          kills: 30,
          read: () => readPostgres(database.url),
          server: async () => {
            server().kill()
            await server().start()
          },
        })
      },
    )
  })
})
