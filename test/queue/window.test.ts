import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mostInFlightBytes } from '../../src/queue/queue.ts'
import { firstLimit, Window } from '../../src/queue/window.ts'

const options = { prefetch: 100, mostMessages: 1_000, meanOver: 16 }

it('a consumer may take one message first, then four times as many each time, up to its prefetch', () => {
  const window = new Window(options)
  const limits = [firstLimit]
  while ((limits.at(-1) as number) < 100) limits.push(window.after(limits.at(-1) as number))
  expect(limits).toEqual([1, 4, 16, 64, 100])
  expect(new Window({ ...options, mostMessages: 10 }).after(64)).toBe(10)
})

it('messages of one size never take more than the bytes there are, whatever is in hand', () => {
  const some = fc.integer({ min: 0, max: mostInFlightBytes })
  const count = fc.integer({ min: 0, max: 20 })
  fc.assert(
    fc.property(some, some, count, fc.integer({ min: 1, max: 50 }), (size, inHand, asked, seen) => {
      const window = new Window(options)
      for (let n = 0; n < seen; n++) window.came(size)
      const bytes = inHand + (asked + window.fitBeside(inHand, asked)) * Math.max(1, size)
      expect(bytes).toBeLessThanOrEqual(mostInFlightBytes + 1e-3)
      expect(bytes + Math.max(1, size)).toBeGreaterThan(mostInFlightBytes - 1e-3)
    }),
  )
})
