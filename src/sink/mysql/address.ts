import type { Address } from '../../core/address.ts'

export const mysql: Address = {
  schemes: ['mysql', 'mariadb'],
  example: 'mysql://user@host/database',
  // Two sessions that insert into one table wait for each other: on two cores, one loaded 1,000,000 records at 0.90 of
  // the rate of LOAD DATA, two at 0.70 (bench/sections/mariadb.ts).
  place: () => ({ writers: 'many', fastestSessions: 1 }),
  packages: ['mysql2'],
  space: () =>
    'the space is used again, and given back at once by: OPTIMIZE TABLE lading_reject, lading_dead_letter, lading_ledger, lading_load',
}
