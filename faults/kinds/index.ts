import type { Fault } from './fault.ts'
import { network } from './network.ts'
import { processes } from './processes.ts'
import { servers } from './servers.ts'
import { sessions } from './sessions.ts'
import { surroundings } from './surroundings.ts'

export const kinds: readonly Fault[] = [...processes, ...servers, ...sessions, ...network, ...surroundings]
