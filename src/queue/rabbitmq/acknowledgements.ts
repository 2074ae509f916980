/**
 * What is answered on one channel, on that channel alone. Acknowledgements that are given together are sent
 * together: the channel keeps what its queue is too busy for, and a quorum queue is busy with 32 answers;
 * whatever the channel keeps is lost when it is closed, and the messages come again.
 */
import type { Message } from 'amqplib'
import type { Epoch } from './connection.ts'

const open = 0
const done = 1
const answered = 2

export class Acknowledgements {
  readonly #epoch: Epoch
  /** States of the deliveries from tag `#first` on; a channel numbers its deliveries one after the other. */
  readonly #states: number[] = []
  #first = 1
  /** Not sent yet. */
  #done: number[] = []
  #sent: Promise<void> | undefined

  constructor(epoch: Epoch) {
    this.#epoch = epoch
  }

  expect(tag: number): void {
    if (this.#states.length === 0) this.#first = tag
    // A number that never comes needs no answer.
    while (this.#first + this.#states.length < tag) this.#states.push(answered)
    this.#states.push(open)
  }

  /**
   * Resolves when it is sent; one promise for all that are given in one turn, because there are thousands of
   * them.
   */
  ack(tag: number): Promise<void> {
    this.#states[tag - this.#first] = done
    this.#done.push(tag)
    return (this.#sent ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#sent = undefined
        this.#answer(() => this.#sendTogether())
        resolve()
      })
    }))
  }

  /** Resolves when what was given so far is sent. */
  async flushed(): Promise<void> {
    await this.#sent
  }

  /** Gives it back to the queue. */
  nack(tag: number): void {
    this.#states[tag - this.#first] = answered
    this.#answer(() => this.#epoch.channel.nack(tagged(tag), false, true))
  }

  /** One answer for all up to the first message that is still open, and one for each of the others. */
  #sendTogether(): void {
    const given = this.#done
    this.#done = []
    const states = this.#states
    let end = 0
    let last = 0
    for (; end < states.length && states[end] !== open; end++)
      if (states[end] === done) last = this.#first + end
    if (last > 0) this.#epoch.channel.ack(tagged(last), true)
    states.splice(0, end)
    this.#first += end
    for (const tag of given) {
      if (tag < this.#first) continue
      states[tag - this.#first] = answered
      this.#epoch.channel.ack(tagged(tag))
    }
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

/** The client wants the message and reads its tag alone. */
const tagged = (deliveryTag: number) => ({ fields: { deliveryTag } }) as Message
