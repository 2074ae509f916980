/** A server ends the sessions of its clients, or one of the processes that serve them is killed. */
import { type Fault, oneOf, parts } from './fault.ts'
import { signalled } from './servers.ts'

const backendKilled: Fault = {
  name: 'database backend killed',
  obstacle: (lane) =>
    lane.database.backends === undefined
      ? 'the database serves its clients with no processes of their own'
      : undefined,
  strike: async ({ lane, random }) => {
    const pid = oneOf((await lane.database.backends?.()) ?? [], random)
    return pid !== undefined && signalled(pid, 'SIGKILL') ? {} : undefined
  },
}

export const sessions: readonly Fault[] = [
  ...parts.map((part): Fault => ({
    name: `${part} sessions ended`,
    isQuick: true,
    obstacle: (lane) =>
      lane[part].endSessions === undefined ? `the ${part} ends no sessions on demand` : undefined,
    strike: async ({ lane }) => {
      await lane[part].endSessions?.()
      return {}
    },
  })),
  backendKilled,
]
