/** Messages → the stream. One is in it when the server has confirmed it. */
import { randomUUID } from 'node:crypto'
import { LadingError, toLadingError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import { retrying } from '../../core/retry.ts'
import { type Abortable, stopping, unlessAborted } from '../../core/wait.ts'
import { grouped } from '../grouped.ts'
import type { Connection } from './connection.ts'
import type { Publishable } from './message.ts'

/** Sent without being confirmed, at most: our memory, and that of the client, would have no bound. */
const windowBytes = 8 * 1024 * 1024
const windowMessages = 1_000
/** A stop waits this long for what is being sent. */
const stopWithinMs = 10_000

export interface PublishOptions extends Abortable {
  readonly stream: string
  readonly subject: string
  readonly onEvent: Listener
}

/** Resolves when the stream holds all of them; waits while it is full. */
export async function publish(
  connection: Connection,
  messages: readonly Publishable[],
  options: PublishOptions,
): Promise<void> {
  for (const window of grouped(messages, ({ body }) => body.length, windowMessages, windowBytes))
    await publishWindow(connection, window, options)
}

async function publishWindow(
  connection: Connection,
  window: readonly Publishable[],
  options: PublishOptions,
): Promise<void> {
  const { signal, onEvent } = options
  let left = window
  const send = async () => {
    using stop = stopping(signal, stopWithinMs)
    const sent = Promise.all(left.map((message) => sendOne(connection, message, options)))
    const refusals = await unlessAborted(sent, stop.abandon)
    // v8 ignore next -- ten seconds after a stop
    if (refusals === undefined) throw new LadingError('ABORTED', 'stopped while the server had not confirmed')
    left = left.filter((_, index) => refusals[index] !== undefined)
    const refusal = refusals.find((each) => each !== undefined)
    if (refusal !== undefined) throw refusal
  }
  await retrying(send, { signal, onEvent, retryOn: ['hold'] })
}

/** Why there is no room for it; undefined once the stream has it. */
async function sendOne(
  connection: Connection,
  message: Publishable,
  { stream, subject }: PublishOptions,
): Promise<LadingError | undefined> {
  const { publisher, manager } = connection
  const send = (msgID: string) =>
    connection.answered(
      publisher.publish(subject, message.body, {
        msgID,
        headers: message.headers,
        expect: { streamName: stream },
      }),
    )
  try {
    const { duplicate, seq } = await send(message.id)
    if (!duplicate) return undefined
    // The server knows the id for a while after the message has left the stream. Whether it was consumed or
    // removed cannot be told, so it is sent once more; the ledger knows what took effect.
    const there = await connection.answered(manager.streams.getMessage(stream, { seq }))
    if (there === null) await send(randomUUID())
    return undefined
  } catch (thrown) {
    const error = toLadingError(thrown)
    if (error.action === 'hold') return error
    throw error
  }
}
