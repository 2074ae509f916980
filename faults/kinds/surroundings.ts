/** What else may happen around a load: a full disk, a clock that is set, a lock that another holds, a service at its worst. */
import { setTimeout as sleep } from 'node:timers/promises'
import { between, type Fault, lasting, oneOf } from './fault.ts'

const disk: Fault = {
  name: 'disk full',
  obstacle: ({ disk: small, database, queue }) => {
    if ('reason' in small) return small.reason
    return database.hasFiles === true || queue.hasFiles === true
      ? undefined
      : 'neither has files on the small disk'
  },
  strike: async ({ lane, random }) => {
    const { disk: small } = lane
    if ('reason' in small) return undefined
    small.fill()
    return { holdMs: lasting(random, 500, 4_000), undo: () => small.free() }
  },
}

const clock: Fault = {
  name: 'clock set',
  obstacle: ({ clock: own }) => ('reason' in own ? own.reason : undefined),
  strike: async ({ lane, random }) => {
    const { clock: own } = lane
    if ('reason' in own) return undefined
    own.step(oneOf([-3_600, -30, 30, 3_600], random) ?? 0)
    // The clock that processes read is a second behind.
    return {
      holdMs: lasting(random, 2_000, 5_000),
      undo: async () => {
        own.step(0)
        await sleep(1_100)
      },
    }
  },
}

const lock: Fault = {
  name: 'table locked',
  obstacle: ({ database }) =>
    database.lock === undefined ? 'no other process may open the database' : undefined,
  strike: async ({ lane, round, random }) => {
    const undo = await lane.database.lock?.(round.target.direct).catch(() => undefined)
    return undo && { holdMs: lasting(random, 500, 7_000), undo }
  },
}

const service: Fault = {
  name: 'service at its worst',
  isQuick: true,
  obstacle: ({ queue }) => (queue.misbehave === undefined ? 'the queue is no service with knobs' : undefined),
  strike: async ({ lane, random }) => {
    const undo = lane.queue.misbehave?.(between(random, 1, 1_000_000))
    return undo && { holdMs: lasting(random, 2_000, 6_000), undo }
  },
}

export const surroundings: readonly Fault[] = [disk, clock, lock, service]
