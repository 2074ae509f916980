/** The broker as another program uses it, beside the adapter. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConfirmChannel, connect, type GetMessage, type Options } from 'amqplib'
import type { LadingEvent } from '../../src/core/events.ts'

export const mib = 1024 * 1024

export interface ExternalClient extends AsyncDisposable {
  readonly channel: ConfirmChannel
  readonly queue: string
  /** Resolves when the broker has confirmed. */
  publish(body: string | Buffer, options?: Options.Publish): Promise<void>
  /** The next message of any queue, as soon as there is one; it is not settled. */
  get(queue?: string): Promise<GetMessage>
}

export async function externalClient(url: string): Promise<ExternalClient> {
  const queue = new URL(url).searchParams.get('queue') ?? ''
  const connection = await connect(url)
  connection.on('error', () => undefined)
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => undefined)
  return {
    channel,
    queue,
    publish: async (body, options = {}) => {
      channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...options })
      await channel.waitForConfirms()
    },
    get: async (from = queue) => {
      for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(10)) {
        const message = await channel.get(from)
        if (message !== false) return message
      }
      throw new Error(`no message came to ${from}`)
    },
    [Symbol.asyncDispose]: () => connection.close().catch(() => undefined),
  }
}

/** What is waited for, in the order in which it was reported, without repetitions. */
export function reportedBy(events: readonly LadingEvent[]): string[] {
  const reported = events.map((event) => ('code' in event ? `${event.type} ${event.code}` : event.type))
  return reported.filter((each, index) => each !== reported[index - 1])
}
