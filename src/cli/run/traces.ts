/**
 * Exports traces if OpenTelemetry's environment variables ask for it:
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter.
 */
import { ignoreEvents, type Listener } from '../../core/events.ts'
import type { Environment } from '../settings/environment.ts'
import { say } from '../terminal/log.ts'
import { isTied } from './signals.ts'
import { version } from './version.ts'

export interface Traces extends AsyncDisposable {
  readonly listener: Listener
}

const defaultTimeoutMs = 10_000

/** Whether messages carry the id of their publish span. */
export const isTraced = (env: Environment): boolean => endpointOf(env) !== undefined

/** In a load, the parent process exports for all. */
export async function openTraces(env: Environment): Promise<Traces> {
  const url = isTied(env) ? undefined : endpointOf(env)
  if (url === undefined) return { listener: ignoreEvents, [Symbol.asyncDispose]: async () => undefined }
  warnOfProtocol(given(env, 'PROTOCOL'))
  const [{ OtlpSender }, { spanOf }] = await Promise.all([
    import('../../observe/otlp.ts'),
    import('../../observe/traces.ts'),
  ])
  const timeoutMs = Number(given(env, 'TIMEOUT')) || defaultTimeoutMs
  const resource = {
    'service.name': 'lading',
    ...pairs(env['OTEL_RESOURCE_ATTRIBUTES']),
    ...serviceName(env),
  }
  const { address, authorization } = withoutUser(url)
  const sender = new OtlpSender({
    url: address,
    timeoutMs,
    resource,
    version: version(),
    headers: { ...authorization, ...pairs(given(env, 'HEADERS')) },
    onFailure: (message) => say('warn', 'traces', { message }, `traces cannot be sent: ${message}`),
  })
  return {
    listener: (event) => {
      const span = spanOf(event, performance.timeOrigin + performance.now())
      if (span !== undefined) sender.add(span)
    },
    [Symbol.asyncDispose]: () => sender[Symbol.asyncDispose](),
  }
}

/** A variable meant for all programs of a machine must not stop this one. */
function warnOfProtocol(protocol = 'http/json'): void {
  if (!protocol.startsWith('http/'))
    say('warn', 'traces', { protocol }, `traces are exported by HTTP only, not by ${protocol}`)
}

function endpointOf(env: Environment): string | undefined {
  const exporter = env['OTEL_TRACES_EXPORTER']
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || undefined
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  if (exporter ? exporter !== 'otlp' : own === undefined && base === undefined) return undefined
  const url = own ?? `${(base ?? 'http://localhost:4318').replace(/\/$/, '')}/v1/traces`
  return URL.canParse(url) ? url : undefined
}

/** Moves the user from the address into a header, because requests refuse it in the address. */
function withoutUser(text: string): {
  readonly address: string
  readonly authorization?: Readonly<Record<string, string>>
} {
  const url = new URL(text)
  const { username, password } = url
  if (username === '' && password === '') return { address: text }
  url.username = url.password = ''
  const user = Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString('base64')
  return { address: url.href, authorization: { authorization: `Basic ${user}` } }
}

const given = (env: Environment, name: string): string | undefined =>
  env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined

const serviceName = (env: Environment) =>
  env['OTEL_SERVICE_NAME'] ? { 'service.name': env['OTEL_SERVICE_NAME'] } : {}

/** `name=value,name=value`, with URL-encoded values. */
function pairs(text: string | undefined): Record<string, string> {
  const found: Record<string, string> = {}
  for (const each of text?.split(',') ?? []) {
    const mark = each.indexOf('=')
    if (mark > 0) found[each.slice(0, mark).trim()] = unescaped(each.slice(mark + 1).trim())
  }
  return found
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
