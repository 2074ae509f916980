import { expect, it } from 'vitest'
import { variants } from '../../../bench/polluted/variants.ts'
import { scoreOfVariant } from '../../../bench/sections/polluted.ts'

/** Of the many that differ in row and column alone, each so-manieth: files of other kinds weigh more than in the bench. */
const step = 29

it('files in which one thing is amiss are read right, with nothing stated', async () => {
  const all = [...variants()]
  expect(all).toHaveLength(2290)
  const few = all.filter((_, index) => index < 22 || index % step === 0)
  const scores: number[] = []
  for (const variant of few) scores.push(await scoreOfVariant(variant))
  expect(Math.min(...scores)).toBeGreaterThan(8)
  expect(scores.reduce((sum, each) => sum + each, 0) / scores.length).toBeGreaterThan(9.94)
})
