import type { Address } from '../../core/address.ts'

export const sqlite: Address = {
  schemes: ['sqlite'],
  example: 'sqlite:PATH',
  place: (path) =>
    path.toLowerCase() === ':memory:'
      ? { writers: 'self' }
      : { file: path === '' ? undefined : path, writers: 'one' },
  space: (path) =>
    `the space is used again, and the file keeps its size until, with nothing else at work on it: sqlite3 ${path} VACUUM`,
}
