/** Settles receipt handles, ten in a call. A handle that has become invalid means that the lease is lost. */
import { answered, Gathered, type Patience, type Refusal } from './batch.ts'
import { entryError } from './errors.ts'
import { changeMessageVisibilityBatch, deleteMessageBatch } from './operations.ts'
import type { Service } from './service.ts'

/** The longest that a message may stay out of sight, counted from its receipt as well as from now. */
export const mostVisibilitySeconds = 43_200

/** A queue that keeps an order calls a handle that has run out an invalid value. */
const stale = /ReceiptHandle|MessageNotInflight|InvalidParameterValue|InvalidIdFormat/

interface Change {
  readonly handle: string
  readonly seconds: number
}

export class Settlements {
  readonly #where: string
  readonly #deletions: Gathered<{ readonly handle: string }>
  readonly #changes: Gathered<Change>

  constructor(service: Service, patience: Patience) {
    const QueueUrl = service.url
    const waiting = { signal: patience.signal }
    this.#where = service.where
    this.#deletions = new Gathered((entries) =>
      answered(
        entries,
        (left) => {
          const Entries = left.map(({ handle }, index) => ({ Id: String(index), ReceiptHandle: handle }))
          return service.move(deleteMessageBatch, { QueueUrl, Entries }, waiting)
        },
        patience,
      ),
    )
    this.#changes = new Gathered((entries) =>
      answered(
        entries,
        (left) => {
          const Entries = left.map((each, index) => ({
            Id: String(index),
            ReceiptHandle: each.handle,
            VisibilityTimeout: each.seconds,
          }))
          return service.move(changeMessageVisibilityBatch, { QueueUrl, Entries }, waiting)
        },
        patience,
      ),
    )
  }

  async delete(handle: string): Promise<void> {
    this.#isOurs(await this.#deletions.add({ handle }))
  }

  /** Hides the message for so long from now, 0 for not at all; false if the lease is lost. */
  async hide(handle: string, seconds: number): Promise<boolean> {
    return this.#isOurs(await this.#changes.add({ handle, seconds }))
  }

  #isOurs(refusal: Refusal<unknown> | undefined): boolean {
    if (refusal === undefined) return true
    if (stale.test(refusal.code)) return false
    throw entryError(refusal.code, refusal.message, this.#where)
  }

  /** Resolves when everything is answered. */
  async idle(): Promise<void> {
    await Promise.all([this.#deletions.idle(), this.#changes.idle()])
  }
}
