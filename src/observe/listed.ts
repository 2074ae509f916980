/** A load as a snapshot lists it. */
import { type Load, verdictsIn } from './load.ts'
import type { LoadSnapshot } from './snapshot.ts'

export function loadSnapshot(load: Load): LoadSnapshot {
  const { loadId, source, records, bytes, published, share, startedAt, known } = load
  const { loaded, rejected, skipped, dead } = known
  // What the ledger says includes what runs before have seen to.
  const before = known === load ? load.before : 0
  const counts = { records, bytes, published, before, loaded, rejected, skipped, dead }
  const perSecond = Math.round(load.rate.average)
  return { loadId, source, state: stateOfLoad(load), ...counts, share, startedAt, perSecond }
}

function stateOfLoad(load: Load): LoadSnapshot['state'] {
  if (load.wasSkipped) return 'skipped'
  const verdicts = verdictsIn(load.known) + (load.known === load ? load.before : 0)
  if (verdicts >= load.records && (verdicts > 0 || load.isPublished)) return 'done'
  if (verdicts > 0 || load.isPublished) return 'loading'
  return load.published > 0 ? 'publishing' : 'planned'
}
