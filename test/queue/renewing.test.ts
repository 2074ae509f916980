import { expect, it, vi } from 'vitest'
import { LadingError } from '../../src/core/errors.ts'
import { renewing } from '../../src/queue/renewing.ts'

it('leases are extended at a third of their length until nobody waits for them, be one of them lost', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    const extended: string[] = []
    const lost = async () => {
      extended.push('lost')
      throw new LadingError('QUEUE_UNAVAILABLE', 'away, says the test')
    }
    const kept = async (ms: number) => void extended.push(`kept for ${ms}`)
    const end = renewing(() => [{ extend: lost }, { extend: kept }], 30_000)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(extended).toEqual(['lost', 'kept for 30000', 'lost', 'kept for 30000'])
    end()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(extended).toHaveLength(4)
  } finally {
    vi.useRealTimers()
  }
})
