import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Acknowledgements } from '../../src/queue/rabbitmq/acknowledgements.ts'
import type { Epoch } from '../../src/queue/rabbitmq/connection.ts'

interface Tagged {
  readonly fields: { readonly deliveryTag: number }
}

/** A channel that refuses as a broker does: what is answered twice, or was never delivered, ends it. */
class Channel {
  readonly open = new Set<number>()
  readonly acked: number[] = []
  readonly nacked: number[] = []
  answers = 0

  ack({ fields: { deliveryTag } }: Tagged, allUpTo = false): void {
    this.answers++
    if (!this.open.has(deliveryTag)) throw new Error(`unknown delivery tag ${deliveryTag}`)
    for (const tag of allUpTo ? [...this.open].filter((each) => each <= deliveryTag) : [deliveryTag]) {
      this.open.delete(tag)
      this.acked.push(tag)
    }
  }

  nack({ fields: { deliveryTag } }: Tagged): void {
    this.answers++
    if (!this.open.delete(deliveryTag)) throw new Error(`unknown delivery tag ${deliveryTag}`)
    this.nacked.push(deliveryTag)
  }
}

function acknowledging() {
  const channel = new Channel()
  const problems: unknown[] = []
  const guarded = {
    ack: (message: Tagged, allUpTo?: boolean) => tried(() => channel.ack(message, allUpTo)),
    nack: (message: Tagged) => tried(() => channel.nack(message)),
  }
  const tried = (work: () => void) => {
    try {
      work()
    } catch (error) {
      problems.push(error)
    }
  }
  const epoch = { channel: guarded, ended: () => undefined } as unknown as Epoch
  return { channel, problems, acknowledgements: new Acknowledgements(epoch) }
}

it('a thousand deliveries settled together are one answer', async () => {
  const { channel, problems, acknowledgements } = acknowledging()
  const tags = Array.from({ length: 1_000 }, (_, n) => n + 1)
  for (const tag of tags) {
    channel.open.add(tag)
    acknowledgements.expect(tag)
  }
  await Promise.all(tags.toReversed().map((tag) => acknowledgements.ack(tag)))
  expect({ answers: channel.answers, acked: channel.acked.length, problems }).toEqual({
    answers: 1,
    acked: 1_000,
    problems: [],
  })
})

it('in whatever order deliveries are settled, each is answered once, and none that is not settled', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('come' as const), count: fc.integer({ min: 1, max: 8 }) }),
    fc.record({
      kind: fc.constantFrom('ack' as const, 'nack' as const),
      at: fc.nat(),
      count: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({ kind: fc.constant('turn' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { channel, problems, acknowledgements } = acknowledging()
      const left: number[] = []
      const acked: number[] = []
      const nacked: number[] = []
      let last = 0
      for (const each of steps) {
        if (each.kind === 'turn') await setImmediate()
        else if (each.kind === 'come') {
          for (let n = 0; n < each.count; n++) {
            channel.open.add(++last)
            acknowledgements.expect(last)
            left.push(last)
          }
        } else {
          for (const tag of left.splice(left.length === 0 ? 0 : each.at % left.length, each.count)) {
            if (each.kind === 'ack') void acknowledgements.ack(tag)
            else acknowledgements.nack(tag)
            ;(each.kind === 'ack' ? acked : nacked).push(tag)
          }
        }
      }
      await setImmediate()
      await setImmediate()
      expect(problems).toEqual([])
      expect(channel.acked.toSorted((a, b) => a - b)).toEqual(acked.toSorted((a, b) => a - b))
      expect(channel.nacked).toEqual(nacked)
      expect([...channel.open]).toEqual(left.toSorted((a, b) => a - b))
    }),
  )
})

it('a number that never comes needs no answer', async () => {
  const { channel, problems, acknowledgements } = acknowledging()
  for (const tag of [1, 4]) {
    channel.open.add(tag)
    acknowledgements.expect(tag)
  }
  await Promise.all([acknowledgements.ack(1), acknowledgements.ack(4)])
  expect([channel.acked, problems]).toEqual([[1, 4], []])
})
