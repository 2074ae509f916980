import { expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import type { LadingEvent } from '../../src/core/events.ts'
import { Attempts, type RetryPolicy, retrying } from '../../src/core/retry.ts'

it('pauses end with the deadline, however long the policy would make them, and each attempt knows what is left', async () => {
  const deadlineMs = 200
  const policy: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstMs: 3_600_000, mostMs: 3_600_000 }
  const pauses: number[] = []
  const left: number[] = []
  const work = (leftMs: number) => {
    left.push(leftMs)
    return Promise.reject(new LadingError('SINK_UNAVAILABLE', 'away'))
  }
  const onEvent = (event: { readonly type: string }) =>
    pauses.push('delayMs' in event ? Number(event.delayMs) : 0)
  await expect(retrying(work, { onEvent, deadlineMs, policy })).rejects.toThrow('away')
  expect(pauses.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(deadlineMs)
  expect(left[0]).toBeGreaterThan(0)
  // A pause is a whole number of milliseconds, and a timer of Node may fire a fraction of one early.
  expect(left.at(-1)).toBeLessThan(1)
})

const policy: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, firstMs: 1, mostMs: 1 }
const busy = new LadingError('QUEUE_BUSY', 'busy')

it('a failure that passes as a matter of course is reported only when it goes on, and its end with it', async () => {
  const events: LadingEvent[] = []
  const onEvent = (event: LadingEvent) => events.push(event)
  let left = 2
  const work = () => (left-- > 0 ? Promise.reject(busy) : Promise.resolve('done'))
  const options = { onEvent, policy, reportFrom: 3 }
  expect(await retrying(work, options)).toBe('done')
  expect(events).toEqual([])
  left = 4
  expect(await retrying(work, options)).toBe('done')
  expect(events).toMatchObject([
    { type: 'waiting', code: 'QUEUE_BUSY', attempt: 3 },
    { type: 'waiting', attempt: 4 },
    { type: 'resumed', code: 'QUEUE_BUSY' },
  ])
})

it('after something went through, the next failure is the first one', async () => {
  const events: LadingEvent[] = []
  const attempts = new Attempts({
    onEvent: (event) => events.push(event),
    policy: { ...policy, attempts: 2 },
  })
  expect(attempts.isLast).toBe(false)
  await attempts.pauseAfter(busy)
  expect(attempts.isLast).toBe(true)
  attempts.resumed()
  attempts.progressed()
  expect(attempts.isLast).toBe(false)
  await attempts.pauseAfter(busy)
  expect(events.map((event) => ('attempt' in event ? event.attempt : event.type))).toEqual([1, 'resumed', 1])
})
