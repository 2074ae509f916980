/** Processes of Lading are killed, or stopped for a while and continued. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Role } from '../worker.ts'
import { type Fault, lasting, oneOf } from './fault.ts'

const kill = (role: Role): Fault => ({
  name: `${role} killed`,
  isQuick: true,
  obstacle: () => undefined,
  strike: async ({ round, random }) => {
    const victim = oneOf(round.atWork(role), random)
    return victim?.kill() === true ? { victims: [victim] } : undefined
  },
})

const holdsWithinMs = 5_000

export const holderKilled: Fault = {
  name: 'consumer killed with messages in its hands',
  isQuick: true,
  obstacle: () => undefined,
  strike: async ({ round }) => {
    // It holds some for moments at a time.
    for (const until = performance.now() + holdsWithinMs; performance.now() < until;) {
      const victim = round.atWork('consumer').find(({ held }) => held > 0)
      if (victim?.kill() === true) return { victims: [victim] }
      await sleep(5)
    }
    return undefined
  },
}

const killAll: Fault = {
  name: 'every process killed',
  isQuick: true,
  obstacle: () => undefined,
  strike: async ({ round }) => {
    const killed = round.atWork().filter((worker) => worker.kill())
    return killed.length === 0 ? undefined : { victims: killed }
  },
}

const stop = (role: Role): Fault => ({
  name: `${role} stopped`,
  obstacle: () => undefined,
  strike: async ({ round, random }) => {
    const victim = oneOf(round.atWork(role), random)
    if (victim?.signal('SIGSTOP') !== true) return undefined
    // Long enough, now and then, that others take its messages and break its locks.
    return {
      holdMs: lasting(random, 200, 9_000),
      undo: () => void victim.signal('SIGCONT'),
      victims: [victim],
    }
  },
})

export const processes: readonly Fault[] = [
  kill('consumer'),
  kill('producer'),
  holderKilled,
  killAll,
  stop('consumer'),
  stop('producer'),
]
