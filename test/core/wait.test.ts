import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { stopping } from '../../src/core/wait.ts'

const aborted = (signal: AbortSignal) =>
  signal.aborted ? undefined : new Promise((resolve) => signal.addEventListener('abort', resolve))

it('what is under way is given up some time after the stop', async () => {
  const controller = new AbortController()
  using both = stopping(controller.signal, 20)
  expect(both.stop.aborted).toBe(false)
  controller.abort()
  expect([both.stop.aborted, both.abandon.aborted]).toEqual([true, false])
  await aborted(both.abandon)
})

it('a stop that came before the beginning counts', async () => {
  using both = stopping(AbortSignal.abort(), 1)
  expect(both.stop.aborted).toBe(true)
  await aborted(both.abandon)
})

it('nothing is stopped or given up once the work is over', async () => {
  const [before, after] = [new AbortController(), new AbortController()]
  const [stopped, over] = [stopping(before.signal, 1), stopping(after.signal, 0)]
  before.abort()
  for (const each of [stopped, over]) each[Symbol.dispose]()
  after.abort()
  await delay(5)
  expect([stopped.abandon, over.stop, over.abandon].map((each) => each.aborted)).toEqual([
    false,
    false,
    false,
  ])
})
