/** Kills of producers and consumers lose nothing and double nothing (killed-load.ts). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, it } from 'vitest'
import { describePostgres, freshDatabase } from '../../tooling/servers/database.ts'
import { killedLoad, killsTimeout, readPostgres } from './killed-load.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lading-kills-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const queueUrl = () => `embedded:${join(folder, 'queue.db')}?lease=1s`

describePostgres('PostgreSQL', () => {
  it(
    'a hundred kills of producers and consumers lose nothing and double nothing',
    { timeout: killsTimeout },
    async () => {
      await using database = await freshDatabase()
      const read = () => readPostgres(database.url)
      await killedLoad({ folder, queueUrl: queueUrl(), target: database.url, kills: 100, read })
    },
  )
})
