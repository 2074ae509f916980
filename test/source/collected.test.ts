import { PassThrough } from 'node:stream'
import { afterEach, expect, it, vi } from 'vitest'
import { arriving, collected } from '../../src/source/collected.ts'

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

it.each([
  ['more than it announced', '12345', 'more came than was announced after 0 of 4 bytes'],
  ['nothing', '', 'the answer is too short after 0 of 4 bytes'],
])('a body that brings %s is none', async (_, text, why) => {
  const body = new PassThrough()
  const all = collected(body, 4, 'https://host/x')
  body.end(text)
  await expect(all).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: `https://host/x: ${why}` })
})

it('a body that ends too early brings what came of it', async () => {
  const body = new PassThrough()
  const all = collected(body, 4, 'https://host/x')
  body.end('12')
  expect((await all).toString()).toBe('12')
})
