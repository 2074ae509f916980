/**
 * The queues behind one queue, all reached through the default exchange:
 * - the queue itself; what the broker gives up goes on to `.dead`, and a full queue refuses instead of
 *   dropping;
 * - `NAME.dead`: what was delivered too often;
 * - `NAME.delayed`: what comes back later; each message has its own time to live, after which the broker
 *   moves it back, though not before those that stand in front of it.
 */
import type { Channel, Options } from 'amqplib'
import type { Address } from './address.ts'

/**
 * Deliveries before the broker itself takes a message out of the way. A consumer gives up long before, and
 * keeps the message with its reason; this is for what kills consumers before they can. RabbitMQ 3 has no
 * limit of its own, 4 has 20, which innocent messages reach that wait beside one that kills.
 */
const deliveryLimit = 100

export const deadName = (queue: string): string => `${queue}.dead`
export const delayedName = (queue: string): string => `${queue}.delayed`

export async function declareQueues(channel: Channel, { queue, type }: Address): Promise<void> {
  await channel.assertQueue(deadName(queue), durable({ 'x-queue-type': type }))
  await channel.assertQueue(delayedName(queue), durable({ 'x-queue-type': type, ...movesTo(queue, type) }))
  await channel.assertQueue(queue, durable(declaration({ queue, type })))
}

/** The arguments of the queue itself. */
export const declaration = ({ queue, type }: Pick<Address, 'queue' | 'type'>) => ({
  'x-queue-type': type,
  ...movesTo(deadName(queue), type),
  ...(type === 'quorum' ? { 'x-delivery-limit': deliveryLimit } : {}),
})

const durable = (args: Readonly<Record<string, string | number>>): Options.AssertQueue => ({
  durable: true,
  arguments: args,
})

/** A quorum queue keeps a message until the queue that it moves to has confirmed it; a classic one cannot. */
const movesTo = (queue: string, type: Address['type']) => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': queue,
  'x-overflow': 'reject-publish',
  ...(type === 'quorum' ? { 'x-dead-letter-strategy': 'at-least-once' } : {}),
})
