/** Chooses the default number of consumers from the machine and the work. */
import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from 'commander'
import { whole } from '../settings/options.ts'
import { placeOfQueue } from '../../queue/registry.ts'
import { placeOfSink } from '../../sink/registry.ts'
import { type FoundFiles, sourceOf } from '../../source/registry.ts'

/** Bytes of files from which a consumer process pays for its start, a third of a second. */
const largeBytes = 64 * 1024 * 1024
/** The same of a second consumer in the process of the load, which only opens sessions of its own. */
const mediumBytes = 16 * 1024 * 1024
/** Fewer cores have no room for further processes beside the database server. */
const manyCores = 4
/** An upper bound, not a measurement; --consumers may exceed it. */
const mostConsumers = 4

/**
 * More never load faster: each keeps a core busy, and a database server allows about 100 sessions by default.
 */
const mostPerCore = 8

/** Parses --consumers. */
export function consumers(text: string): number {
  const value = whole(1)(text)
  const cores = availableParallelism()
  const most = mostPerCore * cores
  if (value <= most) return value
  throw new InvalidArgumentError(
    `At most ${most} on this machine, ${mostPerCore} for each of its ${cores} cores: each consumer needs a core and two sessions of the database, so more would make it slower. Run lading consume on further machines.`,
  )
}

/** How many consumers a load has: processes of their own, or in its own process where that is one. */
export interface ConsumerCounts {
  readonly processes: number
  readonly inProcess: number
}

export const consumersAsTold = (count: number): ConsumerCounts => ({ processes: count, inProcess: 1 })

/**
 * A database with one writer gains nothing from a second consumer. Beside a database server, half of the
 * cores are left to it and to the producer. On two or three cores, two consumers in one process load as fast
 * as two processes: the database works for both at once, and decoding needs less than a core. Where the
 * indexes are left for the end, the database is not what a consumer waits for.
 */
export async function defaultConsumers(
  files: FoundFiles,
  { to, queue, hasStdin }: { readonly to: string; readonly queue: string; readonly hasStdin: boolean },
): Promise<(indexesDeferred: boolean) => ConsumerCounts> {
  const cores = availableParallelism()
  const one = consumersAsTold(1)
  const { writers, fastestSessions = 2 } = placeOfSink(to)
  const isShared = writers === 'many' && placeOfQueue(queue).writers === 'many'
  if (cores === 1 || !isShared || hasStdin) return () => one
  let bytes = 0
  for (const file of files) {
    bytes += await sourceOf(file).size()
    if (bytes >= largeBytes) break
  }
  if (bytes < mediumBytes) return () => one
  // v8 ignore next -- a machine of four cores or more
  if (bytes >= largeBytes && cores >= manyCores)
    return () => consumersAsTold(Math.min(mostConsumers, Math.floor(cores / 2)))
  return (indexesDeferred) => (indexesDeferred ? one : { processes: 1, inProcess: fastestSessions })
}
