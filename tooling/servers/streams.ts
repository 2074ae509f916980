/** What tests use of Redis: a server of their file's own, and a loud skip where it cannot be had. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe } from 'vitest'
import { Unavailable } from './machine.ts'
import { redisProgram, type RedisOptions, type RedisServer, startRedis } from './redis.ts'

const reason = await redisProgram().then(
  () => undefined,
  (error: unknown) => {
    if (process.env['CI'] || !(error instanceof Unavailable)) throw error
    return error.message.split('\n')[0]
  },
)

export interface Redis {
  readonly server: () => RedisServer
  /** The URL of a stream whose name nobody else uses; it is not made. */
  readonly freshUrl: (parameters?: string) => string
}

/** `describe` for tests that need Redis: skipped with the reason in the title where there is none. */
export function describeRedis(name: string, tests: (redis: Redis) => void, options: RedisOptions = {}): void {
  let started: RedisServer | undefined
  const server = () => {
    if (started === undefined) throw new Error('the server has not been started')
    return started
  }
  const freshUrl = (parameters = '') => `${server().url}?stream=lading-test-${randomUUID()}${parameters}`
  if (reason !== undefined) {
    describe.skip(`${name} (SKIPPED: ${reason})`, () => tests({ server, freshUrl }))
    return
  }
  describe(name, () => {
    beforeAll(async () => {
      started = await startRedis(options)
    })
    afterAll(() => started?.stop())
    tests({ server, freshUrl })
  })
}
