/** Replays rejects and keeps corrections of their records. */
import { asBuffer } from '../core/bytes.ts'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents, type Listener } from '../core/events.ts'
import { type RetryPolicy, retrying } from '../core/retry.ts'
import type { Layout } from '../core/load.ts'
import type { Notations } from '../core/notation.ts'
import type { Abortable } from '../core/wait.ts'
import { formatOf, messageLayout } from '../format/registry.ts'
import { deletedField, modelOfChanges } from '../model/change.ts'
import { type Model, tableName } from '../model/model.ts'
import type { Ledger, RejectFilter, StoredReject } from '../sink/ledger.ts'
import type { RejectReplay, Sink, Verdict } from '../sink/sink.ts'
import { requireChanges } from '../sink/table.ts'
import { type DedupKey, dedupField, defaultDedupKey } from '../consumer/decode/identity.ts'
import { isRedactedRecord, Keeping, settledIn } from '../consumer/decode/keeping.ts'
import { keptPages, keptRejects } from './kept.ts'
import { layoutOf, Redecoder } from './redecode.ts'
import { zoneWarning } from '../consumer/zones.ts'

/** By what rejects are decoded again: as their consumer had them. */
export interface ReplayRejectsOptions extends Abortable {
  readonly sink: Sink
  readonly model: Model
  /** As the consumer's, each of them. */
  readonly pipeline?: string | undefined
  readonly ignoreExtra?: boolean | undefined
  readonly dedupKey?: DedupKey | undefined
  /** How values are written, over what their load says. */
  readonly notations?: Notations | undefined
  readonly onEvent?: Listener | undefined
}

/** A person waits: longer than a deadlock or another's lock lasts, and not for ever. */
const retry: RetryPolicy = { attempts: 6, firstMs: 100, mostMs: 5_000 }

/** The rejects of the filter, a page at a time, in the order of their ids. */
export const rejectPages = (
  ledger: Ledger,
  filter: RejectFilter,
  options?: Abortable,
): AsyncGenerator<readonly StoredReject[]> => keptPages(keptRejects, ledger, filter, options)

/**
 * Decodes the records of rejects again, as corrected, and writes them together: the
 * verdict of each, in order. A record takes effect once, however often its reject is replayed, and by however
 * many at once: for all others it is a `duplicate`. One that is `refused` stays open, with its new reason.
 *
 * @example
 * for await (const page of rejectPages(sink.ledger, { code: 'BAD_NUMBER' })) await replayRejects(page, { sink, model: orders })
 */
export async function replayRejects(
  rejects: readonly StoredReject[],
  options: ReplayRejectsOptions,
): Promise<readonly Verdict[]> {
  // Two records of one batch may have the same key.
  if (dedupField(options.dedupKey ?? defaultDedupKey) === undefined) return replayTogether(rejects, options)
  const verdicts: Verdict[] = []
  for (const reject of rejects) verdicts.push(...(await replayTogether([reject], options)))
  return verdicts
}

async function replayTogether(
  rejects: readonly StoredReject[],
  options: ReplayRejectsOptions,
): Promise<readonly Verdict[]> {
  const deletes = rejects.some(({ edited, raw }) => asBuffer(edited ?? raw).includes(`"${deletedField}"`))
  const model = modelOfChanges(options.model, deletes ? ['debezium'] : [])
  const {
    sink,
    pipeline = tableName(model),
    ignoreExtra = false,
    dedupKey = defaultDedupKey,
    notations,
    signal,
    onEvent,
  } = options
  requireChanges(sink, model)
  const rows = sink.rows(model)
  const redecoder = new Redecoder({ pipeline, model, ignoreExtra, dedupKey, notations }, rows)
  const decoded = rejects.map((reject) => redecoder.decode(reject))
  const replays = decoded.filter((each): each is RejectReplay => !('kind' in each))
  if (replays.length === 0) return decoded as readonly Verdict[]
  const write = () => sink.replayRejects({ pipeline, model, replays, rows }, { signal })
  const written = (
    await retrying(write, { signal, onEvent: onEvent ?? ignoreEvents, policy: retry })
  ).values()
  const loadIds = [...new Set(rejects.flatMap(({ loadId }) => loadId ?? []))]
  const message = await zoneWarning(sink.ledger, model, loadIds, { signal })
  if (message !== undefined) onEvent?.({ type: 'warning', message })
  // A fold that found the loads busy with this call has left them to it.
  await sink.ledger.fold(loadIds, { signal })
  return decoded.map((each) => ('kind' in each ? each : (written.next().value as Verdict)))
}

/**
 * Keeps what a person made of a reject's record, to be replayed; false where the reject is not open any more.
 * Of a model with masks, what changed in masked fields is masked before it is kept.
 */
export async function editReject(
  reject: StoredReject,
  text: Uint8Array,
  { sink, model, signal }: Pick<ReplayRejectsOptions, 'sink' | 'model' | 'signal'>,
): Promise<boolean> {
  const layout = layoutOf(reject) ?? messageLayout
  const keeping = Keeping.of(model, undefined, layout)
  const foreign = (reject.masked ?? []).filter((field) => keeping?.maskOf(field) === undefined)
  if (foreign.length > 0) {
    const detail = `reject ${reject.id} holds masks in ${foreign.join(', ')}, which the model ${tableName(model)} does not mask`
    throw new LadingError('MODEL_INVALID', `${detail}: give the model that it was consumed with`)
  }
  const record = formatOf(layout)?.record.trimmed(asBuffer(text), layout) ?? asBuffer(text)
  const kept = keeping === undefined ? record : maskEdited(reject, record, keeping, layout)
  return sink.ledger.editReject(reject.id, kept, keeping?.maskedFields ?? [], { signal })
}

function maskEdited(reject: StoredReject, record: Buffer, keeping: Keeping, layout: Layout): Buffer {
  const { raw, edited, masked } = reject
  // Without that record, a value may not be a mask.
  const settled =
    masked === undefined ? undefined : settledIn(asBuffer(edited ?? raw), layout, keeping.fields)
  const kept = keeping.record(record, layout, settled)
  if (isRedactedRecord(kept)) {
    throw new LadingError(
      'RECORD_NOT_KEPT',
      'the corrected record cannot be read, so that nothing in it can be masked',
    )
  }
  return kept
}
