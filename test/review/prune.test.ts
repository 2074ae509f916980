/** What of a ledger is old goes page by page, for as long as nobody stops it. */
import { expect, it } from 'vitest'
import { createConsumer } from '../../src/consumer/consumer.ts'
import { prune } from '../../src/review/prune.ts'
import { Fixture, numbers } from '../support/fixture.ts'

const what = ['rejects', 'letters'] as const

it('a prune that is stopped ends after the page at hand, says what is gone, and can be repeated', async () => {
  await using fixture = await Fixture.open()
  const [queue, sink] = [await fixture.queue(), await fixture.sink()]
  const bodies = ['{"id":1,"note":"a"}\n{"id":"x"}', '{']
  await queue.publish(
    bodies.map((body, index) => ({ key: `m${index}`, body: Buffer.from(body), headers: {} })),
  )
  await createConsumer({ queue, sink, model: numbers }).run({ untilEmpty: true })
  await sink.ledger.discardRejects([1])
  await sink.ledger.discardDeadLetters([1])
  const stop = new AbortController()
  const onForgotten = () => stop.abort()
  const some = await prune(sink.ledger, { what, olderThanMs: -1, signal: stop.signal, onForgotten })
  const entries = (pruned: typeof some) => what.map((each) => pruned.get(each)?.entries)
  expect(entries(some)).toEqual([1, 0])
  expect(entries(await prune(sink.ledger, { what, olderThanMs: -1 }))).toEqual([0, 1])
})

it('a database that keeps its whole ledger says so', async () => {
  await using fixture = await Fixture.open()
  const { ledger } = await fixture.sink()
  const whole = Object.assign(Object.create(ledger) as typeof ledger, { prune: undefined })
  await expect(prune(whole, { what, olderThanMs: 0 })).rejects.toMatchObject({
    code: 'USAGE',
    message: 'this database keeps its whole ledger',
  })
})
