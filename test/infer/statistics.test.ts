import { describe, expect, it } from 'vitest'
import { ColumnStatistics, Memory } from '../../src/infer/statistics.ts'

const statisticsOf = (values: readonly (string | null)[], isNumber = false, memory = new Memory()) => {
  const statistics = new ColumnStatistics(memory, isNumber)
  for (const value of values) statistics.add(value)
  return statistics.result
}

describe('numbers that are the same double', () => {
  it.each([
    [['9007199254740993', '9007199254740992'], '9007199254740992', '9007199254740993'],
    [['-9007199254740993', '-9007199254740992'], '-9007199254740993', '-9007199254740992'],
    [
      ['0.30000000000000000002', '0.30000000000000000001'],
      '0.30000000000000000001',
      '0.30000000000000000002',
    ],
    [['9007199254740992.5', '9007199254740992.25'], '9007199254740992.25', '9007199254740992.5'],
  ])('are told apart by their digits: %j', (values, minimum, maximum) => {
    expect(statisticsOf(values, true)).toMatchObject({ minimum, maximum, isUnique: true })
    expect(statisticsOf(values.toReversed(), true)).toMatchObject({ minimum, maximum, isUnique: true })
  })

  it('are the same where they are written in two ways', () => {
    expect(statisticsOf(['1.50', '1.5'], true)).toMatchObject({ minimum: '1.50', maximum: '1.50' })
    expect(statisticsOf(['1e3', '1000'], true)).toMatchObject({ minimum: '1e3', maximum: '1e3' })
  })
})

it('of more values than are counted, each that is frequent is named, and how many there are is not said', () => {
  const seldom = Array.from({ length: 9_000 }, (_, index) => `v${(index * 7919) % 9_000}`)
  const values = seldom.flatMap((value, index) => (index % 3 === 0 ? [value, 'often'] : [value]))
  const { distinct, frequent, isUnique } = statisticsOf(values)
  expect([distinct, isUnique, frequent[0]?.value]).toEqual([undefined, false, 'often'])
  // At least so many: those of others are taken from it.
  expect(frequent[0]?.records).toBeGreaterThan(2_990)
  expect(frequent[0]?.records).toBeLessThanOrEqual(3_000)
})

it('beyond what all columns remember together, whether values are unique is said only where they rise', () => {
  const memory = new Memory()
  memory.left = 2
  expect(statisticsOf(['1', '3', '2'], true, memory).isUnique).toBeUndefined()
  expect(memory.left).toBe(2)
  expect(statisticsOf(['1', '2', '3'], true, memory).isUnique).toBe(true)
})
