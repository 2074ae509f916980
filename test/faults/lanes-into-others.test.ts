/** Loads into other databases, whatever is killed, restarted or cut; `npm run faults` has a lane for each queue. */
import { expect, it } from 'vitest'
import { kinds } from '../../faults/kinds/index.ts'
import { isIntoPostgres, named, survives } from './survives.ts'

survives((name) => !isIntoPostgres(name))

it('each kind of fault that is over quickly is named for a lane', () => {
  const quick = kinds.filter(({ isQuick }) => isQuick === true).map(({ name }) => name)
  expect(new Set(named)).toEqual(new Set(quick))
})
