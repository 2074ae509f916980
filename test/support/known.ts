/** A ledger that a test answers for. */
import type { ProduceOptions } from '../../src/producer/options.ts'
import type { KnownLoad } from '../../src/producer/parts.ts'

/** Asks `one` about each of the loads. */
export const knownByEach =
  (one: (loadId: string) => Promise<KnownLoad | undefined>): NonNullable<ProduceOptions['known']> =>
  async (loads) => {
    const known = new Map<string, KnownLoad>()
    for (const { id } of loads) {
      const answer = await one(id)
      if (answer !== undefined) known.set(id, answer)
    }
    return known
  }
