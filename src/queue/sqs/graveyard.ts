/** The dead-letter queue of a queue's redrive policy, where there is one. */
import type { Message } from '@aws-sdk/client-sqs'
import { LadingError } from '../../core/errors.ts'
import { sha256Of } from '../../core/sha256.ts'
import type { Abortable } from '../../core/wait.ts'
import type { Outcome } from '../queue.ts'
import { type Address, siblingUrl } from './address.ts'
import { answered, mostEntries, type Patience } from './batch.ts'
import { entryError } from './errors.ts'
import { ascii, type Entry } from './message.ts'
import type { Service } from './service.ts'

type Dead = Extract<Outcome, { readonly kind: 'dead' }>

/** Why a message is there, in an attribute; SQS takes ten. */
const reasonAttribute = 'lading-dead'

export class Graveyard {
  readonly url: string
  /** Deliveries after which SQS itself moves a message. */
  readonly maxReceiveCount: number
  readonly #service: Service

  private constructor(service: Service, url: string, maxReceiveCount: number) {
    this.#service = service
    this.url = url
    this.maxReceiveCount = maxReceiveCount
  }

  /** Of a redrive policy, as the queue's attribute has it. */
  static of(service: Service, address: Address, policy: string | undefined): Graveyard | undefined {
    if (!policy) return undefined
    const { deadLetterTargetArn = '', maxReceiveCount } = JSON.parse(policy) as {
      deadLetterTargetArn?: string
      maxReceiveCount?: unknown
    }
    const url = siblingUrl(address, deadLetterTargetArn)
    return url === undefined ? undefined : new Graveyard(service, url, Number(maxReceiveCount))
  }

  /** Sends a copy; false where we may not. */
  async bury(message: Message, { code, detail }: Dead, patience: Patience): Promise<boolean> {
    const entry = copyOf(message, `${code}: ${detail}`)
    try {
      const input = { QueueUrl: this.url, Entries: [{ ...entry, Id: '0' }] }
      const call = () =>
        this.#service.call((sqs, options) => sqs.sendMessageBatch(input, options), {
          signal: patience.giveUp,
        })
      const [refusal] = await answered([entry], call, patience)
      if (refusal !== undefined) throw entryError(refusal.code, refusal.message, this.#service.where)
      return true
    } catch (error) {
      if (error instanceof LadingError && error.action === 'halt') return false
      throw error
    }
  }

  /** 0 where we may not know. */
  async count(waiting: Abortable): Promise<number> {
    try {
      const input = { QueueUrl: this.url, AttributeNames: ['All' as const] }
      const { Attributes = {} } = await this.#service.call(
        (sqs, options) => sqs.getQueueAttributes(input, options),
        waiting,
      )
      return countIn(
        Attributes,
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible',
      )
    } catch (error) {
      if (error instanceof LadingError && error.action === 'halt') return 0
      throw error
    }
  }
}

export const countIn = (attributes: Readonly<Record<string, string>>, ...names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (Number(attributes[name]) || 0), 0)

/** The same bytes and attributes. */
function copyOf(
  { Body = '', MessageId = '', MessageAttributes = {}, Attributes = {} }: Message,
  reason: string,
): Entry {
  const { MessageGroupId } = Attributes
  const hasRoom = Object.keys(MessageAttributes).length < mostEntries
  const attribute = { DataType: 'String', StringValue: ascii(reason.slice(0, 256)) }
  return {
    MessageBody: Body,
    MessageAttributes: { ...MessageAttributes, ...(hasRoom ? { [reasonAttribute]: attribute } : {}) },
    ...(MessageGroupId === undefined ? {} : { MessageGroupId, MessageDeduplicationId: sha256Of(MessageId) }),
  }
}
