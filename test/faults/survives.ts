import { expect, it } from 'vitest'
import { conduct } from '../../faults/conductor.ts'
import { holderKilled } from '../../faults/kinds/processes.ts'
import { type LaneName, openLane } from '../../faults/lanes/index.ts'
import { tableOf } from '../../faults/report.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'

/**
 * What strikes each lane after a consumer that held messages was killed. Each queue and each database is in a lane, and
 * each kind that is over quickly strikes one. A broker of RabbitMQ takes seconds to start: others are killed here.
 */
const faults = {
  'rabbitmq-postgres': ['queue sessions ended', 'queue connections cut'],
  'nats-postgres': ['queue killed', 'database sessions ended'],
  'redis-postgres': ['queue sessions ended', 'queue killed'],
  'sqs-postgres': ['service at its worst', 'database connections cut'],
  'sqs-fifo-postgres': ['service at its worst', 'consumer killed'],
  'pgqueue-same': ['database answer to COMMIT lost', 'database killed'],
  'pgqueue-postgres': ['queue killed', 'queue connections cut'],
  'embedded-sqlite': ['every process killed', 'producer killed'],
  'embedded-mariadb': ['database killed', 'database connections cut'],
  'embedded-duckdb': ['producer killed', 'every process killed'],
} as const satisfies Partial<Record<LaneName, readonly string[]>>

/** What strikes some lane. */
export const named: readonly string[] = [holderKilled.name, ...Object.values(faults).flat()]

export const isIntoPostgres = (name: string): boolean => name.endsWith('postgres') || name === 'pgqueue-same'

/** Tests that nothing is lost, doubled or misjudged on the lanes of the table under its faults. */
export function survives(isOfThese: (name: string) => boolean): void {
  it.for(Object.keys(faults).filter(isOfThese) as (keyof typeof faults)[])(
    '%s loses and doubles nothing',
    { timeout: 300_000 },
    async (name, context) => {
      const opened = await openLane(name).catch((error: unknown) => {
        if (process.env['CI'] || !(error instanceof Unavailable)) throw error
        return context.skip(error.message)
      })
      await using lane = opened
      const seed = Number(process.env['LADING_SEED'] ?? Date.now() % 1_000_000)
      const first = faults[name]
      const report = await conduct(lane, { seed, kills: 1 + first.length, isQuick: true, first })
      console.log(`${tableOf([report])}\n${JSON.stringify(report.kinds)}`)
      expect(report.problems, report.command).toEqual([])
    },
  )
}
