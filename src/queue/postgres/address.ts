/** `postgresql://user@host/database?queue=NAME&lease=30s` → the database, the name of the queue, the lease. */
import type { Address as AnyAddress } from '../../core/address.ts'
import { usage } from '../../core/server-url.ts'
import { leaseOf } from '../../core/lease.ts'

export const postgres: AnyAddress = {
  schemes: ['postgresql', 'postgres'],
  example: 'postgresql://user@host/database?queue=NAME',
  place: () => ({ writers: 'many' }),
}

export interface Address {
  /** As the driver takes it: without Lading's parameters. */
  readonly database: string
  readonly queue: string
  readonly leaseMs: number
}

const defaultQueue = 'lading'
const defaultLeaseMs = 30_000
const mostNameBytes = 240

/** Throws `USAGE` without quoting the URL, which may hold a password. */
export function parseAddress(url: string): Address {
  const parts = URL.parse(url)
  if (parts === null) throw usage('it is no URL; @, / and other marks in a password are percent-encoded')
  const { searchParams } = parts
  const queue = searchParams.get('queue') ?? defaultQueue
  if (queue === '' || queue.includes('\0') || Buffer.byteLength(queue) > mostNameBytes)
    throw usage(`the name of a queue has 1 to ${mostNameBytes} bytes`)
  const lease = searchParams.get('lease')
  const leaseMs = lease === null ? defaultLeaseMs : leaseOf(lease)
  searchParams.delete('queue')
  searchParams.delete('lease')
  return { database: parts.href, queue, leaseMs }
}
