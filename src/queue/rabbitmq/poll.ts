/** Messages are fetched one by one (basic.get), where a consumer that is pushed to is not wanted. */
import type { GetMessage } from 'amqplib'
import { type Abortable, sleep } from '../../core/wait.ts'
import { type Delivery, mostInFlightBytes } from '../queue.ts'
import { Patience } from '../window.ts'
import { queueError } from './errors.ts'
import { weightOf } from './message.ts'
import type { Receiver } from './receiver.ts'

/** Fetched before they are handed out. */
const mostTogether = 100
const firstIdleMs = 20
const lastIdleMs = 1_000

export interface PollOptions extends Abortable {
  readonly queue: string
  readonly prefetch: number
  readonly where: string
}

export async function* poll(
  receiver: Receiver,
  { queue, prefetch, where, signal }: PollOptions,
): AsyncGenerator<readonly Delivery[]> {
  const patience = new Patience(firstIdleMs, lastIdleMs)
  while (!signal?.aborted) {
    const messages: GetMessage[] = []
    while (
      messages.length < mostTogether &&
      receiver.unsettled < prefetch &&
      receiver.unsettledBytes < mostInFlightBytes
    ) {
      const message = await receiver.epoch
        .answered(receiver.epoch.channel.get(queue))
        .catch((error: unknown) => {
          throw receiver.epoch.ended() ?? queueError(error, where)
        })
      if (message === false) break
      receiver.accept(message, weightOf(message))
      messages.push(message)
    }
    const ended = receiver.epoch.ended()
    // v8 ignore next -- a connection that ends in the moment of the last answer
    if (ended !== undefined) throw ended
    yield messages.map((message) => receiver.delivery(message))
    patience.saw(messages.length)
    if (messages.length === 0) await sleep(patience.ms, signal)
  }
}
