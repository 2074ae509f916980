/** One request of HTTP, through what redirects it. */
import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as overHttp,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as overHttps } from 'node:https'
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import { decoded } from './address.ts'
import { lost } from './errors.ts'

const answerWithinMs = 20_000
const mostRedirects = 5
const keepAlive = { keepAlive: true, maxSockets: 64 }

type Request = (url: string, options: RequestOptions) => ClientRequest

const protocols: Readonly<Record<'http:' | 'https:', { request: Request; agent: HttpAgent }>> = {
  'http:': { request: overHttp, agent: new HttpAgent(keepAlive) },
  'https:': { request: overHttps, agent: new HttpsAgent(keepAlive) },
}

interface Question extends Abortable {
  readonly url: URL
  /** How the file is named in messages. */
  readonly shown: string
  readonly headers: Readonly<Record<string, string>>
}

/** The head of the answer, whose body is still to come; throws `SOURCE_…` where there is none. */
export async function ask({ url: first, shown, headers, signal }: Question): Promise<IncomingMessage> {
  let url = first
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    // Who redirects elsewhere is not trusted with the login.
    const answer = await once(url, url.origin === first.origin ? login(first) : {}, headers, signal).catch(
      (error: unknown) => {
        throw lost(error, shown)
      },
    )
    const { statusCode = 0, headers: said } = answer
    if (statusCode < 300 || statusCode > 399 || said.location === undefined) return answer
    answer.destroy()
    const next = URL.parse(said.location, url.href)
    if (
      next === null ||
      !(next.protocol in protocols) ||
      (url.protocol === 'https:' && next.protocol === 'http:')
    )
      throw new LadingError('SOURCE_UNREADABLE', `${shown}: the server leads on to what is not https`)
    url = next
  }
  throw new LadingError('SOURCE_UNREADABLE', `${shown}: the server leads on more than ${mostRedirects} times`)
}

function once(
  url: URL,
  own: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const plain = new URL(url)
  plain.username = ''
  plain.password = ''
  return new Promise((resolve, reject) => {
    const { request, agent } = protocols[url.protocol as keyof typeof protocols]
    const asking = request(plain.href, {
      agent,
      // The bytes as they are stored.
      headers: { 'accept-encoding': 'identity', 'user-agent': 'lading', ...headers, ...own },
      ...(signal !== undefined && { signal }),
    })
    // v8 ignore next -- a test would have to wait as long, because the time is the socket's own
    const giveUp = () => void asking.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }))
    asking.setTimeout(answerWithinMs, giveUp)
    asking.once('error', reject)
    asking.once('response', (answer) => {
      // Who reads the body knows when it is waited for.
      asking.setTimeout(0)
      resolve(answer)
    })
    asking.end()
  })
}

function login({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {}
  const text = `${decoded(username)}:${decoded(password)}`
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` }
}
