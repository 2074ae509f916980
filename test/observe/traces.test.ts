import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { expect, it } from 'vitest'
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

it('a window is a span where it has an id, and other events are none', () => {
  expect(spanOf(window({}), 10)).toMatchObject({ name: 'publish', traceId: traceparent.split('-')[1] })
  expect(spanOf(window({ traceparent: 'odd' }), 10)).toBeUndefined()
  expect(spanOf({ type: 'warning', message: 'm' }, 10)).toBeUndefined()
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
    await using sender = new OtlpSender({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      headers: {},
      timeoutMs: 5_000,
      resource: { 'service.name': 'x' },
      version: '1',
      onFailure: (message) => expect.fail(message),
    })
    const span = spanOf(window({}), 10) as Span
    for (let n = 0; n < 4_100; n++) sender.add({ ...span, spanId: String(n) })
  }
  server.close()
  expect([sent.length, sent[0], sent.at(-1)]).toEqual([4_096, '4', '4099'])
})
