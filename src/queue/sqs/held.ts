/**
 * A message that was received. It is held until its visibility timeout is over, by this process's clock, and
 * never for more than 12 hours.
 */
import type { Message } from '@aws-sdk/client-sqs'
import type { Delivery, Headers, MessageFault, Outcome } from '../queue.ts'
import type { Read } from './message.ts'
import { mostVisibilitySeconds, type Settlements } from './settlements.ts'

/** Before the 12 hours are over, so that no call comes too late. */
const marginSeconds = 60

/** What a message needs of its receiver. */
export interface Holder {
  readonly leaseMs: number
  readonly settlements: Settlements
  /** Those of its group that were received after it, the last one first. */
  behind(held: Held): readonly Held[]
  /** Called once. */
  settled(held: Held): void
}

export class Held implements Delivery {
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
  readonly attempt: number
  readonly weight: number
  readonly fault: MessageFault | undefined
  /** Undefined in a queue that keeps no order. */
  readonly group: string | undefined
  readonly #handle: string
  readonly #holder: Holder
  readonly #receivedAt: number
  /** When the lease is lost, unless it is extended. */
  #leaseEnd: number
  #settlement: Promise<void> | undefined
  #isStopped = false
  /** Two changes of one message on their way at once arrive in any order. */
  #extension: Promise<unknown> = Promise.resolve()

  constructor(
    { ReceiptHandle = '', Attributes }: Message,
    { key, body, headers, weight, fault }: Read,
    receivedAt: number,
    isFifo: boolean,
    holder: Holder,
  ) {
    this.key = key
    this.body = body
    this.headers = headers
    this.weight = weight
    this.fault = fault
    this.attempt = Math.max(1, Number(Attributes?.ApproximateReceiveCount) || 1)
    this.group = isFifo ? Attributes?.MessageGroupId : undefined
    this.#handle = ReceiptHandle
    this.#holder = holder
    this.#receivedAt = receivedAt
    this.#leaseEnd = receivedAt + holder.leaseMs
  }

  get isLost(): boolean {
    return performance.now() >= this.#leaseEnd
  }

  isCurrent(): boolean {
    return !this.#isStopped
  }

  settle(outcome: Outcome): Promise<void> {
    return (this.#settlement ??= this.#settle(outcome).then(
      () => this.#holder.settled(this),
      (error: unknown) => {
        this.#settlement = undefined
        throw error
      },
    ))
  }

  async #settle(outcome: Outcome): Promise<void> {
    if (outcome.kind === 'done') await this.#holder.settlements.delete(this.#handle)
    else await this.#giveBack(outcome.afterMs ?? 0)
  }

  async extend(ms: number): Promise<void> {
    if (this.#settlement !== undefined) return
    const extension = this.#hide(ms)
    this.#extension = extension.catch(() => undefined)
    await extension
  }

  /** Those behind it go first, so that it is in front of them when it can be had again. */
  async #giveBack(afterMs: number): Promise<void> {
    const behind = this.#holder.behind(this).map((each) => each.stop())
    await this.#extension
    await Promise.all([...behind, this.#hide(afterMs)])
  }

  /** Gives it back, because one in front of it was. Settling it has no effect any more. */
  async stop(): Promise<void> {
    if (this.#settlement !== undefined) return
    this.#isStopped = true
    const settled = () => this.#holder.settled(this)
    // It comes again when its time is over, at the latest.
    this.#settlement = this.#extension.then(() => this.#hide(0)).then(settled, settled)
    await this.#settlement
  }

  /** False if the lease is lost. */
  async #hide(ms: number): Promise<boolean> {
    const now = performance.now()
    if (now >= this.#leaseEnd) return false
    const left = mostVisibilitySeconds - marginSeconds - Math.ceil((now - this.#receivedAt) / 1000)
    const seconds = Math.min(Math.ceil(ms / 1000), left)
    if (seconds < 0) return false
    const isOurs = await this.#holder.settlements.hide(this.#handle, seconds)
    this.#leaseEnd = isOurs ? now + seconds * 1000 : now
    return isOurs
  }
}
