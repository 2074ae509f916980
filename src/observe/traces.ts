/**
 * Events → spans of OpenTelemetry: one for each window that is published and one for each batch that is
 * written, linked to those windows.
 */
import type { LadingEvent } from '../core/events.ts'
import { newTraceparent, readTraceparent, type SpanId } from '../core/trace.ts'

/** As OTLP has it in JSON: https://opentelemetry.io/docs/specs/otlp, trace/v1/trace.proto. */
export interface Span extends SpanId {
  readonly name: string
  readonly kind: number
  /** Nanoseconds since 1970; more than a number holds. */
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly links?: readonly SpanId[]
}

export interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string } | { readonly intValue: string }
}

const producer = 4
const consumer = 5

/**
 * `now` in milliseconds since 1970. Undefined for what is no span. No attribute holds data, a load or a file.
 */
export function spanOf(event: LadingEvent, now: number): Span | undefined {
  if (event.type === 'window') {
    const id = readTraceparent(event.traceparent)
    if (id === undefined) return undefined
    const records = event.loads.reduce((sum, load) => sum + load.records, 0)
    const attributes = counts({
      ...messaging(event.messages),
      'lading.records': records,
      'lading.bytes': event.bytes,
    })
    return {
      ...id,
      name: 'publish',
      kind: producer,
      ...times(now - event.publishMs, now),
      attributes: [operation('send'), ...attributes],
    }
  }
  if (event.type === 'batch') {
    const {
      messages,
      records,
      loaded,
      rejected,
      skipped,
      duplicates,
      redelivered,
      retried,
      deadMessages,
      bytes,
      writeMs,
      settleMs,
    } = event
    const told = { records, loaded, rejected, skipped, duplicates, redelivered, retried, deadMessages, bytes }
    const named = Object.fromEntries(Object.entries(told).map(([name, value]) => [`lading.${name}`, value]))
    const attributes = counts({
      ...messaging(messages),
      ...named,
      'lading.write_ms': writeMs,
      'lading.settle_ms': settleMs,
    })
    const links = (event.links ?? []).flatMap((link) => readTraceparent(link) ?? [])
    const id = readTraceparent(newTraceparent()) as SpanId
    const span = { ...id, name: 'process', kind: consumer, ...times(now - writeMs - settleMs, now) }
    return { ...span, attributes: [operation('process'), ...attributes], links }
  }
  return undefined
}

const operation = (type: string): Attribute => ({
  key: 'messaging.operation.type',
  value: { stringValue: type },
})
const messaging = (messages: number) => ({ 'messaging.batch.message_count': messages })

const counts = (values: Readonly<Record<string, number>>): readonly Attribute[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: { intValue: String(Math.round(value)) } }))

const times = (start: number, end: number) => ({
  startTimeUnixNano: nanoseconds(start),
  endTimeUnixNano: nanoseconds(end),
})

const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n)
