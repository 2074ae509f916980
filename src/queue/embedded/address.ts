/** `embedded:PATH?lease=30s` → the file, and how long a delivery stays with a silent consumer. */
import type { Address } from '../../core/address.ts'
import { LadingError } from '../../core/errors.ts'
import { leaseIn } from '../../core/lease.ts'

export const embedded: Address = {
  schemes: ['embedded'],
  example: 'embedded:PATH',
  place: (rest) => {
    const path = rest.split('?')[0] as string
    return { file: path === '' || path === ':memory:' ? undefined : path, writers: 'many' }
  },
}

/** `rest`: what follows `embedded:`. Throws `USAGE`. */
export function parseEmbedded(rest: string): { readonly path: string; readonly leaseMs: number | undefined } {
  const { file } = embedded.place(rest)
  if (file === undefined)
    throw new LadingError('USAGE', 'the queue URL names no file: embedded:PATH (in memory: memory:)')
  return { path: file, leaseMs: leaseIn(rest.slice(file.length)) }
}
