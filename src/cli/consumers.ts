/** How many consumers a load has where nobody says so: of the machine and of the work, and not of a wish. */
import { availableParallelism } from 'node:os'
import { bytesOf, discover } from '../producer/discover.ts'

/** Bytes of files from which on a consumer in a process of its own earns back what its start costs, a third of a second. */
const largeBytes = 64 * 1024 * 1024
/** A bound and no measurement: who has more cores may say so. */
const mostConsumers = 4

/**
 * SQLite has one writer, which has a thread of its own; of the cores, half are left to PostgreSQL and the producer. While a table has no
 * indexes, one consumer of two cores keeps them busy, and two writers cost the server a third more than one; with indexes the second one
 * writes while the first waits.
 */
export async function defaultConsumers(paths: readonly string[], target: string): Promise<(indexesDeferred: boolean) => number> {
  const cores = availableParallelism()
  if (cores === 1 || target.startsWith('sqlite:') || paths.includes('-')) return () => 1
  if ((await bytesOf(await discover(paths))) < largeBytes) return () => 1
  return (indexesDeferred) => Math.min(mostConsumers, Math.max(indexesDeferred ? 1 : 2, Math.floor(cores / 2)))
}
