/**
 * Trace context of the W3C (https://www.w3.org/TR/trace-context), by which what is published and what is
 * written are told to belong together.
 */
import { randomBytes } from 'node:crypto'

export interface SpanId {
  readonly traceId: string
  readonly spanId: string
}

/** Header of a message that names the span in which it was published. */
const header = 'traceparent'

/** Of all the messages of a batch, so many different ones are named. */
const mostLinks = 32

export const newTraceparent = (): string =>
  `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`

export const traceHeaders = (traceparent: string | undefined): Readonly<Record<string, string>> =>
  traceparent === undefined ? {} : { [header]: traceparent }

/** Undefined for what is none, which a stranger may have written. */
export function readTraceparent(text: string | undefined): SpanId | undefined {
  const [, traceId, spanId] = /^00-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/.exec(text ?? '') ?? []
  return traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)
    ? undefined
    : { traceId, spanId }
}

/** The different spans in which messages with these headers were published. */
export function traceLinks(headers: Iterable<Readonly<Record<string, string>>>): readonly string[] {
  const links = new Set<string>()
  for (const { [header]: link } of headers) {
    if (link === undefined || links.has(link) || readTraceparent(link) === undefined) continue
    links.add(link)
    if (links.size === mostLinks) break
  }
  return [...links]
}
