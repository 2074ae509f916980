/** A Redis server that is killed, restarted, silent or short of memory, and connections that break. */
import { chmodSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { openQueue } from '../../src/queue/registry.ts'
import { describeRedis } from '../../tooling/servers/streams.ts'
import { expectWhole, keysOf, sorted } from '../contract/queue/expected.ts'
import { messageOf, messagesOf } from '../contract/queue/messages.ts'
import { Reader } from '../contract/queue/reader.ts'
import { startProxy } from '../support/proxy.ts'
import { reportedBy } from './external-client.ts'

const done = { kind: 'done' } as const
/** Of what comes by itself, on a busy machine. */
const patient = { timeout: 20_000 }
const unavailable = expect.objectContaining({
  code: 'QUEUE_UNAVAILABLE',
  message: expect.stringMatching(/^.+$/),
})

describeRedis('when a Redis server fails', ({ server, freshUrl }) => {
  it('what it has confirmed is there after kill -9, and the same queue goes on', async () => {
    await using queue = await openQueue(freshUrl())
    const reader = new Reader(queue)
    await reader.next()
    await queue.publish(messagesOf('a', 0, 500))
    server().kill()
    await expect(reader.take(501)).rejects.toThrow(unavailable)
    await expect
      .poll(() => queue.publish([messageOf('b', 0)]).catch((error: unknown) => error), patient)
      .toEqual(unavailable)
    await server().start()
    await queue.publish([messageOf('b', 0)])
    const held = await new Reader(queue).drain(1)
    held.forEach(expectWhole)
    expect((await queue.depth()).ready + ((await queue.depth()).inFlight ?? 0)).toBe(501 - held.length)
  })

  it('what was in hand can be settled after a restart, over the new connection', async () => {
    await using queue = await openQueue(freshUrl())
    await queue.publish(messagesOf('a', 0, 6))
    const taken = await new Reader(queue).take(6)
    await server().restart()
    await expect
      .poll(() => queue.depth().catch(() => undefined), patient)
      .toEqual({ ready: 0, inFlight: 6, dead: 0 })
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
    expect(await queue.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('a settlement whose answer was lost takes effect once', async () => {
    const url = freshUrl('&lease=1s')
    let swallow = false
    await using proxy = await startProxy(url, {
      swallowReply: (sent) => swallow && sent.includes('done'),
    })
    await using queue = await openQueue(proxy.url)
    await queue.publish(messagesOf('a', 0, 3))
    const taken = await new Reader(queue).take(3)
    swallow = true
    await expect(Promise.all(taken.map((delivery) => delivery.settle(done)))).rejects.toThrow(unavailable)
    swallow = false
    await expect.poll(() => queue.depth(), patient).toEqual({ ready: 0, inFlight: 0, dead: 0 })
  })

  it('a connection that is cut is opened again by the next call', async () => {
    await using proxy = await startProxy(freshUrl())
    await using queue = await openQueue(proxy.url)
    proxy.reset()
    const published = () =>
      queue.publish([messageOf('a', 0)]).then(
        () => 'published',
        (error: unknown) => expect(error).toEqual(unavailable),
      )
    await expect.poll(published, patient).toBe('published')
    expectWhole(await new Reader(queue).takeOne())
  })

  it('a connection that falls silent is given up, and others get what it held when its lease ends', async () => {
    const url = freshUrl('&lease=1s')
    await using proxy = await startProxy(url)
    await using held = await openQueue(`${proxy.url}&timeout=0.3`)
    await held.publish(messagesOf('a', 0, 20))
    const reader = new Reader(held)
    await reader.take(20)
    proxy.blackHole(true)
    await using queue = await openQueue(url)
    const taken = await new Reader(queue).take(20)
    expect(sorted(keysOf(taken))).toEqual(sorted(keysOf(messagesOf('a', 0, 20))))
    await expect(reader.take(1)).rejects.toThrow(unavailable)
    await expect(held.publish([messageOf('b', 0)])).rejects.toThrow(unavailable)
    proxy.forget()
    proxy.blackHole(false)
    await expect
      .poll(
        () =>
          held.publish([messageOf('b', 0)]).then(
            () => 'published',
            () => undefined,
          ),
        patient,
      )
      .toBe('published')
    await Promise.all(taken.map((delivery) => delivery.settle(done)))
  })

  it('a server that does not answer is not waited for after a stop', async () => {
    await using proxy = await startProxy(freshUrl())
    const stop = new AbortController()
    await using queue = await openQueue(proxy.url)
    proxy.blackHole(true)
    const reader = new Reader(queue)
    const next = reader.next()
    await reader.stop()
    expect(await next).toBeUndefined()
    const opened = openQueue(proxy.url, { signal: stop.signal })
    stop.abort()
    await expect(opened).rejects.toThrow(expect.objectContaining({ code: 'ABORTED' }))
  })

  it('short of memory, this is told and waited out, while consumers go on', async () => {
    const events: LadingEvent[] = []
    const url = freshUrl()
    await using queue = await openQueue(url, { onEvent: (event) => events.push(event) })
    await queue.publish(messagesOf('a', 0, 50))
    await server().command('CONFIG', 'SET', 'maxmemory', '1mb')
    try {
      const published = queue.publish(messagesOf('b', 0, 3))
      await expect.poll(() => reportedBy(events), patient).toEqual(['waiting QUEUE_HOLD'])
      const reader = new Reader(queue)
      const [first, ...others] = await reader.take(50)
      await first?.extend?.(60_000)
      await first?.settle({ kind: 'retry', afterMs: 0, code: 'SINK_BUSY' })
      const again = await reader.take(1)
      await Promise.all([...others, ...again].map((delivery) => delivery.settle(done)))
      await using late = await openQueue(url)
      expect(await late.depth()).toEqual({ ready: 0, inFlight: 0, dead: 0 })
      const stop = new AbortController()
      const stopped = late.publish([messageOf('c', 0)], { signal: stop.signal })
      stop.abort()
      await expect(stopped).rejects.toThrow(expect.objectContaining({ code: 'QUEUE_HOLD' }))
      await server().command('CONFIG', 'SET', 'maxmemory', '0')
      await published
    } finally {
      await server().command('CONFIG', 'SET', 'maxmemory', '0')
    }
    expect(reportedBy(events)).toEqual(['waiting QUEUE_HOLD', 'resumed QUEUE_HOLD'])
    expect(keysOf(await new Reader(queue).take(3))).toEqual(['b/0', 'b/1', 'b/2'])
  })

  it('that can write no snapshot takes nothing: this is told and waited out, too', async () => {
    const events: LadingEvent[] = []
    await using queue = await openQueue(freshUrl(), { onEvent: (event) => events.push(event) })
    const snapshot = async (status: string) => {
      await server().command('BGSAVE')
      const told = async () => String(await server().command('INFO', 'persistence'))
      await expect.poll(told, patient).toContain(`rdb_last_bgsave_status:${status}`)
    }
    await server().command('CONFIG', 'SET', 'save', '3600 1')
    chmodSync(server().dataDirectory, 0o500)
    try {
      await snapshot('err')
      const published = queue.publish([messageOf('a', 0)])
      await expect.poll(() => reportedBy(events), patient).toEqual(['waiting QUEUE_HOLD'])
      chmodSync(server().dataDirectory, 0o700)
      await snapshot('ok')
      await published
    } finally {
      chmodSync(server().dataDirectory, 0o700)
      await server().command('CONFIG', 'SET', 'save', '')
    }
    expect((await queue.depth()).ready).toBe(1)
  })
})

describeRedis(
  'a Redis server that starts again',
  ({ server, freshUrl }) => {
    it('while it loads its data, it is waited for, and not taken for one that keeps nothing', async () => {
      const url = freshUrl()
      {
        await using queue = await openQueue(url)
        // A server that loads answers once in a thousand commands.
        for (let n = 0; n < 3_000; n += 1_000) await queue.publish(messagesOf('a', n, 1_000))
      }
      server().kill()
      const started = server().start()
      const codes = new Set<unknown>()
      const opened = async () => {
        try {
          await using queue = await openQueue(url)
          return (await queue.depth()).ready
        } catch (error) {
          codes.add((error as { code?: unknown }).code)
          return undefined
        }
      }
      await expect.poll(opened, { timeout: 30_000, interval: 5 }).toBe(3_000)
      await started
      expect([...codes]).toEqual(['QUEUE_UNAVAILABLE'])
    })
  },
  { settings: { 'key-load-delay': '300' } },
)
