import type { Address } from '../../core/address.ts'

export const mysql: Address = {
  schemes: ['mysql', 'mariadb'],
  example: 'mysql://user@host/database',
  // Two sessions that insert into one table wait for each other: one is faster (docs/benchmarks.md).
  place: () => ({ writers: 'many', fastestSessions: 1 }),
  packages: ['mysql2'],
  space: () =>
    'the space is used again, and given back at once by: OPTIMIZE TABLE lading_reject, lading_dead_letter, lading_ledger, lading_load',
}
