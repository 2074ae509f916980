/** How many consumers a load has where nobody says so: of the machine and of the work, and not of a wish. */
import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { discover } from '../producer/discover.ts'

/** Bytes of files from which on a consumer in a process of its own earns back what its start costs, a third of a second. */
const largeBytes = 64 * 1024 * 1024
/** Beyond so many sessions one PostgreSQL table gains nothing. */
const mostConsumers = 4

/** SQLite has one writer, which has a thread of its own; PostgreSQL works best for about half as many sessions as there are cores. */
export async function defaultConsumers(paths: readonly string[], target: string): Promise<number> {
  const cores = availableParallelism()
  if (cores === 1 || target.startsWith('sqlite:') || paths.includes('-')) return 1
  let bytes = 0
  for (const { path } of await discover(paths)) bytes += (await stat(path).catch(() => undefined))?.size ?? 0
  return bytes < largeBytes ? 1 : Math.min(mostConsumers, Math.max(2, Math.floor(cores / 2)))
}
