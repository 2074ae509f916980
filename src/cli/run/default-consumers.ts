/** How many consumers a load has where nobody says so: of the machine and of the work, and not of a wish. */
import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from 'commander'
import { whole } from '../settings/options.ts'
import { type FormatName, suffixesOf } from '../../format/registry.ts'
import { namedSources } from '../../source/registry.ts'
import { sizeOf } from '../../source/source.ts'

/**
 * Bytes of files from which on a consumer in a process of its own earns back what its start costs, a third of
 * a second.
 */
const largeBytes = 64 * 1024 * 1024
/** A bound and no measurement: who has more cores may say so. */
const mostConsumers = 4

/**
 * More never load faster: each keeps a core busy, and PostgreSQL takes 100 sessions by default
 * (max_connections).
 */
const mostPerCore = 8

/** How many consumers a person asks of this machine. */
export function consumers(text: string): number {
  const value = whole(1)(text)
  const cores = availableParallelism()
  const most = mostPerCore * cores
  if (value <= most) return value
  throw new InvalidArgumentError(
    `At most ${most} on this machine, ${mostPerCore} for each of its ${cores} cores: each consumer needs a core and two sessions of the database, so more would make it slower. Run lading consume on further machines.`,
  )
}

/**
 * SQLite has one writer, which has a thread of its own; of the cores, half are left to PostgreSQL and the
 * producer. Of two cores, a second consumer is worth its third more of the server's time only where one
 * leaves some of it unused: not beside a broker, which needs a core too, and not while the table has no
 * indexes.
 */
export async function defaultConsumers(
  paths: readonly string[],
  { to, queue, format }: { readonly to: string; readonly queue: string; readonly format?: FormatName },
): Promise<(indexesDeferred: boolean) => number> {
  const cores = availableParallelism()
  if (cores === 1 || to.startsWith('sqlite:') || paths.includes('-')) return () => 1
  if ((await sizeOf(await namedSources(paths, suffixesOf(format)))) < largeBytes) return () => 1
  const isEmbedded = queue.startsWith('embedded:')
  return (indexesDeferred) =>
    Math.min(mostConsumers, Math.max(isEmbedded && !indexesDeferred ? 2 : 1, Math.floor(cores / 2)))
}
