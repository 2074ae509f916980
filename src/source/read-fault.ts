/** Why there are no bytes of what a message refers to. */
import type { ReadFault } from './source.ts'

export const unreadable = (path: string, why: string): ReadFault => ({
  code: 'REFERENCE_UNREADABLE',
  detail: `${shown(path)} cannot be read: ${why}`,
})
export const refused = (path: string, why: string): ReadFault => ({
  code: 'REFERENCE_REFUSED',
  detail: `${shown(path)} ${why}`,
})
export const changed = (path: string, why: string): ReadFault => ({
  code: 'CHECKSUM',
  detail: `${shown(path)} ${why}`,
})

const mostShown = 300
/** A path may be of any length and hold anything. */
export const shown = (path: string): string =>
  JSON.stringify(path.length > mostShown ? `${path.slice(0, mostShown)}…` : path)
