/** The lease in the URL of a queue that Lading keeps itself. */
import { LadingError } from './errors.ts'

/** Milliseconds that the query of a URL (`lease=30s`) states; undefined where it states none. Throws `USAGE`. */
export function leaseIn(query: string): number | undefined {
  const { lease, ...others } = Object.fromEntries(new URLSearchParams(query))
  if (Object.keys(others).length > 0)
    throw new LadingError('USAGE', 'the queue URL has an unknown parameter; there is lease')
  return lease === undefined ? undefined : leaseOf(lease)
}

/** Milliseconds of `30s` or `30`. Throws `USAGE`. */
export function leaseOf(text: string): number {
  const value = Number(/^(\d+(?:\.\d+)?)s?$/.exec(text)?.[1])
  if (!(value >= 0.1 && value <= 86_400)) {
    throw new LadingError(
      'USAGE',
      'the lease in the queue URL must be seconds from 0.1 to 86400, such as lease=30s',
    )
  }
  return value * 1000
}
