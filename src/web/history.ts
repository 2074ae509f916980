/**
 * Routes of the loads that the ledger knows, whoever has run them: a page of them at a time, the newest first,
 * and each of them by its id.
 */
import type { IncomingMessage } from 'node:http'
import type { Receipt, Standing } from '../sink/ledger.ts'
import { asTaken, balance } from '../sink/receipt.ts'
import type { LoadAnswer } from './answers.ts'
import { parametersOf, route } from './api.ts'
import type { WebLedger } from './ledger.ts'
import { json, plain, type Route } from './server.ts'

const pageLoads = 50
const mostWords = 200
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const standings: readonly string[] = ['open', 'complete', 'rejects'] satisfies readonly Standing[]

export function historyRoutes(ledger: WebLedger | undefined): Route[] {
  if (ledger === undefined) return []
  const movement = new Movement()
  const answer = (receipt: Receipt) => answerOf(asTaken(receipt), movement.isMoving(receipt))
  return [
    route('GET', '/api/pipelines', async () =>
      json(await ledger.ask(async (known, { signal }) => (await known.pipelines?.({ signal })) ?? [])),
    ),
    route('GET', '/api/loads', async (request) => {
      const filter = filterOf(request)
      if (filter === undefined) return plain(400, 'invalid query')
      // One more than a page tells whether there is another page.
      const found = await ledger.ask((known, { signal, pipeline }) =>
        known.receipts({ pipeline, ...filter, limit: pageLoads + 1 }, { signal }),
      )
      const items = found.slice(0, pageLoads).map(answer)
      return json({ items, next: found.length > pageLoads ? items.at(-1)?.loadId : undefined })
    }),
    route('GET', '/api/loads/', async (request) => {
      const id = (request.url ?? '').split('?')[0]?.slice('/api/loads/'.length).toLowerCase() ?? ''
      if (!uuid.test(id)) return plain(404, 'not found')
      const [receipt] = await ledger.ask((known, { signal }) => known.receipts({ loads: [id] }, { signal }))
      return receipt === undefined ? plain(404, 'not found') : json(answer(receipt))
    }),
  ]
}

function filterOf(request: IncomingMessage) {
  const parameters = parametersOf(request)
  const text = (name: string) => parameters.get(name) || undefined
  const [standing, named, after, pipeline] = [text('state'), text('search'), text('after'), text('pipeline')]
  if (standing !== undefined && !standings.includes(standing)) return undefined
  if ((named?.length ?? 0) > mostWords || (after !== undefined && !uuid.test(after))) return undefined
  return { standing: standing as Standing | undefined, named, after, ...(pipeline && { pipeline }) }
}

/** How a load stands. The ledger does not say who is at work; only that it moves can be seen. */
export function answerOf(receipt: Receipt, isMoving: boolean): LoadAnswer {
  const { open, problems } = balance(receipt)
  const { startedAt, lastAt, records } = receipt
  const tookMs = open > 0 || lastAt === undefined ? undefined : Date.parse(lastAt) - Date.parse(startedAt)
  const perSecond = tookMs === undefined || tookMs <= 0 ? undefined : Math.round((records * 1000) / tookMs)
  return { ...receipt, open, problems, outcome: outcomeOf(receipt, isMoving), tookMs, perSecond }
}

function outcomeOf(receipt: Receipt, isMoving: boolean): LoadAnswer['outcome'] {
  const { open, problems } = balance(receipt)
  if (problems.length > 0) return 'wrong'
  if (open > 0) return isMoving ? 'loading' : 'open'
  return receipt.rejected + receipt.dead > 0 ? 'rejects' : 'complete'
}

/** How long a load counts as moving after a record got a verdict, in milliseconds. */
const movingMs = 30_000
/** Loads that are watched; beyond so many, those that were looked at longest ago are forgotten. */
const mostWatched = 1_000

/** Of loads that are looked at again and again, whether more of them had a verdict each time. */
class Movement {
  readonly #seen = new Map<string, { readonly done: number; readonly movedAt: number | undefined }>()

  isMoving({ loadId, loaded, rejected, skipped, dead }: Receipt): boolean {
    const now = performance.now()
    const done = loaded + rejected + skipped + dead
    const last = this.#seen.get(loadId)
    // What a load had when it was seen first may be old.
    const movedAt = last !== undefined && done > last.done ? now : last?.movedAt
    this.#seen.delete(loadId)
    this.#seen.set(loadId, { done, movedAt })
    const [oldest] = this.#seen.keys()
    // v8 ignore next -- a thousand loads at work at once, and only the memory of the process would tell
    if (this.#seen.size > mostWatched && oldest !== undefined) this.#seen.delete(oldest)
    return movedAt !== undefined && now - movedAt < movingMs
  }
}
