import type { Metrics } from '../observe/metrics.ts'
import type { Observer } from '../observe/observer.ts'
import { isWell } from '../observe/state.ts'
import { apiRoutes } from './api.ts'
import { historyRoutes } from './history.ts'
import type { WebLedger } from './ledger.ts'
import { pageRoutes } from './page.ts'
import { json, plain, type Route } from './server.ts'
import type { SnapshotStream } from './stream.ts'

/** How long a request may wait for the queue's depth, in milliseconds; then the answer lacks it. */
const depthWithinMs = 1_000

export interface Seen {
  readonly observer: Observer
  readonly metrics: () => Promise<Metrics>
  /** Updates the queue's depth, unless that takes longer than `ms`. */
  readonly refresh: (ms: number) => Promise<void>
  readonly stream: SnapshotStream
  /** Undefined if the command has no database. */
  readonly ledger: WebLedger | undefined
}

export const routesOf = (seen: Seen): readonly Route[] => [
  ...observedRoutes(seen),
  ...apiRoutes(seen.ledger),
  ...historyRoutes(seen.ledger),
  ...pageRoutes(),
]

/** Routes that every run has. */
function observedRoutes({ metrics, observer, refresh, stream }: Seen): Route[] {
  return [
    { method: 'GET', path: '/healthz', to: 'all', answer: () => plain(200, 'ok') },
    {
      method: 'GET',
      path: '/readyz',
      to: 'near',
      answer: () => {
        const snapshot = observer.snapshot()
        const { kind, detail } = snapshot.state
        return isWell(snapshot.state, snapshot)
          ? plain(200, `ready: ${kind}`)
          : plain(503, `not ready: ${detail}`)
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      to: 'near',
      answer: async () => {
        await refresh(depthWithinMs)
        const made = await metrics()
        return { status: 200, type: made.contentType, body: await made.text() }
      },
    },
    {
      method: 'GET',
      path: '/api/snapshot',
      to: 'known',
      answer: async () => json(await stream.snapshot()),
    },
    {
      method: 'GET',
      path: '/api/events',
      to: 'known',
      answer: (request, response) => stream.listen(request, response),
    },
  ]
}
