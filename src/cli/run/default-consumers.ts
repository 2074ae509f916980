/** Chooses the default number of consumers from the machine and the work. */
import { availableParallelism } from 'node:os'
import { InvalidArgumentError } from 'commander'
import { whole } from '../settings/options.ts'
import { type FormatName, suffixesOf } from '../../format/registry.ts'
import { placeOfQueue } from '../../queue/registry.ts'
import { placeOfSink } from '../../sink/registry.ts'
import { namedSources } from '../../source/registry.ts'
import { sizeOf } from '../../source/source.ts'

/** Bytes of files from which a consumer process pays for its start, a third of a second. */
const largeBytes = 64 * 1024 * 1024
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

/**
 * A database with one writer gains nothing from a second consumer. Beside a database server, half of the
 * cores are left to it and to the producer. On two cores, a second consumer pays only if the queue is a file
 * (a broker needs a core too) and the table has its indexes.
 */
export async function defaultConsumers(
  paths: readonly string[],
  { to, queue, format }: { readonly to: string; readonly queue: string; readonly format?: FormatName },
): Promise<(indexesDeferred: boolean) => number> {
  const cores = availableParallelism()
  if (cores === 1 || placeOfSink(to).writers !== 'many' || paths.includes('-')) return () => 1
  if ((await sizeOf(await namedSources(paths, suffixesOf(format)))) < largeBytes) return () => 1
  const isFile = placeOfQueue(queue).file !== undefined
  return (indexesDeferred) =>
    Math.min(mostConsumers, Math.max(isFile && !indexesDeferred ? 2 : 1, Math.floor(cores / 2)))
}
