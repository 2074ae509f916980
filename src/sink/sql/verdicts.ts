/** Why a part as a whole is refused. */
import type { LoadInfo } from '../../core/load.ts'
import type { Verdict } from '../sink.ts'

export const planMismatch = (load: LoadInfo): Verdict => ({
  kind: 'refused',
  code: 'PLAN_MISMATCH',
  detail: `load ${load.id} of ${load.source} was begun with another plan`,
})

export const keyReused = (key: string): Verdict => ({
  kind: 'refused',
  code: 'KEY_REUSED',
  detail: `key ${key} has taken effect with other content`,
})
