/** A message that was taken. Its lease is a token: whoever takes it later has another one. */
import { freeBytes } from '../../core/bytes.ts'
import type { Delivery, Headers, MessageFault, Outcome } from '../queue.ts'
import type { Row } from './rows.ts'

/** What a message needs of its receiver. */
export interface Holder {
  readonly settlements: {
    settle(held: Held, outcome: Outcome): Promise<void>
    extend(held: Held, ms: number): Promise<void>
  }
  /** Called once. */
  settled(held: Held): void
}

export class Held implements Delivery {
  readonly id: number
  readonly lease: number
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
  readonly attempt: number
  readonly bytes: number
  readonly fault: MessageFault | undefined
  readonly #holder: Holder
  #settlement: Promise<void> | undefined
  #isCommitted = false

  constructor(row: Row, lease: number, holder: Holder) {
    this.id = row.id
    this.lease = lease
    this.key = row.key
    this.body = row.body
    this.headers = row.headers
    this.attempt = row.attempt
    this.bytes = row.bytes
    this.fault = row.fault
    this.#holder = holder
  }

  settle(outcome: Outcome): Promise<void> {
    if (this.#isCommitted) freeBytes(this.body)
    return (this.#settlement ??= this.#holder.settlements.settle(this, outcome))
  }

  extend(ms: number): Promise<void> {
    return this.#settlement === undefined ? this.#holder.settlements.extend(this, ms) : Promise.resolve()
  }

  /** It is settled. */
  isOver(outcome: Outcome['kind']): void {
    if (outcome === 'done') freeBytes(this.body)
    this.#holder.settled(this)
  }

  /** A transaction of the sink has settled it. The body is read until `settle` is called. */
  isCommitted(): void {
    this.#isCommitted = true
    this.#settlement = Promise.resolve()
    this.#holder.settled(this)
  }

  /** Settling it has failed, and may be tried again. */
  isOpen(): void {
    this.#settlement = undefined
  }
}
