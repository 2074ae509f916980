/**
 * Messages → broker, each confirmed. What a broker confirms is in the queue, unless it was returned as
 * unroutable before.
 */
import type { ConfirmChannel } from 'amqplib'
import { LadingError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import { retrying } from '../../core/retry.ts'
import { type Abortable, sleep, stopping, unlessAborted } from '../../core/wait.ts'
import { grouped } from '../grouped.ts'
import type { Epoch } from './connection.ts'
import { queueError } from './errors.ts'
import type { Publishable } from './message.ts'

/**
 * Sent without being confirmed, at most; beyond this a broker gains nothing and our memory would have no
 * bound.
 */
const windowBytes = 8 * 1024 * 1024
const windowMessages = 1_000
/** A stop waits this long for confirms that are under way. */
const stopWithinMs = 10_000
/**
 * A broker that confirms nothing for so long, and does not say that it is blocked, may never do: a quorum
 * queue that has lost its majority confirms nothing and refuses nothing. Sending again makes two of one, so
 * it waits long.
 */
const silentForMs = 30_000

type Answer = 'confirmed' | 'refused'

export class Publisher {
  readonly #epoch: Epoch<ConfirmChannel>
  readonly #where: string
  readonly #onEvent: Listener
  readonly #silentForMs: number
  /** Why nothing is believed any more that this channel confirms. */
  #failure: LadingError | undefined
  #confirms = 0

  constructor(epoch: Epoch<ConfirmChannel>, where: string, onEvent: Listener, mostSilentMs = silentForMs) {
    this.#epoch = epoch
    this.#silentForMs = mostSilentMs
    this.#where = where
    this.#onEvent = onEvent
    // The broker confirms what it returns, after it has returned it.
    epoch.channel.on('return', ({ fields }) => {
      const { replyText } = fields as { readonly replyText?: string }
      this.#fail(`a message was returned: ${replyText ?? 'no route'} (${fields.routingKey})`)
    })
  }

  get isUsable(): boolean {
    return this.#epoch.ended() === undefined && this.#failure === undefined
  }

  /** Resolves when the broker holds all of them; waits while their queue is full. */
  async publish(messages: readonly Publishable[], options: Abortable = {}): Promise<void> {
    for (const window of grouped(messages, ({ body }) => body.length, windowMessages, windowBytes))
      await this.#publishWindow(window, options)
  }

  async #publishWindow(window: readonly Publishable[], { signal }: Abortable): Promise<void> {
    let left = window
    const send = async () => {
      const answers = await this.#answers(left, signal)
      left = left.filter((_, index) => answers[index] === 'refused')
      if (left.length > 0)
        throw new LadingError('QUEUE_HOLD', `${this.#where}: it is full, ${left.length} messages wait`)
    }
    await retrying(send, { signal, onEvent: this.#onEvent, retryOn: ['hold'] })
  }

  async #answers(
    messages: readonly Publishable[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Answer[]> {
    const waited = new AbortController()
    using stop = stopping(signal, stopWithinMs)
    const sent = Promise.all(messages.map((message) => this.#send(message)))
    try {
      const answers = await unlessAborted(Promise.race([sent, this.#silence(waited.signal)]), stop.abandon)
      // v8 ignore start -- ten seconds after a stop
      if (answers === undefined)
        throw new LadingError('ABORTED', 'stopped while the broker had not confirmed')
      // v8 ignore stop
      return answers
    } finally {
      waited.abort()
    }
  }

  /** Rejects when nothing is confirmed any more, or when no call waits. */
  async #silence(waited: AbortSignal): Promise<never> {
    for (let [quiet, seen] = [0, this.#confirms]; quiet < 3 && !waited.aborted;) {
      await sleep(this.#silentForMs / 3, waited)
      quiet = this.#confirms === seen && !this.#epoch.isBlocked() ? quiet + 1 : 0
      seen = this.#confirms
    }
    const why = 'the broker does not confirm what it was sent'
    throw waited.aborted ? new LadingError('QUEUE_UNAVAILABLE', why) : this.#fail(why)
  }

  #fail(why: string): LadingError {
    void this.#epoch.close()
    return (this.#failure ??= new LadingError('QUEUE_UNAVAILABLE', `${this.#where}: ${why}`))
  }

  #send({ queue, body, options }: Publishable): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) =>
        reject(this.#failure ?? this.#epoch.ended() ?? queueError(error, this.#where))
      try {
        this.#epoch.channel.publish('', queue, body, options, (error: unknown) => {
          this.#confirms++
          if (this.#failure !== undefined || this.#epoch.ended() !== undefined) fail(error)
          else resolve(error === null || error === undefined ? 'confirmed' : 'refused')
        })
      } catch (error) {
        // The client throws where the channel is closed.
        fail(error)
      }
    })
  }
}
