/** Traces, at a collector that takes what is sent to it by OTLP over HTTP. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { readTraceparent, traceLinks } from '../../src/core/trace.ts'
import type { Span } from '../../src/observe/traces.ts'
import { Folder, records } from './run.ts'

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly {
        readonly key: string
        readonly value: { readonly stringValue: string }
      }[]
    }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

class Collector implements AsyncDisposable {
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly sent: Sent }[] =
    []
  /** Status of the next answers; 200 when there are no more. */
  readonly statuses: number[] = []
  readonly #server = createServer(async (request, response) => {
    const sent = JSON.parse(await text(request)) as Sent
    const status = this.statuses.shift() ?? 200
    if (status === 200) this.requests.push({ path: request.url ?? '', headers: request.headers, sent })
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })

  static async start(): Promise<Collector> {
    const collector = new Collector()
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve))
    return collector
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get spans(): Span[] {
    return this.requests.flatMap(({ sent }) =>
      sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    )
  }

  named(name: string): Span[] {
    return this.spans.filter((span) => span.name === name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const attribute = (span: Span | undefined, name: string) =>
  span?.attributes.find(({ key }) => key === name)?.value

describe.concurrent('where the environment of OpenTelemetry asks for traces', () => {
  it('a window is a span, a batch is a span, and the batch is linked to the windows that its messages came from', async () => {
    await using folder = await Folder.make({ 'a.csv': records(10), 'b.csv': records(20) })
    await using collector = await Collector.start()
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20secret,b=c',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,service.name=other',
      OTEL_SERVICE_NAME: 'orders',
    }
    for (const file of ['a.csv', 'b.csv']) expect((await folder.run(['produce', file], { env })).code).toBe(0)
    const [first, second] = collector.named('publish')
    expect(collector.spans).toHaveLength(2)
    expect([attribute(first, 'lading.records'), attribute(second, 'lading.records')]).toEqual([
      { intValue: '10' },
      { intValue: '20' },
    ])
    expect(first).toMatchObject({
      kind: 4,
      traceId: expect.stringMatching(/^[\da-f]{32}$/),
      spanId: expect.stringMatching(/^[\da-f]{16}$/),
    })
    const consumed = await folder.run(['consume', '--until-empty'], { env })
    expect(consumed.code, consumed.err).toBe(0)
    const [batch, ...more] = collector.named('process')
    expect(more).toEqual([])
    const ids = (span: Span | undefined) => ({ traceId: span?.traceId, spanId: span?.spanId })
    expect(batch).toMatchObject({ kind: 5, links: [ids(first), ids(second)] })
    expect([attribute(batch, 'messaging.batch.message_count'), attribute(batch, 'lading.records')]).toEqual([
      { intValue: '2' },
      { intValue: '30' },
    ])
    for (const { startTimeUnixNano, endTimeUnixNano } of collector.spans) {
      expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano))
      expect(Math.abs(Number(BigInt(endTimeUnixNano) / 1_000_000n) - Date.now())).toBeLessThan(60_000)
    }
    const [{ path, headers, sent }] = collector.requests as [Collector['requests'][number]]
    expect({ path, headers }).toMatchObject({
      path: '/v1/traces',
      headers: { 'api-key': 'a secret', b: 'c', 'content-type': 'application/json' },
    })
    expect(sent.resourceSpans[0]?.resource.attributes).toEqual([
      { key: 'service.name', value: { stringValue: 'orders' } },
      { key: 'deployment.environment', value: { stringValue: 'test' } },
    ])
    expect(JSON.stringify(collector.requests.map(({ sent: body }) => body))).not.toMatch(
      /a\.csv|b\.csv|secret/,
    )
  })

  it('a load tells the spans of its consumer processes, each once', async () => {
    await using folder = await Folder.make({ 'a.csv': records(10) })
    await using collector = await Collector.start()
    const run = await folder.run(['load', 'a.csv', '--consumers', '2'], {
      env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/own` },
    })
    expect(run.code, run.err).toBe(0)
    expect(collector.named('publish')).toHaveLength(1)
    expect(collector.named('process')).toMatchObject([
      { links: [{ spanId: collector.named('publish')[0]?.spanId }] },
    ])
    expect(new Set(collector.requests.map(({ path }) => path))).toEqual(new Set(['/own']))
  })

  it('a collector that is away for a moment is told later; one that is not there, or goes on refusing, stops nothing and is said once', async () => {
    await using folder = await Folder.make({ 'a.csv': records(10) })
    await using collector = await Collector.start()
    collector.statuses.push(503)
    const run = await folder.run(['load', 'a.csv'], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
    expect(run.code).toBe(0)
    expect(collector.spans.map(({ name }) => name).sort()).toEqual(['process', 'publish'])
    const alone = await folder.run(['load', 'a.csv', '--again'], {
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
    })
    expect(alone.err.match(/traces cannot be sent/g)).toHaveLength(1)
  })

  it('a secret in the address goes into a header, and one in a header that is none is not said', async () => {
    await using folder = await Folder.make({ 'a.csv': records(10) })
    await using collector = await Collector.start()
    const endpoint = collector.url.replace('//', '//user:canary@')
    const run = await folder.run(['load', 'a.csv'], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } })
    expect(collector.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('user:canary').toString('base64')}`,
    )
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=canary%0Aab',
    }
    const wrong = await folder.run(['load', 'a.csv', '--again'], { env })
    expect(wrong.err).toContain('traces cannot be sent')
    expect(run.err + wrong.err).not.toContain('canary')
  })

  it('a protocol that is none of HTTP is told once, and a header that is not encoded is taken as it stands', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    await using collector = await Collector.start()
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'share=100%,api-key=a%20b',
    }
    const run = await folder.run(['produce', 'a.csv'], { env })
    expect(run.err.match(/traces are exported by HTTP only, not by grpc/g)).toHaveLength(1)
    expect(collector.requests.map(({ headers }) => [headers['share'], headers['api-key']])).toEqual([
      ['100%', 'a b'],
    ])
  })

  it('nothing is sent, and no message says more than before, unless it asks', async () => {
    await using folder = await Folder.make({ 'a.csv': records(1) })
    await using collector = await Collector.start()
    for (const env of [
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: 'true' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_EXPORTER: 'none' },
      { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    ])
      expect((await folder.run(['produce', 'a.csv', '--again'], { env })).code).toBe(0)
    expect(collector.requests).toEqual([])
    const messages = folder.sql<{ headers: string }>('SELECT headers FROM message', '.lading/queue.db')
    expect(messages.map(({ headers }) => Object.keys(JSON.parse(headers) as object))).toEqual([
      ['lading'],
      ['lading'],
      ['lading'],
    ])
  })
})

it('what an external sender wrote as a trace is taken only where it is one, and of many only some', () => {
  const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  expect(readTraceparent(good)).toEqual({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) })
  for (const bad of [
    undefined,
    '',
    'x',
    `${good}-`,
    good.toUpperCase(),
    good.replace('00-', 'ff-'),
    `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
  ])
    expect(readTraceparent(bad)).toBeUndefined()
  const many = Array.from({ length: 100 }, (_, n) => ({
    traceparent: `00-${'a'.repeat(32)}-${String(n + 1).padStart(16, '0')}-01`,
  }))
  expect(traceLinks([{}, { traceparent: good }, { traceparent: good }, { traceparent: 'x' }])).toEqual([good])
  expect(traceLinks(many)).toHaveLength(32)
})
