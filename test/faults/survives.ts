import { expect, it } from 'vitest'
import { conduct } from '../../faults/conductor.ts'
import { type LaneName, openLane } from '../../faults/lanes/index.ts'
import { tableOf } from '../../faults/report.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'

const faults = 4

/** Tests that nothing is lost, doubled or misjudged on these lanes under a few faults of the conductor. */
export function survives(lanes: readonly LaneName[]): void {
  it.for(lanes)('%s loses and doubles nothing', { timeout: 300_000 }, async (name, context) => {
    const opened = await openLane(name).catch((error: unknown) => {
      if (process.env['CI'] || !(error instanceof Unavailable)) throw error
      return context.skip(error.message)
    })
    await using lane = opened
    const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
    const report = await conduct(lane, { seed, kills: faults, isQuick: true })
    console.log(`${tableOf([report])}\n${JSON.stringify(report.kinds)}`)
    expect(report.problems, report.command).toEqual([])
  })
}
