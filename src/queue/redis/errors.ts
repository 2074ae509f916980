/** What Redis and its client say → our codes. */
import { type Code, LadingError } from '../../core/errors.ts'
import { isTlsFault } from '../fault.ts'

/** By the first word of an answer. */
const codes: Readonly<Record<string, Code>> = {
  NOAUTH: 'QUEUE_REFUSED',
  WRONGPASS: 'QUEUE_REFUSED',
  NOPERM: 'QUEUE_REFUSED',
  DENIED: 'QUEUE_REFUSED',
  WRONGTYPE: 'QUEUE_REFUSED',
  MOVED: 'QUEUE_REFUSED',
  CROSSSLOT: 'QUEUE_REFUSED',
  NOGROUP: 'QUEUE_MISSING',
  OOM: 'QUEUE_HOLD',
  MISCONF: 'QUEUE_HOLD',
  NOREPLICAS: 'QUEUE_HOLD',
  BUSY: 'QUEUE_BUSY',
  TRYAGAIN: 'QUEUE_BUSY',
  // A server that starts, or that another one has followed: somebody else answers at the address soon.
  LOADING: 'QUEUE_UNAVAILABLE',
  MASTERDOWN: 'QUEUE_UNAVAILABLE',
  READONLY: 'QUEUE_UNAVAILABLE',
  UNKILLABLE: 'QUEUE_BUSY',
}

/** `where` says which queue it is about. */
export function queueError(thrown: unknown, where: string): LadingError {
  if (thrown instanceof LadingError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const code = isTlsFault(error) ? 'QUEUE_REFUSED' : codeOf(error.message)
  const text = `${isTlsFault(error) ? 'TLS: ' : ''}${said(error)}`
  return new LadingError(code, `${where}: ${text}`, { cause: error })
}

function codeOf(message: string): Code {
  const word = /^[A-Z]+(?= )/.exec(message)?.[0] ?? ''
  if (codes[word] !== undefined) return codes[word]
  if (/max number of clients/.test(message)) return 'QUEUE_HOLD'
  if (/no such key/.test(message)) return 'QUEUE_MISSING'
  if (/invalid password|DB index is out of range|unknown command/i.test(message)) return 'QUEUE_REFUSED'
  return word === 'ERR' ? 'QUEUE_REFUSED' : 'QUEUE_UNAVAILABLE'
}

/** Without the place in the script that was run. Of several addresses that were tried, the first says why. */
function said(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error
  const [line = ''] = first.message.replace(/,? script: [0-9a-f]{40}.*$/s, '').split('\n')
  return line.trim() || 'the connection was lost'
}
