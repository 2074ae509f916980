import type { Address } from '../../core/address.ts'

export const postgres: Address = {
  schemes: ['postgresql', 'postgres'],
  example: 'postgresql://user@host/database',
  place: () => ({ writers: 'many' }),
  space: () =>
    'the space is used again after autovacuum has passed, or at once: VACUUM lading.reject, lading.dead_letter, lading.ledger, lading.load',
}
