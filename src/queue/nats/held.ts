/**
 * A message that was received. It is held for the time that the server leaves it to us, by this process's clock;
 * what was sent later would be taken for its new holder's.
 */
import type { Delivery, Headers, Outcome } from '../queue.ts'
import type { Read } from './message.ts'
import type { Settlements } from './settlements.ts'

/** The server's clock of a lease begins before ours. */
const marginShare = 0.1
const mostMarginMs = 1_000

const acknowledgement = '+ACK'
const inProgress = '+WPI'
const again = '-NAK'

/** What a message needs of its receiver. */
export interface Holder {
  readonly leaseMs: number
  readonly settlements: Settlements
  /** Called once. */
  settled(held: Held): void
}

export class Held implements Delivery {
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
  readonly attempt: number
  readonly weight: number
  readonly #subject: string
  readonly #holder: Holder
  /** When the lease is lost, unless it is renewed. */
  #leaseEnd: number
  /** Until when it is renewed. */
  #until = 0
  #renewal: NodeJS.Timeout | undefined
  #settlement: Promise<void> | undefined

  constructor({ key, body, headers, weight }: Read, attempt: number, subject: string, holder: Holder) {
    this.key = key
    this.body = body
    this.headers = headers
    this.weight = weight
    this.attempt = attempt
    this.#subject = subject
    this.#holder = holder
    this.#leaseEnd = this.#leaseFromNow()
  }

  get isLost(): boolean {
    return performance.now() >= this.#leaseEnd
  }

  settle(outcome: Outcome): Promise<void> {
    return (this.#settlement ??= this.#settle(outcome))
  }

  /** No promise of its own, because there are thousands of messages at once. */
  #settle(outcome: Outcome): Promise<void> {
    clearTimeout(this.#renewal)
    this.#holder.settled(this)
    if (this.isLost) return Promise.resolve()
    return this.#holder.settlements.send(this.#subject, payloadOf(outcome))
  }

  async extend(ms: number): Promise<void> {
    if (this.#settlement !== undefined || this.isLost) return
    this.#until = performance.now() + ms
    await this.#renew()
  }

  /** The server renews by the same time always, so a longer one takes several. */
  async #renew(): Promise<void> {
    clearTimeout(this.#renewal)
    if (this.#settlement !== undefined || this.isLost) return
    this.#leaseEnd = this.#leaseFromNow()
    const { leaseMs, settlements } = this.#holder
    if (this.#until > this.#leaseEnd + leaseMs * marginShare)
      this.#renewal = setTimeout(() => void this.#renew().catch(() => undefined), leaseMs / 3).unref()
    await settlements.send(this.#subject, inProgress)
  }

  #leaseFromNow(): number {
    const { leaseMs } = this.#holder
    return performance.now() + leaseMs - Math.min(leaseMs * marginShare, mostMarginMs)
  }
}

function payloadOf(outcome: Outcome): string {
  if (outcome.kind === 'done') return acknowledgement
  const { afterMs = 0 } = outcome
  return afterMs > 0 ? `${again} ${JSON.stringify({ delay: Math.ceil(afterMs) * 1_000_000 })}` : again
}
