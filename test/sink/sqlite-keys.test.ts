import { expect, it } from 'vitest'
import { partsOf } from '../../src/sink/sql/index-parts.ts'

it.each<[string, readonly string[], string | undefined]>([
  ['CREATE UNIQUE INDEX i ON t (a, b)', ['a', 'b'], undefined],
  [
    'CREATE UNIQUE INDEX "i (x)" ON "t(a" (lower("a, b"), b COLLATE NOCASE)',
    ['lower("a, b")', 'b COLLATE NOCASE'],
    undefined,
  ],
  [
    "create unique index i on t (coalesce(a, ',)'), [b)]) where c = ')' AND (d > 1)",
    ["coalesce(a, ',)')", '[b)]'],
    "c = ')' AND (d > 1)",
  ],
  ['CREATE UNIQUE INDEX i ON t (a /* ) */, b -- )\n) WHERE b IS NULL -- now', ['a', 'b'], 'b IS NULL'],
])('of an index of SQLite, what it compares and where, in its own words: %s', (sql, compared, predicate) => {
  expect(partsOf(sql)).toEqual({ compared, predicate })
})
