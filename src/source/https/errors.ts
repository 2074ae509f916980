/** What servers of HTTP and sockets say → our codes. */
import type { IncomingMessage } from 'node:http'
import { type Code, LadingError } from '../../core/errors.ts'
import { askedToWait } from '../remote-file.ts'

/** A certificate that is not trusted or a peer that does not speak TLS will be so tomorrow. */
const tls = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL|^EPROTO$/

/** There is no answer. */
export function lost(thrown: unknown, shown: string): LadingError {
  if (thrown instanceof LadingError) return thrown
  const { code = '', message } = thrown as NodeJS.ErrnoException
  const refused = (why: string) => new LadingError('SOURCE_REFUSED', `${shown}: ${why}`, { cause: thrown })
  if (tls.test(code))
    return refused(
      `the certificate of the server is not trusted (${code}); NODE_EXTRA_CA_CERTS names the file of an authority of your own`,
    )
  if (code === 'ENOTFOUND') return refused('no host has this name')
  const why = message === 'aborted' ? 'the connection broke off' : message
  return new LadingError('SOURCE_UNAVAILABLE', `${shown}: ${why}`, { cause: thrown })
}

/** The answer is none of the file. */
export function refusal({ statusCode = 0, headers }: IncomingMessage, shown: string): LadingError {
  const [code, why] = meaning(statusCode)
  return new LadingError(code, `${shown}: ${why}`, { afterMs: askedToWait(headers['retry-after']) })
}

function meaning(status: number): readonly [Code, string] {
  if (status === 404 || status === 410) return ['SOURCE_MISSING', `there is no such file (${status})`]
  if (status === 401)
    return [
      'SOURCE_REFUSED',
      'the server wants a login, or another one (401): write USER:PASSWORD@ before the host of the URL',
    ]
  if (status === 403) return ['SOURCE_UNREADABLE', 'the server does not let this file be read (403)']
  const passes = status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)
  // What the login does not mend is one of the file: whoever waits for it would wait for ever.
  return [passes ? 'SOURCE_UNAVAILABLE' : 'SOURCE_UNREADABLE', `the server answers with status ${status}`]
}
