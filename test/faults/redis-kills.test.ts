/** A load through a stream of Redis: producers, consumers and the server are killed (killed-load.ts). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { killedLoad, killsTimeout, readPostgres } from './killed-load.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-kills-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describePostgres('PostgreSQL', () => {
  describeRedis('Redis', ({ server, freshUrl }) => {
    it(
      'kills of producers, consumers and the server lose nothing and double nothing',
      { timeout: killsTimeout },
      async () => {
        await using database = await freshDatabase()
        const queueUrl = freshUrl('&lease=1s')
        const stream = new URL(queueUrl).searchParams.get('stream') ?? ''
        const delivered = async () => {
          const groups = await server()
            .command('XINFO', 'GROUPS', stream)
            .catch(() => '')
          return /last-delivered-id,([\d-]+)/.exec(String(groups))?.[1]
        }
        let before: string | undefined
        await killedLoad({
          folder,
          queueUrl,
          target: database.url,
          kills: 12,
          read: () => readPostgres(database.url),
          server: async () => {
            // A server that is killed before anything was delivered since the last time shows nothing.
            for (let waits = 0; waits < 50 && (await delivered()) === before; waits++) await sleep(100)
            server().kill()
            await server().start()
            before = await delivered()
          },
        })
      },
    )
  })
})
