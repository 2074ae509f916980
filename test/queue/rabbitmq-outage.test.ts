import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import type { Outcome } from '../../src/queue/queue.ts'
import { parseAddress } from '../../src/queue/rabbitmq/address.ts'
import { Connection } from '../../src/queue/rabbitmq/connection.ts'
import { publishable } from '../../src/queue/rabbitmq/message.ts'
import { Publisher } from '../../src/queue/rabbitmq/publisher.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRabbit } from '../../tooling/servers/broker.ts'
import { type RabbitServer, startRabbit } from '../../tooling/servers/rabbitmq.ts'
import { expectWhole, keysOf, sorted } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { startChild } from '../contract/queue/start-child.ts'
import { queueModule } from './module.ts'
import { Reader } from '../contract/queue/reader.ts'
import { reportedBy } from './external-client.ts'

const done = { kind: 'done' } as const
const unavailable = expect.objectContaining({
  code: 'QUEUE_UNAVAILABLE',
  message: expect.stringMatching(/^.+$/),
})

describeRabbit('when a RabbitMQ broker fails', () => {
  let server: RabbitServer
  let names = 0
  const freshUrl = (kind = '') => `${server.url}?queue=q${names++}${kind}`

  beforeAll(async () => {
    server = await startRabbit()
  })

  afterAll(() => server.stop())

  it.each(['', '&receive=poll'])(
    'who lost his deliveries with the connection changes nothing for their new holder (%s)',
    async (kind) => {
      await using queue = await openQueue(freshUrl(kind))
      await queue.publish(messagesOf('a', 0, 6))
      const reader = new Reader(queue)
      const late = await reader.take(6)
      await server.closeConnections()
      await expect(reader.take(1)).rejects.toThrow(unavailable)
      const holder = new Reader(queue)
      const held = await holder.take(6)
      expect(held.map(({ attempt }) => attempt)).toEqual([2, 2, 2, 2, 2, 2])
      held.forEach(expectWhole)
      const outcomes: Outcome[] = [
        done,
        { kind: 'retry', afterMs: 0, code: 'SINK_BUSY' },
        { kind: 'release', afterMs: 1 },
        { kind: 'release' },
      ]
      await Promise.all(outcomes.map((outcome, index) => late[index]?.settle(outcome)))
      expect(await holder.takeAvailable()).toEqual([])
      await Promise.all(held.map((delivery) => delivery.settle(done)))
      await expect.poll(() => queue.depth()).toMatchObject({ ready: 0, dead: 0 })
      expect(await holder.takeAvailable()).toEqual([])
    },
  )

  it('depth counts nothing as ours that a lost connection had brought', async () => {
    await using queue = await openQueue(freshUrl())
    await queue.publish(messagesOf('a', 0, 3))
    const reader = new Reader(queue)
    await reader.take(3)
    await server.closeConnections()
    await expect.poll(() => queue.depth().catch(() => undefined)).toEqual({ ready: 3, inFlight: 0, dead: 0 })
    await expect(reader.take(1)).rejects.toThrow(unavailable)
  })

  it('short of memory, this is told and waited out, while consumers go on', async () => {
    const url = freshUrl()
    const events: LadingEvent[] = []
    await using queue = await openQueue(url, { onEvent: (event) => events.push(event) })
    await queue.publish(messagesOf('a', 0, 50))
    const reader = new Reader(queue)
    const taken = await reader.take(50)
    await using _ = {
      [Symbol.asyncDispose]: async () =>
        void (await server.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.8).')),
    }
    await server.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.0000001).')
    // A message that is published before the broker has noticed is taken, and nothing is told.
    await expect
      .poll(() => server.evaluate('rabbit_alarm:get_alarms().'), { timeout: 10_000 })
      .toContain('memory')
    const published = queue.publish([messageOf('b', 0)])
    await expect.poll(() => reportedBy(events), { timeout: 10_000 }).toEqual(['waiting QUEUE_HOLD'])
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
    await expect.poll(() => queue.depth()).toMatchObject({ ready: 0, inFlight: 0 })
    const blocked = await openQueue(url)
    const given = blocked.publish([messageOf('b', 1)]).catch((error: unknown) => error)
    await expect.poll(() => blocked.depth()).toMatchObject({ ready: 0 })
    await blocked[Symbol.asyncDispose]()
    await given
    await server.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.8).')
    await published
    expect(reportedBy(events)).toEqual(['waiting QUEUE_HOLD', 'resumed QUEUE_HOLD'])
    const keys = keysOf(await reader.take(1))
    expect(keys).toContain('b/0')
  })

  it('losing patience with an acknowledgement, the message comes again', async () => {
    await using queue = await openQueue(freshUrl())
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    await server.evaluate(
      '[application:set_env(rabbit, K, 300) || K <- [consumer_timeout, channel_tick_interval]].',
    )
    try {
      const impatient = new Reader(queue)
      await expect(reader.take(2)).rejects.toThrow(unavailable)
      await impatient.stop()
    } finally {
      await server.evaluate(
        'application:set_env(rabbit, consumer_timeout, 1800000), application:set_env(rabbit, channel_tick_interval, 60000).',
      )
    }
    const next = await new Reader(queue).takeOne()
    expect(next.attempt).toBeGreaterThan(1)
    expectWhole(next)
  })

  it('what was given back and not written down yet is never missed: the queue is not empty', async () => {
    await using queue = await openQueue(freshUrl())
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    const taken = await reader.takeOne()
    await server.evaluate('ok = sys:suspend(ra_log_wal).')
    const depth = queue.depth()
    const released = taken.settle({ kind: 'release' })
    const after = queue.depth()
    await released
    const early = await Promise.race([after, server.evaluate('ok.').then(() => undefined)])
    await server.evaluate('ok = sys:resume(ra_log_wal).')
    for (const each of [early, await depth, await after, await queue.depth()])
      if (each !== undefined) expect(each.ready + (each.inFlight ?? 0)).toBeGreaterThan(0)
    await (await reader.takeOne()).settle(done)
    await expect.poll(() => queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  /**
   * Stops reading from a connection of ours and goes on with its heartbeats, as a broker in state `flow`
   * does.
   */
  const stopReading = (url: string) => {
    const name = `<<"lading receiving ${new URL(url).searchParams.get('queue')}">>`
    const isIt = `[{_, L}] = rabbit_reader:info(P, [client_properties]), {_, _, N} = lists:keyfind(<<"connection_name">>, 1, L), N =:= ${name}`
    return server.evaluate(
      `[ok] = [sys:suspend(P) || P <- rabbit_networking:connections(), begin ${isIt} end].`,
    )
  }
  const readAgain = () => server.evaluate('[sys:resume(P) || P <- rabbit_networking:connections()].')

  it('to read from a connection that receives, what it holds is not taken for nothing, and comes again', async () => {
    const url = freshUrl('&timeout=1')
    await using queue = await openQueue(url)
    await queue.publish([messageOf('a', 0)])
    const reader = new Reader(queue)
    const lost = await reader.takeOne()
    await stopReading(url)
    try {
      await expect(queue.depth()).rejects.toThrow('the broker does not answer')
      await expect(reader.take(1)).rejects.toThrow(unavailable)
      expect(await queue.depth()).toEqual({ ready: 1, inFlight: undefined, dead: 0 })
    } finally {
      await readAgain()
    }
    await lost.settle(done)
    const again = await new Reader(queue).takeOne()
    expect(again.attempt).toBe(2)
    await again.settle(done)
    await expect.poll(() => queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('what it has confirmed is there after kill -9, and the same queue goes on', async () => {
    await using queue = await openQueue(freshUrl())
    const reader = new Reader(queue)
    await reader.next()
    await queue.publish(messagesOf('a', 0, 500))
    // A node writes down which queues it has a moment after it has made them.
    await server.evaluate('[dets:sync(Table) || Table <- dets:all()].')
    server.kill()
    await expect(reader.take(501)).rejects.toThrow(unavailable)
    await expect
      .poll(() => queue.publish([messageOf('b', 0)]).catch((error: unknown) => error))
      .toEqual(unavailable)
    await server.start()
    await queue.publish([messageOf('b', 0)])
    const taken = await new Reader(queue).drain(501)
    taken.forEach(expectWhole)
    expect(sorted(keysOf(taken))).toEqual(sorted(keysOf([...messagesOf('a', 0, 500), messageOf('b', 0)])))
  })

  it('to answer at all, stopping takes some seconds and no more', async () => {
    const url = freshUrl()
    const queue = await openQueue(url)
    const connection = await Connection.open(parseAddress(url), 'test', () => undefined, false)
    const publisher = new Publisher(await connection.confirmChannel(), 'here', () => undefined, 300)
    await queue.publish(messagesOf('a', 0, 2))
    const reader = new Reader(queue, 1)
    await reader.takeOne()
    const child = startChild({ kind: 'drain', module: queueModule.href, url, prefetch: 1 })
    await expect.poll(() => child.drained(), { timeout: 10_000 }).toHaveLength(1)
    const pid = server.pid()
    process.kill(pid, 'SIGSTOP')
    try {
      await expect
        .poll(() => execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }))
        .toMatch(/^T/)
      const published = queue.publish([messageOf('a', 1)]).catch((error: unknown) => error)
      child.stop()
      await expect(publisher.publish([publishable('q', messageOf('a', 2))])).rejects.toThrow(
        'does not confirm',
      )
      expect(publisher.isUsable).toBe(false)
      await Promise.all([reader.stop(), connection.close()])
      await queue[Symbol.asyncDispose]()
      expect(await published).toEqual(unavailable)
      expect(await child.ended).toBe(0)
    } finally {
      process.kill(pid, 'SIGCONT')
      child.kill()
    }
  }, 20_000)
})
