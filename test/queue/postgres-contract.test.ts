import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { queueContract } from '../contract/queue/queue.ts'
import { describePostgres, freshDatabase, type FreshDatabase } from '../../tooling/servers/database.ts'
import { queueModule } from './module.ts'

describePostgres('over PostgreSQL', () => {
  let database: FreshDatabase

  beforeAll(async () => {
    database = await freshDatabase()
  })

  afterAll(() => database.drop())

  queueContract('a database', {
    module: queueModule,
    create: async (leaseMs) => ({
      url: `${database.url}?queue=${randomUUID()}&lease=${leaseMs / 1000}s`,
      [Symbol.asyncDispose]: async () => undefined,
    }),
    many: 2_000,
  })
})
