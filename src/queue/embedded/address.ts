/** `embedded:PATH?lease=30s` → the file, and how long a delivery stays with a silent consumer. */
import type { Address } from '../../core/address.ts'
import { LadingError } from '../../core/errors.ts'

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
  if (file === undefined) throw new LadingError('USAGE', 'the queue URL names no file: embedded:PATH')
  const { lease, ...others } = Object.fromEntries(new URLSearchParams(rest.slice(file.length)))
  if (Object.keys(others).length > 0)
    throw new LadingError('USAGE', 'the queue URL has an unknown parameter; there is lease')
  return { path: file, leaseMs: lease === undefined ? undefined : milliseconds(lease) }
}

function milliseconds(text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)s?$/.exec(text)?.[1])
  if (!(value >= 0.1 && value <= 86_400)) {
    throw new LadingError(
      'USAGE',
      'the lease in the queue URL must be seconds from 0.1 to 86400, such as lease=30s',
    )
  }
  return value * 1000
}
