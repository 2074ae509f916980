import type { Address } from '../../core/address.ts'

export const postgres: Address = {
  schemes: ['postgresql', 'postgres'],
  example: 'postgresql://user@host/database',
  place: () => ({ writers: 'many' }),
}
