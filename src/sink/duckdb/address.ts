import type { Address } from '../../core/address.ts'

export const duckdb: Address = {
  schemes: ['duckdb'],
  example: 'duckdb:PATH',
  packages: ['@duckdb/node-api'],
  place: (path) =>
    path.toLowerCase() === ':memory:'
      ? { writers: 'self' }
      : { file: path === '' ? undefined : path, writers: 'alone' },
  space: (path) =>
    `the space is used again, and the file keeps its size: to make it smaller, copy it with nothing else at work on it: duckdb -c "ATTACH '${path.replaceAll("'", "''")}' AS old; ATTACH 'smaller.duckdb' AS new; COPY FROM DATABASE old TO new"`,
}
