/** Local times mean what the time-zone data of the process says that reads them, and its releases differ. */
import type { Abortable } from '../core/wait.ts'
import { hasZones, type Model } from '../model/model.ts'
import { zoneRelease } from '../model/zones.ts'
import type { Ledger } from '../sink/ledger.ts'

/**
 * Keeps the release of this process with the loads; what to say where local times of them were read by
 * another one.
 */
export async function zoneWarning(
  ledger: Ledger,
  model: Model,
  loadIds: readonly string[],
  options?: Abortable,
): Promise<string | undefined> {
  if (loadIds.length === 0 || !hasZones(model)) return undefined
  const others = await ledger.zoneReleases(loadIds, zoneRelease, options)
  if (others.length === 0) return undefined
  const two = `time-zone data ${others.join(', ')} and ${zoneRelease} read local times of one load`
  return `${two}: where the rules of a zone changed between them, the same time is two instants; use one release of Node`
}
