/** What a consumer of a queue in PostgreSQL took ahead and did not get is there for others. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Queue } from '../../src/queue/queue.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describePostgres, freshDatabase, type FreshDatabase } from '../../tooling/servers/database.ts'
import { messagesOf } from '../contract/queue/messages.ts'
import { query } from '../support/fixture.ts'
import { Reader } from '../contract/queue/reader.ts'

describePostgres('messages that were taken ahead', () => {
  let database: FreshDatabase
  let queue: Queue
  beforeEach(async () => {
    database = await freshDatabase()
    queue = await openQueue(`${database.url}?queue=ahead&lease=60`)
    await queue.publish(messagesOf('a', 0, 9))
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await queue[Symbol.asyncDispose]()
    await database.drop()
  })

  const leases = async () => {
    const sql = 'SELECT key, lease FROM lading_queue.message WHERE lease IS NOT NULL'
    const rows = await query<{ key: string; lease: string }>(database.url, sql)
    return new Map(rows.map(({ key, lease }) => [key, lease]))
  }

  it('are given back after a stop', async () => {
    const stop = new AbortController()
    const deliveries = queue.deliveries({ prefetch: 9, signal: stop.signal })[Symbol.asyncIterator]()
    const { value = [] } = await deliveries.next()
    const next = deliveries.next()
    stop.abort()
    expect(await next).toMatchObject({ done: true })
    expect(await queue.depth()).toEqual({ ready: 9 - value.length, inFlight: value.length, dead: 0 })
  })

  it('are taken anew by a consumer that was away for half of their lease', async () => {
    const reader = new Reader(queue, 9)
    const first = (await reader.next()) ?? []
    await expect.poll(async () => (await queue.depth()).inFlight).toBeGreaterThan(first.length)
    const ahead = await leases()
    const now = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 31_000)
    const second = (await reader.next()) ?? []
    expect(second.map(({ attempt }) => attempt)).toEqual(second.map(() => 1))
    const taken = await leases()
    for (const { key } of second) expect(taken.get(key)).not.toBe(ahead.get(key))
    for (const { key } of first) expect(taken.get(key)).toBe(ahead.get(key))
    await Promise.all([...first, ...second].map((delivery) => delivery.settle({ kind: 'done' })))
    await reader.drain(9 - first.length - second.length)
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })
})
