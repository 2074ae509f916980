/**
 * What a consumer does for its loads and its table beside the batches. None of it is needed for the promises
 * of the consumer: what cannot be done is left to a later run.
 */
import { toLadingError } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import { retrying } from '../core/retry.ts'
import { type Stopping, unlessAborted } from '../core/wait.ts'
import { hasZones, type Model } from '../model/model.ts'
import type { Sink } from '../sink/sink.ts'
import { zoneWarning } from './zones.ts'

/** Rows at which a table is looked at for the second time: fewer rows of one value cost little. */
const secondLookAt = 50_000
/** Loads whose last chunk may have come are folded when the queue is idle, or when so many have gathered. */
const foldAt = 500
/** Loads that are remembered. One that is forgotten is compared again. */
const mostCompared = 100_000

export interface UpkeepOptions {
  readonly sink: Sink
  readonly model: Model
  readonly stopping: Stopping
  readonly onEvent: Listener
  /** A database that does not answer for so long ends a wait with `SINK_UNAVAILABLE`: the consumer has messages in hand. */
  readonly unreachableMs: number
}

export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #touched = new Set<string>()
  /** Loads whose release of the time-zone data was compared with ours. */
  readonly #compared = new Set<string>()
  /**
   * Records loaded at which the table is looked at next: after the first batch, then more and more seldom.
   */
  #nextLook = 1
  #looking: Promise<void> = Promise.resolve()

  constructor(options: UpkeepOptions) {
    this.#options = options
  }

  /** After a batch with parts of these loads; `loaded` counts the records of the whole run. */
  async after(loadIds: readonly string[], loaded: number): Promise<void> {
    if (loaded >= this.#nextLook) this.#look(loaded)
    if (hasZones(this.#options.model)) await this.#compareZones(loadIds)
    for (const loadId of loadIds) this.#touched.add(loadId)
    if (this.#touched.size >= foldAt) await this.fold()
  }

  /** Completes the receipts of the loads whose last chunk may have come. */
  async fold(unreachableMs = this.#options.unreachableMs): Promise<void> {
    const { sink, stopping } = this.#options
    const ids = [...this.#touched]
    if (ids.length === 0) return
    await this.#try('folding', () => sink.ledger.fold(ids, { signal: stopping.abandon }), unreachableMs)
    for (const id of ids) this.#touched.delete(id)
  }

  /** Resolves when nothing goes on beside the batches any more. */
  async idle(): Promise<void> {
    await unlessAborted(this.#looking, this.#options.stopping.abandon)
  }

  /** Asks, beside the work, what the table costs as it is filled now; reports it once. */
  #look(loaded: number): void {
    const { sink, model, stopping, onEvent } = this.#options
    this.#nextLook = Math.max(secondLookAt, loaded * 4)
    const look = async () => {
      const warnings = (await sink.warnings?.(model, { signal: stopping.abandon })) ?? []
      for (const message of warnings) onEvent({ type: 'warning', message })
      if (warnings.length > 0) this.#nextLook = Number.POSITIVE_INFINITY
    }
    // What keeps the database from answering keeps the next batch from it too, and is reported there.
    this.#looking = this.#looking.then(look).catch(() => undefined)
  }

  /** Once for each load. */
  async #compareZones(loadIds: readonly string[]): Promise<void> {
    const { sink, model, stopping, onEvent } = this.#options
    const ids = loadIds.filter((id) => !this.#compared.has(id))
    if (ids.length === 0) return
    if (this.#compared.size > mostCompared) this.#compared.clear()
    for (const id of ids) this.#compared.add(id)
    const compare = async () => {
      const message = await zoneWarning(sink.ledger, model, ids, { signal: stopping.abandon })
      if (message !== undefined) onEvent({ type: 'warning', message })
    }
    await this.#try('comparing time-zone data', compare)
  }

  async #try(
    what: string,
    work: () => Promise<void>,
    unreachableMs = this.#options.unreachableMs,
  ): Promise<void> {
    const { stopping, onEvent } = this.#options
    await retrying(work, { signal: stopping.stop, onEvent, unreachableMs }).catch((thrown: unknown) => {
      const error = toLadingError(thrown)
      const { code, message } = error
      if (code === 'SINK_UNAVAILABLE' && !stopping.stop.aborted) throw error
      const left = `${what} is left to a later run: ${message}`
      onEvent({ type: 'waiting', code, message: left, attempt: 1, delayMs: 0 })
    })
  }
}
