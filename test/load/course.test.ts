import { expect, it } from 'vitest'
import { Course } from '../../src/load/course.ts'

const counts = {
  redelivered: 0,
  duplicates: 0,
  deadMessages: 0,
  records: 1,
  loaded: 1,
  rejected: 0,
  skipped: 0,
}
const window = { type: 'window', messages: 2, bytes: 1, publishMs: 1, loads: [] } as const
const batch = (messages: number, retried = 0) =>
  ({
    type: 'batch',
    consumer: '1',
    messages,
    retried,
    bytes: 1,
    writeMs: 1,
    settleMs: 1,
    loads: [],
    ...counts,
  }) as const

/** Longer than a test may take: what waits for it does not end. */
const forever = 3_600_000

it('the end of a load waits for no tick of a clock: the batch that leaves nothing outstanding ends the wait', async () => {
  const course = new Course()
  course.listen(window)
  let isOver = false
  const waiting = course.wait(forever, new AbortController().signal).then(() => (isOver = true))
  course.listen(batch(1))
  course.listen(batch(1, 1))
  await new Promise(setImmediate)
  expect(isOver).toBe(false)
  course.listen(batch(1))
  await waiting
  // A batch that came while the queue was asked counts, too, and once.
  course.listen(window)
  course.listen(batch(2))
  await course.wait(forever, new AbortController().signal)
  const stop = new AbortController()
  let isStopped = false
  const stopped = course.wait(forever, stop.signal).then(() => (isStopped = true))
  await new Promise(setImmediate)
  expect(isStopped).toBe(false)
  stop.abort()
  await stopped
})
