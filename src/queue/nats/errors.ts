/** What NATS and its client say → our codes. */
import { errors } from '@nats-io/transport-node'
import { JetStreamApiError } from '@nats-io/jetstream'
import { type Code, LadingError } from '../../core/errors.ts'
import { isTlsFault } from '../fault.ts'

/** Numbers of the JetStream API by their meaning for us. */
const missing = [10_059, 10_014]
/** Limits of the stream, the account or the server, and a disk that is full. */
const full = [10_077, 10_002, 10_023, 10_028, 10_047]
const large = [10_054, 10_097]
/** Said with the status of a failure of the server: settings that it does not take, and replicas that it does not have. */
const unfit = [10_052, 10_074]
const disabled = [10_039, 10_076]

/** `where` says which stream it is about, `wasOpen` that the server has let us in before. */
export function queueError(thrown: unknown, where: string, wasOpen = false): LadingError {
  if (thrown instanceof LadingError) return thrown
  const error = said(thrown)
  return new LadingError(codeOf(error, wasOpen), `${where}: ${textOf(error)}`, { cause: error })
}

/** What the client wraps as the failure of a request. */
function said(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return error instanceof errors.RequestError && error.cause instanceof Error ? error.cause : error
}

function codeOf(error: Error, wasOpen: boolean): Code {
  if (error instanceof JetStreamApiError) return apiCode(error, wasOpen)
  // What was granted before may have run out, and be granted anew.
  if (isRefusal(error)) return wasOpen && isExpiry(error) ? 'QUEUE_UNAVAILABLE' : 'QUEUE_REFUSED'
  if (error instanceof errors.InvalidArgumentError || isTlsFault(error) || hasNoTls(error))
    return 'QUEUE_REFUSED'
  return 'QUEUE_UNAVAILABLE'
}

function apiCode({ code, status }: JetStreamApiError, wasOpen: boolean): Code {
  if (missing.includes(code)) return 'QUEUE_MISSING'
  if (full.includes(code)) return 'QUEUE_HOLD'
  if (large.includes(code)) return 'MESSAGE_TOO_LARGE'
  if (unfit.includes(code)) return 'QUEUE_REFUSED'
  // A server that cannot write any more switches JetStream off.
  if (disabled.includes(code)) return wasOpen ? 'QUEUE_HOLD' : 'QUEUE_REFUSED'
  return status >= 500 ? 'QUEUE_BUSY' : 'QUEUE_REFUSED'
}

const isRefusal = (error: Error): boolean =>
  error instanceof errors.AuthorizationError ||
  error instanceof errors.PermissionViolationError ||
  isExpiry(error)

const isExpiry = (error: Error): boolean => error instanceof errors.UserAuthenticationExpiredError

/** The client's own words. */
const hasNoTls = (error: Error): boolean => error.message.includes("does not support 'tls'")

/** Nobody answers a call of JetStream, or what is published to no stream. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'JetStreamNotEnabled' || error instanceof errors.NoRespondersError)

export const isTimeout = (error: unknown): boolean => error instanceof errors.TimeoutError

/** A permission names the subject, never a secret. */
function textOf(error: Error): string {
  if (error instanceof errors.AuthorizationError)
    return 'the server refuses the user, password, token or key, or the rights of the account'
  if (isUnanswered(error)) return 'JetStream does not answer: is it on for this server and account?'
  if (hasNoTls(error)) return 'the server has no TLS, which tls:// demands'
  return isTlsFault(error) ? `TLS: ${error.message}` : error.message || 'the connection was lost'
}
