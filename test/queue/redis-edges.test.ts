/** What a queue of Redis meets rarely: ends of connections, and a stop while messages are on their way. */
import { expect, it } from 'vitest'
import { parseAddress } from '../../src/queue/redis/address.ts'
import { Connection } from '../../src/queue/redis/connection.ts'
import { queueError } from '../../src/queue/redis/errors.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { messagesOf } from '../contract/queue/messages.ts'

it.each([
  ['ERR max number of clients reached', 'QUEUE_HOLD'],
  ['ERR no such key', 'QUEUE_MISSING'],
  ['ERR unknown command', 'QUEUE_REFUSED'],
] as const)('%j is %s', (message, code) => {
  expect(queueError(new Error(message), 'here')).toMatchObject({ code, message: `here: ${message}` })
})

describeRedis('a queue of Redis', ({ freshUrl }) => {
  it('is not asked over a connection that was closed', async () => {
    const connection = await Connection.open(parseAddress(freshUrl()))
    connection.close()
    await expect(connection.send(['PING'])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
  })

  it('has back at once what was on its way to who stopped', async () => {
    await using queue = await openQueue(freshUrl())
    await queue.publish(messagesOf('a', 0, 9))
    const stop = new AbortController()
    const deliveries = queue.deliveries({ prefetch: 9, signal: stop.signal })[Symbol.asyncIterator]()
    const { value = [] } = await deliveries.next()
    const next = deliveries.next()
    stop.abort()
    expect(await next).toMatchObject({ done: true })
    await expect
      .poll(() => queue.depth())
      .toEqual({ ready: 9 - value.length, inFlight: value.length, dead: 0 })
  })
})
