/** Queues of a private broker that belong to one run. */
import { randomUUID } from 'node:crypto'
import { connect } from 'amqplib'
import type { RabbitServer } from '../tooling/servers/rabbitmq.ts'

export interface FreshQueue {
  readonly name: string
  /** As lading takes it; it makes a quorum queue where there is none. */
  readonly url: string
}

export function freshQueue({ url }: RabbitServer): FreshQueue {
  const name = `bench-${randomUUID()}`
  return { name, url: `${url}?queue=${name}` }
}

/** With the two that lading puts beside it. A queue that does not exist is no error. */
export async function deleteQueue({ url }: RabbitServer, { name }: FreshQueue): Promise<void> {
  const connection = await connect(url)
  const channel = await connection.createChannel()
  for (const each of [name, `${name}.dead`, `${name}.delayed`]) await channel.deleteQueue(each)
  await connection.close()
}
