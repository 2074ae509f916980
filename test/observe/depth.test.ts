import { expect, it, vi } from 'vitest'
import { DepthWatch } from '../../src/observe/depth.ts'
import { Observer } from '../../src/observe/observer.ts'

const observe = () =>
  new Observer(
    { version: '1', pid: 1, command: 'consume', queue: 'q', startedAt: 0 },
    { consumes: true, stallAfterMs: 20_000 },
  )

it('questions that come together are one, and an answer serves for a while', async () => {
  const observer = observe()
  using watch = new DepthWatch(observer)
  let asked = 0
  watch.watch(async () => ({ ready: ++asked, dead: 0 }))
  await Promise.all([watch.refresh(1_000), watch.refresh(1_000)])
  await watch.refresh(1_000)
  expect(observer.depth).toEqual({ ready: 1, dead: 0 })
})

it('a queue that fails, or never answers, keeps nobody waiting and is counted', async () => {
  const observer = observe()
  using failing = new DepthWatch(observer)
  failing.watch(() => Promise.reject(new Error('gone')))
  await failing.refresh(1_000)
  expect([observer.depth, observer.depthFailures]).toEqual([undefined, 1])
  using silent = new DepthWatch(observer)
  silent.watch(() => new Promise(() => undefined))
  await silent.refresh(1)
  expect(observer.depth).toBeUndefined()
})

it('an answer that does not come for long is counted once, also if it fails in the end', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const observer = observe()
  using watch = new DepthWatch(observer)
  const answer = Promise.withResolvers<never>()
  watch.watch(() => answer.promise)
  const waiting = watch.refresh(60_000)
  await vi.advanceTimersByTimeAsync(4_999)
  expect(observer.depthFailures).toBe(0)
  await vi.advanceTimersByTimeAsync(1)
  expect(observer.depthFailures).toBe(1)
  answer.reject(new Error('gone'))
  await waiting
  expect(observer.depthFailures).toBe(1)
  vi.useRealTimers()
})
