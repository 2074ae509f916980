/** The dead-letter queue of a queue's redrive policy, if it has one. */
import { LadingError } from '../../core/errors.ts'
import type { Abortable } from '../../core/wait.ts'
import { type Address, siblingUrl } from './address.ts'
import type { Service } from './service.ts'

export class DeadLetterQueue {
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
  static of(service: Service, address: Address, policy: string | undefined): DeadLetterQueue | undefined {
    if (!policy) return undefined
    const { deadLetterTargetArn = '', maxReceiveCount } = JSON.parse(policy) as {
      deadLetterTargetArn?: string
      maxReceiveCount?: unknown
    }
    const url = siblingUrl(address, deadLetterTargetArn)
    return url === undefined ? undefined : new DeadLetterQueue(service, url, Number(maxReceiveCount))
  }

  /** Messages in it; 0 if its permissions do not let us count them. */
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
