/** What the doctor says of a table of PostgreSQL once its parts are measured: how long they took is given here. */
import { expect, it } from 'vitest'
import { adviceFor, type Measured, speedFinding } from '../../src/sink/postgres/doctor/advice.ts'
import type { Part } from '../../src/sink/postgres/doctor/parts.ts'

const index = (name: string, isKey = false, method = 'btree'): Part => ({
  kind: 'index',
  what: `index ${name}`,
  make: () => [],
  index: {
    name,
    method,
    isKey,
    column: 'a',
    definition: `CREATE INDEX ${name} ON public.t USING ${method} (a)`,
  },
})
const key: Part = { kind: 'foreign key', what: 'foreign key', make: () => [] }
const trigger: Part = { kind: 'trigger', what: 'trigger', make: () => [] }
const checks: Part = { kind: 'checks', what: 'check', make: () => [] }

it.each([
  [index('a'), 0.05, false, undefined],
  [index('a', false, 'hash'), 0.2, false, 'a btree answers the same'],
  [index('a'), 0.2, true, 'build it at the end: --defer-indexes always'],
  [index('a'), 0.2, false, 'drop it before a large load, build it afterwards'],
  [index('a', true), 0.2, false, 'it guards the key, and stays'],
  [key, 0.2, false, 'add it afterwards: NOT VALID, then VALIDATE CONSTRAINT'],
  [trigger, 0.2, false, 'FOR EACH STATEMENT with a transition table, if its work allows it'],
  [checks, 0.2, false, undefined],
])('each part has advice of its own, if it takes enough (%#)', (part, share, isEmpty, advice) => {
  expect(adviceFor(part, share, isEmpty)).toBe(advice)
})

/** With 1,000 rows that take 100 ms alone, and parts that take so much more. */
function findingsFor(parts: ReadonlyMap<Part, number>, isEmpty: boolean) {
  const together = parts.values().reduce((sum, ms) => sum + ms, 100)
  const measured: Measured = {
    rows: 1000,
    parts,
    bare: 100,
    together,
    whole: together,
    sent: undefined,
    decodedMs: 50,
  }
  const costs = [...parts].map(([{ what }, ms]) => ({ what, msPer1000: ms, share: ms / together }))
  return speedFinding(measured, costs, {
    isEmpty,
    isNew: false,
    isLogged: true,
    isOfFile: true,
    parts: [...parts.keys()],
  })
}

it('indexes of a table with rows are to be dropped before a large load, but for keys and those that take little', () => {
  const [speed, advice, ...others] = findingsFor(
    new Map([
      [index('key', true), 100],
      [index('by_a'), 150],
      [index('by_b'), 140],
      [index('by_c'), 10],
    ]),
    false,
  )
  expect(speed?.detail).toMatch(
    /^about 2,000 records\/s for one consumer: 500.0 ms in the database for 1,000 records, 50.0 ms to/,
  )
  expect(advice?.cure?.split('\n')).toEqual([
    'DROP INDEX by_a;',
    'DROP INDEX by_b;',
    'CREATE INDEX by_a ON public.t USING btree (a);',
    'CREATE INDEX by_b ON public.t USING btree (a);',
  ])
  expect(others).toEqual([])
})

it('of a table whose key alone takes the time, nothing is to be dropped', () => {
  expect(findingsFor(new Map([[index('key', true), 200]]), false)).toHaveLength(1)
})

it('indexes of an empty table are to be built at the end', () => {
  const [, advice] = findingsFor(new Map([[index('by_a'), 100]]), true)
  expect(advice?.cure).toBe('lading load … --defer-indexes always')
})
