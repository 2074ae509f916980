import { afterEach, expect, it, vi } from 'vitest'
import { type Suspicion, watchSilence } from '../../src/core/silence.ts'

afterEach(() => void vi.useRealTimers())

it('of a session that is left while the server is asked nothing is told, and nobody asks again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const answers: PromiseWithResolvers<Suspicion | undefined>[] = []
  const ask = () => {
    const answer = Promise.withResolvers<Suspicion | undefined>()
    answers.push(answer)
    return answer.promise
  }
  const told: string[] = []
  const watch = watchSilence(
    () => ({ bytesRead: 1, ask }),
    10,
    (why) => void told.push(why),
  )
  await vi.advanceTimersByTimeAsync(10)
  answers[0]?.resolve({ why: 'gone' })
  await vi.advanceTimersByTimeAsync(10)
  expect(answers).toHaveLength(2)
  watch[Symbol.dispose]()
  answers[1]?.resolve({ why: 'gone' })
  await vi.advanceTimersByTimeAsync(100)
  expect([told, answers.length]).toEqual([[], 2])
})
