/** Routes by which the page reads and changes the ledger. */
import type { IncomingMessage } from 'node:http'
import { codes, type LadingError, toLadingError } from '../core/errors.ts'
import type { KeptList, WebLedger } from './ledger.ts'
import type { Question } from './search.ts'
import { json, plain, type Reply, type Route } from './server.ts'

const mostIds = 100
const mostBodyBytes = 16_384
const mostSearch = 200

export function apiRoutes(ledger: WebLedger | undefined): Route[] {
  if (ledger === undefined) return []
  return [
    route('GET', '/api/loads', async () => json(await ledger.receipts())),
    route('GET', '/api/reasons', async () => json(await ledger.reasons())),
    ...keptRoutes('/api/rejects', ledger.rejects),
    ...keptRoutes('/api/dead', ledger.letters),
  ]
}

function keptRoutes(path: string, kept: KeptList): Route[] {
  const changes = (['replay', 'discard'] as const).map((name) => {
    return route('POST', `${path}/${name}`, async (request) => {
      const ids = await idsOf(request)
      return ids === undefined
        ? plain(400, `expected {"ids": [1, 2, …]} with at most ${mostIds} ids`)
        : json(await kept[name](ids))
    })
  })
  return [
    ...changes,
    route('GET', path, async (request) => {
      const question = questionOf(parametersOf(request))
      return question === undefined ? plain(400, 'invalid query') : json(await kept.list(question))
    }),
    route('GET', `${path}/`, async (request) => {
      const id = wholeOf((request.url ?? '').split('?')[0]?.slice(path.length + 1) ?? '')
      const found = id === undefined ? undefined : await kept.show(id)
      return found === undefined ? plain(404, 'not found') : json(found)
    }),
  ]
}

function route(
  method: Route['method'],
  path: string,
  answer: (request: IncomingMessage) => Promise<Reply>,
): Route {
  const guarded = (request: IncomingMessage) =>
    answer(request).catch((thrown: unknown) => failure(toLadingError(thrown)))
  return { method, path, to: 'known', answer: guarded }
}

/** The message of an internal error may contain anything; the others are safe to show. */
function failure({ code, message, advice }: LadingError): Reply {
  const isOurFault = code === 'INTERNAL' || code === 'SINK_FAILED'
  return json({ code, message: isOurFault ? codes[code].meaning : message, advice }, isOurFault ? 500 : 503)
}

const parametersOf = ({ url = '' }: IncomingMessage): URLSearchParams =>
  new URLSearchParams(url.split('?')[1] ?? '')

/** Undefined for an invalid query. */
function questionOf(parameters: URLSearchParams): Question | undefined {
  const text = (name: string) => parameters.get(name) || undefined
  const loadId = text('load')?.toLowerCase()
  const code = text('code')
  const words = text('search')
  const after = wholeOf(text('after') ?? '0')
  if (loadId !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(loadId)) return undefined
  if (code !== undefined && !Object.hasOwn(codes, code)) return undefined
  if (after === undefined || (words?.length ?? 0) > mostSearch) return undefined
  return { loadId, code, column: text('column'), search: words, after }
}

function wholeOf(text: string): number | undefined {
  const value = Number(text)
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : undefined
}

async function idsOf(request: IncomingMessage): Promise<number[] | undefined> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return undefined
  let body: unknown
  try {
    body = JSON.parse(await bodyOf(request))
  } catch {
    return undefined
  }
  const ids = body !== null && typeof body === 'object' && 'ids' in body ? body.ids : undefined
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > mostIds) return undefined
  return ids.every((id) => Number.isSafeInteger(id) && id > 0) ? (ids as number[]) : undefined
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > mostBodyBytes) throw new RangeError('the body is too large')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
