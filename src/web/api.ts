/** Routes by which the page reads and changes the ledger. */
import type { IncomingMessage } from 'node:http'
import { type Code, codes, type LadingError, toLadingError } from '../core/errors.ts'
import { type Correction, mostEditBytes } from './edit.ts'
import type { KeptList, WebLedger } from './ledger.ts'
import { type Question, wantedStates } from './search.ts'
import { json, plain, type Reply, type Route } from './server.ts'

const mostIds = 100
const mostBodyBytes = 16_384
/** A correction of `mostEditBytes`, each of which JSON may write with six. */
const mostCorrectionBytes = 6 * mostEditBytes + 16_384
const mostSearch = 200

export function apiRoutes(ledger: WebLedger | undefined): Route[] {
  if (ledger === undefined) return []
  return [
    route('GET', '/api/reasons', async (request) => {
      const question = questionOf(parametersOf(request))
      return question === undefined
        ? plain(400, 'invalid query')
        : json(await ledger.reasons(question.loadId))
    }),
    route('POST', '/api/rejects/edit', async (request) => {
      const edit = editIn(await bodyOf(request, mostCorrectionBytes))
      if (edit === undefined)
        return plain(400, `expected an id, a version and a correction of at most ${mostEditBytes} bytes`)
      const kept = await ledger.rejects.edit(edit.id, edit.version, edit.correction)
      return kept === undefined ? plain(404, 'not found') : json(kept)
    }),
    ...keptRoutes('/api/rejects', ledger.rejects),
    ...keptRoutes('/api/dead', ledger.letters),
  ]
}

function keptRoutes(path: string, kept: KeptList): Route[] {
  const changes = (['replay', 'discard'] as const).map((name) => {
    return route('POST', `${path}/${name}`, async (request) => {
      const ids = idsIn(await bodyOf(request, mostBodyBytes))
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
      const [, digits = '', file] =
        /^(\d+)(\/file)?$/.exec((request.url ?? '').split('?')[0]?.slice(path.length + 1) ?? '') ?? []
      const id = wholeOf(digits)
      if (id === undefined) return plain(404, 'not found')
      const found = file === undefined ? await kept.show(id) : await kept.file(id)
      if (found === undefined) return plain(404, 'not found')
      return 'bytes' in found ? download(found.name, found.bytes) : json(found)
    }),
  ]
}

/** Saved, never shown, whatever it holds. */
const download = (name: string, body: Uint8Array): Reply => ({
  status: 200,
  type: 'application/octet-stream',
  body,
  headers: { 'content-disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"` },
})

export function route(
  method: Route['method'],
  path: string,
  answer: (request: IncomingMessage) => Promise<Reply>,
): Route {
  const guarded = (request: IncomingMessage) =>
    answer(request).catch((thrown: unknown) => failure(toLadingError(thrown)))
  return { method, path, to: 'known', answer: guarded }
}

/** What a person asked for cannot be done: the database and the run are well. */
const refusals: readonly Code[] = [
  'NOT_FOUND',
  'WRONG_PIPELINE',
  'RECORD_NOT_KEPT',
  'COLUMN_COUNT',
  'MODEL_INVALID',
]

/** The message of an internal error may contain anything; the others are safe to show. */
function failure({ code, message, advice }: LadingError): Reply {
  const isOurFault = code === 'INTERNAL' || code === 'SINK_FAILED'
  const status = isOurFault ? 500 : refusals.includes(code) ? 409 : 503
  return json({ code, message: isOurFault ? codes[code].meaning : message, advice }, status)
}

export const parametersOf = ({ url = '' }: IncomingMessage): URLSearchParams =>
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
  const state = wantedStates.find((each) => each === (text('state') ?? 'open'))
  if (after === undefined || state === undefined || (words?.length ?? 0) > mostSearch) return undefined
  return { loadId, code, state, column: text('column'), search: words, after }
}

function wholeOf(text: string): number | undefined {
  const value = Number(text)
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(value) ? value : undefined
}

function idsIn(body: Body): number[] | undefined {
  const ids = body?.['ids']
  if (!Array.isArray(ids) || ids.length === 0 || ids.length > mostIds) return undefined
  return ids.every(isId) ? ids : undefined
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0

function editIn(body: Body) {
  const { id, version } = body ?? {}
  const correction = correctionIn(body ?? {})
  if (!isId(id) || typeof version !== 'string' || correction === undefined) return undefined
  return { id, version, correction }
}

function correctionIn({ text, fields, original }: Readonly<Record<string, unknown>>): Correction | undefined {
  if (original === true) return { original }
  if (isText(text)) return { text }
  if (!Array.isArray(fields)) return undefined
  const pairs = fields as readonly unknown[]
  const texts = pairs.flatMap((pair) => (Array.isArray(pair) && isText(pair[1]) ? [pair[1]] : []))
  const cells = pairs.flatMap((pair) => (Array.isArray(pair) && isCell(pair[0]) ? [pair[0]] : []))
  if (texts.length < pairs.length || cells.length < pairs.length || !isText(texts.join(''))) return undefined
  return { fields: cells.map((cell, index) => [cell, texts[index] ?? '']) }
}

const isCell = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/** What is not well-formed could not be stored as it was entered. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && Buffer.byteLength(value) <= mostEditBytes

type Body = Readonly<Record<string, unknown>> | undefined

/** An object of JSON; undefined for anything else. */
async function bodyOf(request: IncomingMessage, mostBytes: number): Promise<Body> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return undefined
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > mostBytes) return undefined
    pieces.push(piece)
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
    return body !== null && typeof body === 'object' ? (body as Body) : undefined
  } catch {
    return undefined
  }
}
