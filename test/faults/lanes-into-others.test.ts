/** Loads into other databases, whatever is killed, restarted or cut; `npm run faults` has a lane for each queue. */
import { expect, it } from 'vitest'
import { kinds } from '../../faults/kinds/index.ts'
import { struck, survives } from './survives.ts'

survives(['embedded-sqlite', 'embedded-mariadb', 'embedded-duckdb'])

it('each kind of fault that is over quickly strikes a lane', () => {
  const quick = kinds.filter(({ isQuick }) => isQuick === true).map(({ name }) => name)
  expect(new Set(struck)).toEqual(new Set(quick))
})
