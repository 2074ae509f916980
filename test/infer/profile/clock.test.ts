/** Whether times that are written like the one before are ones that there are, told by their bytes alone. */
import { expect, it } from 'vitest'
import { LastClock } from '../../../src/infer/profile/clock.ts'

const first = '2024-02-29 12:30:59.5+02'

const isLike = (value: string): boolean => {
  const clock = new LastClock()
  const before = Buffer.from(`${first}${' '.repeat(8)}`)
  clock.set(before, 0, first.length, 1)
  const bytes = Buffer.from(`${value}${' '.repeat(8)}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return clock.endOf(bytes, view, 0, value.length) === value.length
}

it.each([
  [first, true],
  ['1999-12-31 00:00:00.0+02', true],
  ['2024-02-29 23:59:59.9+02', true],
  ['2024-02-30 12:30:59.5+02', false],
  ['2023-02-29 12:30:59.5+02', false],
  ['2024-13-01 12:30:59.5+02', false],
  ['2024-02-29 24:30:59.5+02', false],
  ['2024-02-29 12:60:59.5+02', false],
  ['2024-02-29 12:30:60.5+02', false],
  ['2024-02-29 1x:30:59.5+02', false],
  ['2024-02-29 12-30:59.5+02', false],
  ['2024-02-29 12:30-59.5+02', false],
  ['2024-02-29 12:30:59.x+02', false],
  ['2024-02-29 12:30:59.5+03', false],
  ['2024-02-29T12:30:59.5+02', false],
])('%s is a time like the one before: %j', (value, expected) => {
  expect(isLike(value)).toBe(expected)
})
