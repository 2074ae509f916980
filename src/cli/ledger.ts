/** What commands that look at rejects and dead letters share. */
import { Option } from 'commander'
import { LadingError } from '../core/errors.ts'
import type { Ledger, RejectFilter, Sink, StoredReject } from '../sink/sink.ts'
import type { Model } from '../model/model.ts'
import { requireDatabase } from './files.ts'
import { loadId, toOption } from './options.ts'

/** Opens a database that is there; with a model, its table is made or checked too. */
export async function withSink(to: string, model: Model | undefined, work: (sink: Sink) => Promise<void>): Promise<void> {
  requireDatabase(to)
  const { openSink } = await import('../sink/registry.ts')
  await using sink = await openSink(to)
  await sink.prepare(model)
  await work(sink)
}

export const withLedger = (to: string, work: (ledger: Ledger) => Promise<void>): Promise<void> =>
  withSink(to, undefined, ({ ledger }) => work(ledger))

export interface ChoiceFlags {
  readonly to: string
  readonly load?: string
  readonly code?: string
  readonly column?: string
  readonly search?: string
}

/** Where the ledger is, and which rejects. */
export const choiceOptions = (): Option[] => [
  toOption(),
  new Option('--load <load>', 'of one load only').argParser(loadId),
  new Option('--code <code>', 'with this code only'),
  new Option('--column <column>', 'of this column of the model only'),
  new Option('--search <text>', 'with this text in the record or the reason'),
]

export const choiceOf = ({ load, code, column, search }: ChoiceFlags): RejectFilter => ({
  loadId: load,
  code: code?.toUpperCase(),
  column,
  search,
})

/** The rejects with these ids, or without ids the open ones of the filter; a page at a time. */
export async function* chosenRejects(
  ledger: Ledger,
  ids: readonly number[],
  filter: RejectFilter,
): AsyncGenerator<readonly StoredReject[]> {
  const { rejectPages } = await import('../consumer/rejects.ts')
  if (ids.length === 0) yield* rejectPages(ledger, filter)
  for (const id of ids) yield [await findReject(ledger, id)]
}

export async function findReject(ledger: Ledger, id: number): Promise<StoredReject> {
  const [reject] = await ledger.rejects({ id, all: true, limit: 1 })
  if (reject === undefined) throw new LadingError('NOT_FOUND', `there is no reject ${id}`)
  return reject
}
