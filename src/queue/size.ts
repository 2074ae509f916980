import { LadingError } from '../core/errors.ts'
import type { Outgoing } from './queue.ts'

/** Throws `MESSAGE_TOO_LARGE` where a body has more bytes than the queue takes. */
export function requireSize(messages: readonly Pick<Outgoing, 'body'>[], maxBytes: number): void {
  const large = messages.find(({ body }) => body.length > maxBytes)
  if (large !== undefined)
    throw new LadingError(
      'MESSAGE_TOO_LARGE',
      `${large.body.length} bytes in one message, the queue takes ${maxBytes}`,
    )
}
