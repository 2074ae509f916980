import { PassThrough } from 'node:stream'
import { afterEach, expect, it, vi } from 'vitest'
import { arriving } from '../../src/source/collected.ts'

afterEach(() => void vi.useRealTimers())

it('a body waits for a slow reader for any time, and a reader not for ever for a silent body', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const body = new PassThrough()
  const pieces = arriving(body)
  for (const text of ['a', 'b']) {
    body.write(text)
    expect((await pieces.next()).value?.toString()).toBe(text)
    vi.advanceTimersByTime(3_600_000)
  }
  const next = pieces.next()
  vi.advanceTimersByTime(20_000)
  await expect(next).rejects.toMatchObject({ code: 'ETIMEDOUT', message: 'nothing came any more' })
})
