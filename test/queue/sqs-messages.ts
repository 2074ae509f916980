/** What tests of SQS have in common: messages as it holds them, and as an external sender sends them. */
import { createHash } from 'node:crypto'
import type { Delivery } from '../../src/queue/queue.ts'
import type { useSqs } from '../../tooling/servers/sqs.ts'

/** Receives messages as SQS holds them. */
export const rawFrom =
  (server: ReturnType<typeof useSqs>['server']) =>
  // oxlint-disable-next-line typescript/no-explicit-any
  async (url: string, count: number): Promise<Record<string, any>[]> => {
    const messages = []
    while (messages.length < count) {
      const { Messages = [] } = await server().call('ReceiveMessage', {
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      })
      messages.push(...Messages)
    }
    return messages
  }

export const keysIn = (deliveries: readonly Delivery[]): string[] =>
  deliveries.map(({ body }) => String(body))

/** A message as an external sender sends it. */
export const externalMessage = (key: string, group?: string) => ({
  MessageId: `id of ${key}`,
  ReceiptHandle: `handle of ${key}`,
  Body: key,
  MD5OfBody: md5(key),
  Attributes: { ApproximateReceiveCount: '1', ...(group === undefined ? {} : { MessageGroupId: group }) },
})

export const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
