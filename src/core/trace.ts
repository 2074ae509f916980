/** W3C trace context (https://www.w3.org/TR/trace-context), which links publish spans to write spans. */
import { randomBytes } from 'node:crypto'

export interface SpanId {
  readonly traceId: string
  readonly spanId: string
}

/** Message header with the publish span. */
const header = 'traceparent'

/** Most links that a batch reports. */
const mostLinks = 32

export const newTraceparent = (): string =>
  `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`

export const traceHeaders = (traceparent: string | undefined): Readonly<Record<string, string>> =>
  traceparent === undefined ? {} : { [header]: traceparent }

/** Undefined for an invalid header, which an external message may have. */
export function readTraceparent(text: string | undefined): SpanId | undefined {
  const [, traceId, spanId] = /^00-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/.exec(text ?? '') ?? []
  return traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)
    ? undefined
    : { traceId, spanId }
}

/** The distinct publish spans in these headers. */
export function traceLinks(headers: Iterable<Readonly<Record<string, string>>>): readonly string[] {
  const links = new Set<string>()
  for (const { [header]: link } of headers) {
    if (link === undefined || links.has(link) || readTraceparent(link) === undefined) continue
    links.add(link)
    if (links.size === mostLinks) break
  }
  return [...links]
}
