import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { expect, it, vi } from 'vitest'
import type { LadingEvent } from '../../src/core/events.ts'
import { OtlpSender } from '../../src/observe/otlp.ts'
import { type Span, spanOf } from '../../src/observe/traces.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const window = (more: object) =>
  ({
    type: 'window',
    traceparent,
    loads: [{ loadId: 'l', records: 3, bytes: 9 }],
    messages: 1,
    bytes: 9,
    publishMs: 2,
    ...more,
  }) as LadingEvent

const senderTo = (server: Server) =>
  new OtlpSender({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    headers: {},
    timeoutMs: 5_000,
    resource: { 'service.name': 'x' },
    version: '1',
    onFailure: (message) => expect.fail(message),
  })

it('a window is a span where it has an id, and other events are none', () => {
  expect(spanOf(window({}), 10)).toMatchObject({ name: 'publish', traceId: traceparent.split('-')[1] })
  expect(spanOf(window({ traceparent: 'odd' }), 10)).toBeUndefined()
  expect(spanOf({ type: 'warning', message: 'm' }, 10)).toBeUndefined()
})

it('a batch is a span of what came of it, linked to the windows that have an id', () => {
  const counts = { records: 9, loaded: 4, rejected: 2, skipped: 1, duplicates: 1, redelivered: 3, retried: 1 }
  const links = ['odd', traceparent]
  const rest = { messages: 5, deadMessages: 1, bytes: 90, writeMs: 3, settleMs: 1.4, loads: [], links }
  const span = spanOf({ type: 'batch', consumer: '1', ...counts, ...rest }, 10) as Span
  const told = span.attributes.map(({ key, value }) => [key, Object.values(value)[0]])
  expect(Object.fromEntries(told)).toEqual({
    'messaging.operation.type': 'process',
    'messaging.batch.message_count': '5',
    'lading.deadMessages': '1',
    'lading.bytes': '90',
    'lading.write_ms': '3',
    'lading.settle_ms': '1',
    ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [`lading.${name}`, String(count)])),
  })
  expect(span).toMatchObject({
    name: 'process',
    startTimeUnixNano: '5600000',
    endTimeUnixNano: '10000000',
    links: [{ traceId: traceparent.split('-')[1], spanId: traceparent.split('-')[2] }],
  })
  expect(span.spanId).toMatch(/^[0-9a-f]{16}$/)
})

it('what waits is sent while the run goes on, and not first at its end', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const arrived = Promise.withResolvers<string | undefined>()
  const server = createServer((request, response) => {
    arrived.resolve(request.headers['content-type'])
    request.resume()
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  {
    await using sender = senderTo(server)
    sender.add(spanOf(window({}), 10) as Span)
    vi.advanceTimersByTime(2_000)
    expect(await arrived.promise).toBe('application/json')
  }
  vi.useRealTimers()
  server.close()
})

it('of what waits while the collector is away, the oldest is dropped', async () => {
  const sent: string[] = []
  const server = createServer(async (request, response) => {
    const { resourceSpans } = (await json(request)) as {
      resourceSpans: readonly { scopeSpans: readonly { spans: readonly { spanId: string }[] }[] }[]
    }
    for (const { scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans) sent.push(...spans.map(({ spanId }) => spanId))
    response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  {
    await using sender = senderTo(server)
    const span = spanOf(window({}), 10) as Span
    for (let n = 0; n < 4_100; n++) sender.add({ ...span, spanId: String(n) })
  }
  server.close()
  expect([sent.length, sent[0], sent.at(-1)]).toEqual([4_096, '4', '4099'])
})
