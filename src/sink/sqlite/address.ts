import type { Address } from '../../core/address.ts'

export const sqlite: Address = {
  schemes: ['sqlite'],
  example: 'sqlite:PATH',
  place: (path) =>
    path.toLowerCase() === ':memory:'
      ? { writers: 'self' }
      : { file: path === '' ? undefined : path, writers: 'one' },
}
