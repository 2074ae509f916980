/** `memory:NAME?lease=30s` → a queue of this process, and how long a delivery stays with a silent consumer. */
import type { Address } from '../../core/address.ts'
import { LadingError } from '../../core/errors.ts'
import { leaseIn } from '../../core/lease.ts'

export const memory: Address = {
  schemes: ['memory'],
  example: 'memory:',
  place: () => ({ writers: 'self' }),
}

/** `rest`: what follows `memory:`. Throws `USAGE`. */
export function parseMemory(rest: string): { readonly name: string; readonly leaseMs: number | undefined } {
  const [name = '', ...query] = rest.split('?')
  if (!/^[\w.-]*$/.test(name))
    throw new LadingError('USAGE', 'the queue URL is memory: or memory:NAME, of letters, digits, _, . and -')
  return { name, leaseMs: leaseIn(query.join('?')) }
}
