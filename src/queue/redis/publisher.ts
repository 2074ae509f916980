/** Messages → stream. What the server has no room for is tried again until it has. */
import { LadingError } from '../../core/errors.ts'
import type { Listener } from '../../core/events.ts'
import { retrying } from '../../core/retry.ts'
import { type Abortable, stopping, unlessAborted } from '../../core/wait.ts'
import { grouped } from '../grouped.ts'
import type { Outgoing } from '../queue.ts'
import type { Calls } from './calls.ts'
import type { Command, Connection } from './connection.ts'
import { fieldsOf } from './message.ts'

/** Sent without an answer, at most. */
const windowBytes = 8 * 1024 * 1024
const windowMessages = 1_000
/** A stop waits this long for answers that are under way. */
const stopWithinMs = 10_000

export async function publish(
  calls: Calls,
  stream: string,
  messages: readonly Outgoing[],
  { signal, onEvent }: Abortable & { readonly onEvent: Listener },
): Promise<void> {
  using stop = stopping(signal, stopWithinMs)
  for (const window of grouped(messages, ({ body }) => body.length, windowMessages, windowBytes)) {
    let left = window.map((message): Command => ['XADD', stream, 'NOMKSTREAM', '*', ...fieldsOf(message)])
    const send = async () => {
      const sent = calls.whileThere(async (connection) => {
        const { refused, why } = await answersOf(connection, left)
        left = refused
        if (why !== undefined) throw why
      })
      const answered = await unlessAborted(
        sent.then(() => true),
        stop.abandon,
      )
      // v8 ignore start -- ten seconds after a stop
      if (answered === undefined)
        throw new LadingError('ABORTED', 'stopped while the server had not answered')
      // v8 ignore stop
    }
    await retrying(send, { signal, onEvent, retryOn: ['hold', 'retry'] })
  }
}

/** What is not in the stream, and why. */
async function answersOf(
  connection: Connection,
  commands: readonly Command[],
): Promise<{ readonly refused: Command[]; readonly why: LadingError | undefined }> {
  const answers = await connection.sendAll(commands)
  // Without the stream, nothing is added.
  const isThere = (index: number) => Buffer.isBuffer(answers[index])
  const refused = commands.filter((_, index) => !isThere(index))
  const first = answers.find((answer) => !Buffer.isBuffer(answer))
  if (first === undefined) return { refused, why: undefined }
  if (first instanceof LadingError) return { refused, why: first }
  return { refused, why: new LadingError('QUEUE_MISSING', `${connection.where}: the stream is gone`) }
}
