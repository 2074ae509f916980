/**
 * What is answered on one channel, on that channel alone. Acknowledgements that are given together are sent together: the channel
 * keeps what its queue is too busy for, and a quorum queue is busy with 32 answers; whatever the channel keeps is lost when it is
 * closed, and the messages come again.
 */
import type { Message } from 'amqplib'
import type { Epoch } from './connection.ts'

export class Acknowledgements {
  readonly #epoch: Epoch
  /** Not answered yet, in the order in which they came. */
  readonly #open = new Map<number, Message>()
  readonly #done = new Set<number>()
  #sent: Promise<void> | undefined

  constructor(epoch: Epoch) {
    this.#epoch = epoch
  }

  expect(message: Message): void {
    this.#open.set(tagOf(message), message)
  }

  /** Resolves when it is sent. */
  ack(message: Message): Promise<void> {
    this.#done.add(tagOf(message))
    return (this.#sent ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#sent = undefined
        this.#answer(() => this.#sendTogether())
        resolve()
      })
    }))
  }

  nack(message: Message, requeue: boolean): void {
    this.#open.delete(tagOf(message))
    this.#answer(() => this.#epoch.channel.nack(message, false, requeue))
  }

  /** One answer for all up to the first message that is still open, and one for each of the others. */
  #sendTogether(): void {
    let last: Message | undefined
    for (const [tag, message] of this.#open) {
      if (!this.#done.delete(tag)) break
      this.#open.delete(tag)
      last = message
    }
    if (last !== undefined) this.#epoch.channel.ack(last, true)
    for (const tag of this.#done) {
      const message = this.#open.get(tag)
      this.#open.delete(tag)
      if (message !== undefined) this.#epoch.channel.ack(message)
    }
    this.#done.clear()
  }

  #answer(answer: () => void): void {
    if (this.#epoch.ended() !== undefined) return
    try {
      answer()
    } catch {
      // The channel ended meanwhile, which says that the message is another's.
    }
  }
}

const tagOf = ({ fields }: Message): number => fields.deliveryTag
