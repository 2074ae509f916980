/** What RabbitMQ and its client say → our codes. */
import { LadingError } from '../../core/errors.ts'
import { isTlsFault } from '../fault.ts'

/** Reply codes of AMQP 0-9-1 by their meaning for us. */
const replies = {
  accessRefused: 403,
  notFound: 404,
  locked: 405,
  preconditionFailed: 406,
  notAllowed: 530,
} as const

/** `where` says which queue it is about, `wasOpen` that the broker has let us in before. */
export function queueError(thrown: unknown, where: string, wasOpen = false): LadingError {
  if (thrown instanceof LadingError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const text = textOf(error.message)
  const refused = (why: string) => new LadingError('QUEUE_REFUSED', `${where}: ${why}`, { cause: error })
  switch (replyOf(error)) {
    case replies.accessRefused:
    case replies.notAllowed:
    case replies.locked:
      return refused(text)
    case replies.notFound:
      // A queue whose node is down is not found either, and comes back.
      if (/no queue|no exchange/.test(text))
        return new LadingError('QUEUE_MISSING', `${where}: ${text}`, { cause: error })
      break
    case replies.preconditionFailed:
      if (/inequivalent arg/.test(text))
        return refused(`it exists with other arguments: ${text}; --no-create uses it as it is`)
      if (/larger than|exceeds|max size/i.test(text))
        return new LadingError('MESSAGE_TOO_LARGE', `${where}: ${text}`, { cause: error })
      break
    default:
  }
  // The client cannot encode a table of headers that is larger than its buffer, and a broker would not take
  // it.
  if (error instanceof RangeError)
    return new LadingError('MESSAGE_TOO_LARGE', `${where}: the headers of a message: ${text}`, {
      cause: error,
    })
  // The client has no reply code for this step of the handshake.
  if (/Expected ConnectionOpenOk; got <ConnectionClose/.test(error.message) && !wasOpen)
    return refused(
      'there is no such virtual host, the user may not use it, or it has as many connections as it may',
    )
  if (isTlsFault(error)) return refused(`TLS: ${error.message}`)
  return new LadingError('QUEUE_UNAVAILABLE', `${where}: ${text}`, { cause: error })
}

/** The client gives the code with the error, or within its text while it shakes hands. */
function replyOf(error: Error): number | undefined {
  const { code } = error as { code?: unknown }
  if (typeof code === 'number') return code
  const written = /terminated by server: (\d{3}) /.exec(error.message)?.[1]
  return written === undefined ? undefined : Number(written)
}

/** The server's own words, without those of the client around them. */
function textOf(message: string): string {
  const said = /with message "(.*)"$/s.exec(message)?.[1] ?? message
  return said.replace(/^[A-Z_]+ - /, '').trim() || 'the connection was lost'
}
