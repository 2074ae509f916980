/** What S3 and its client say → our codes. */
import { type Code, LadingError } from '../../core/errors.ts'
import { askedToWait, sourceChanged } from '../remote-file.ts'

const missing = /^(NoSuchKey|NotFound|NoSuchVersion|NoSuchBucket|NoSuchUpload)$/
const busy =
  /Throttl|^(SlowDown|Busy|TooManyRequests.*|RequestLimitExceeded|RequestTimeout|OperationAborted)$|^(Internal|Service)/i
const network =
  /^(E[A-Z_]+|TimeoutError|NetworkingError|UND_ERR.*)$|getaddrinfo|socket hang up|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|aborted/
/** A certificate that is not trusted or a peer that does not speak TLS will be so tomorrow. */
const tls = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|^EPROTO$/
/** They say nothing of the object. */
const credentials =
  /Credential|Token|Signature|^(InvalidAccessKeyId|AuthorizationHeaderMalformed|RequestExpired|RequestTimeTooSkewed|AccountProblem|NotSignedUp|AuthFailure)/i

/** `url` says which object it is about. */
export function storeError(thrown: unknown, url: string): LadingError {
  if (thrown instanceof LadingError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const name = nameOf(error)
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
  if (status === 412) return sourceChanged(url)
  const code = codeOf(name, error.message, status)
  const said = (error as { $response?: { headers?: Readonly<Record<string, string>> } }).$response
  const afterMs = askedToWait(said?.headers?.['retry-after'])
  return new LadingError(code, `${url}: ${saidOf(name, error.message, status)}`, { cause: error, afterMs })
}

function codeOf(name: string, message: string, status: number | undefined): Code {
  if (missing.test(name) || status === 404) return 'SOURCE_MISSING'
  if (tls.test(name) || credentials.test(name)) return 'SOURCE_REFUSED'
  // An object under a key of its writer's own (SSE-C) cannot be read without that key.
  if (status === 405 || status === 501 || name === 'InvalidRequest') return 'SOURCE_UNREADABLE'
  if (busy.test(name) || status === 429 || (status ?? 0) >= 500) return 'SOURCE_UNAVAILABLE'
  if (status === undefined || status < 300)
    return network.test(name) || network.test(message) ? 'SOURCE_UNAVAILABLE' : 'SOURCE_REFUSED'
  return status === 403 ? 'SOURCE_UNREADABLE' : 'SOURCE_REFUSED'
}

/** Both the client and Node's sockets say what it is in a place of their own. */
function nameOf(error: Error): string {
  const { code } = error as { code?: unknown }
  return error.name === 'Error' && typeof code === 'string' ? code : error.name
}

function saidOf(name: string, message: string, status: number | undefined): string {
  if (name === 'NoSuchBucket') return 'there is no such bucket'
  if (name === 'NoSuchVersion') return 'there is no such version of the object'
  if (missing.test(name) || status === 404) return 'there is no such object'
  if (name === 'InvalidObjectState') return 'the object is archived: restore it first'
  if (name === 'ListDenied')
    return 'the credentials may not list the bucket (s3:ListBucket), which a folder or a pattern needs'
  if (status === 403 && !credentials.test(name))
    return 'the credentials may not read it (s3:GetObject); of what is not there, S3 says the same to those who may not list the bucket'
  if (status === 301 || name === 'PermanentRedirect')
    return 'the bucket is in another region: state it with ?region='
  const host = /getaddrinfo ENOTFOUND (\S+)/.exec(message)?.[1]
  if (host !== undefined)
    return `no host ${host} is known: state the store with ?endpoint= or AWS_ENDPOINT_URL_S3, and correct the bucket or the region`
  // The first sentence: the rest holds signatures and identifiers of requests.
  const [line = ''] = message.trim().split('\n')
  const sentence = /^(.*?)[.!:]?(?:[.!] |$)/.exec(line)?.[1]?.slice(0, 300) ?? ''
  if (sentence === '' || sentence === 'UnknownError')
    return status === undefined ? name : `${name} (${status})`
  return /^(Error|AggregateError)$/.test(name) || sentence.includes(name) ? sentence : `${sentence} (${name})`
}
