/** Servers are restarted in order, killed, and stopped for a while. */
import type { Lane } from '../lanes/lane.ts'
import { type Fault, lasting, type PartName, parts } from './fault.ts'

const without = (part: PartName) => (lane: Lane) =>
  lane[part].server === undefined ? `the ${part} has no server that could be ended` : undefined

const end = (part: PartName, name: string, how: 'halt' | 'kill', quick: { isQuick?: true }): Fault => ({
  name: `${part} ${name}`,
  ...quick,
  obstacle: without(part),
  strike: async ({ lane, random }) => {
    const server = lane[part].server
    await server?.[how]()
    return { holdMs: lasting(random, 0, 2_000), undo: () => server?.start() }
  },
})

const stop = (part: PartName): Fault => ({
  name: `${part} stopped`,
  obstacle: without(part),
  strike: async ({ lane, random }) => {
    const stopped = (await lane[part].backends?.()) ?? [lane[part].server?.pid() ?? 0]
    const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
      for (const pid of stopped) signalled(pid, name)
    }
    signal('SIGSTOP')
    return { holdMs: lasting(random, 500, 5_000), undo: () => signal('SIGCONT') }
  },
})

/** False where the process has ended meanwhile. */
export function signalled(pid: number, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

export const servers: readonly Fault[] = parts.flatMap((part) => [
  end(part, 'restarted', 'halt', {}),
  end(part, 'killed', 'kill', { isQuick: true }),
  stop(part),
])
