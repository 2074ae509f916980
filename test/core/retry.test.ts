import { expect, it } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { type RetryPolicy, retrying } from '../../src/core/retry.ts'

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
  expect(left.at(-1)).toBe(0)
})
