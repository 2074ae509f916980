import type { Metrics } from '../observe/metrics.ts'
import type { Observer } from '../observe/observer.ts'
import { json, plain, type Route } from './server.ts'

/** How long a question may wait for the queue to say how deep it is, in milliseconds; then the answer is without it. */
const depthWithinMs = 1_000

export interface Seen {
  readonly observer: Observer
  readonly metrics: Metrics
  /** Learns how deep the queue is, unless that takes longer than so many milliseconds. */
  readonly refresh: (ms: number) => Promise<void>
}

/** What can be asked of every run. */
export const routesOf = ({ observer, metrics, refresh }: Seen): readonly Route[] => [
  { method: 'GET', path: '/healthz', to: 'all', answer: () => plain(200, 'ok') },
  {
    method: 'GET',
    path: '/readyz',
    to: 'near',
    answer: () => {
      const { ready, reason } = observer.readiness()
      return ready ? plain(200, 'ready') : plain(503, `not ready: ${reason}`)
    },
  },
  {
    method: 'GET',
    path: '/metrics',
    to: 'near',
    answer: async () => {
      await refresh(depthWithinMs)
      return {
        status: 200,
        type: metrics.contentType,
        body: await metrics.text(),
      }
    },
  },
  {
    method: 'GET',
    path: '/api/snapshot',
    to: 'known',
    answer: async () => {
      await refresh(depthWithinMs)
      return json(observer.snapshot())
    },
  },
]
