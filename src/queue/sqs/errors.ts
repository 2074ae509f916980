/** What SQS and its client say → our codes. */
import { type Code, LadingError } from '../../core/errors.ts'

const missing = /^(QueueDoesNotExist|QueueDeletedRecently|InvalidAddress)$|NonExistentQueue/
const busy =
  /Throttl|^(RequestLimitExceeded|TooManyRequests.*|SlowDown|BandwidthLimitExceeded|ServiceUnavailable.*|Internal(Error|Failure|ServerError|ServiceError).*|OverLimit|RequestTimeout)$/i
const refused =
  /AccessDenied|Credential|Token|Signature|^Kms|NotAuthorized|^(UnrecognizedClient|UnauthorizedOperation|InvalidSecurity|OptInRequired|AuthFailure|InvalidAccessKeyId|RequestExpired|RequestTimeTooSkewed|EndpointError).*/i
const network =
  /^(E[A-Z_]+|TimeoutError|NetworkingError|AbortError|UND_ERR.*)$|getaddrinfo|socket hang up|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|MD5|Checksum/
/** A certificate that is not trusted or a peer that does not speak TLS will be so tomorrow. */
const tls = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|^EPROTO$/
const large = /BatchRequestTooLong/
const largeText = /shorter than|must be (less|smaller)|too (long|large)|exceeds/i

/** `where` says which queue it is about. */
export function queueError(thrown: unknown, where: string): LadingError {
  if (thrown instanceof LadingError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const code = nameOf(error)
  // Its text quotes whatever came instead.
  if (error instanceof SyntaxError)
    return new LadingError('QUEUE_REFUSED', `${where}: what answers there does not speak the protocol of SQS`)
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
  return new LadingError(codeOf(code, error.message, status), `${where}: ${said(code, error.message)}`, {
    cause: error,
  })
}

/** Of one entry of a batch. */
export function entryError(code: string, message: string, where: string): LadingError {
  return new LadingError(codeOf(code, message, undefined), `${where}: ${said(code, message)}`)
}

/** SQS may take an entry the next time that it did not take now. */
export const isBusy = (code: string): boolean => busy.test(plain(code))

function codeOf(code: string, message: string, status: number | undefined): Code {
  if (missing.test(code)) return 'QUEUE_MISSING'
  if (isBusy(code)) return 'QUEUE_BUSY'
  if (large.test(code) || (code.startsWith('InvalidParameter') && largeText.test(message)))
    return 'MESSAGE_TOO_LARGE'
  if (refused.test(code) || tls.test(code)) return 'QUEUE_REFUSED'
  if (status === undefined || status < 400)
    return network.test(code) || network.test(message) ? 'QUEUE_UNAVAILABLE' : 'QUEUE_REFUSED'
  if (status >= 500 || status === 429) return 'QUEUE_BUSY'
  return status === 404 ? 'QUEUE_MISSING' : 'QUEUE_REFUSED'
}

/** Both the client and Node's sockets say what it is in a place of their own. */
function nameOf(error: Error): string {
  const { code } = error as { code?: unknown }
  return plain(error.name === 'Error' && typeof code === 'string' ? code : error.name)
}

const plain = (code: string): string => code.replace(/^AWS\.SimpleQueueService\./, '').replace(/^.*#/, '')

/** The first sentence: the rest holds signatures and identifiers of requests. */
function said(code: string, message: string): string {
  const [line = ''] = message.trim().split('\n')
  const sentence = /^(.*?)[.!:]?(?:[.!] |$)/.exec(line)?.[1]?.slice(0, 300) ?? ''
  if (sentence === '' || sentence === 'UnknownError') return code
  return /^(Error|AggregateError)$/.test(code) || sentence.includes(code) ? sentence : `${sentence} (${code})`
}
