/** Deliveries → rows of the sink, or what they are instead. */
import { setImmediate } from 'node:timers/promises'
import { LadingError } from '../core/errors.ts'
import { type Model, withNotNull } from '../model/model.ts'
import type { RowBuffer } from '../model/writer.ts'
import type { Delivery } from '../queue/queue.ts'
import type { Sink } from '../sink/sink.ts'
import { stoppedAt } from './dead-letter.ts'
import { claimOf, Decoder } from './decode/decode.ts'
import { dead, type Decoded, type DecoderOptions, type Foreign } from './decode/decoded.ts'

export interface LaneOptions extends DecoderOptions {
  readonly sink: Sink
  readonly maxAttempts: number
  /** Keys of messages that become dead letters without being tried. */
  readonly setAside: ReadonlySet<string>
}

export interface Entry {
  readonly delivery: Delivery
  readonly decoded: Exclude<Decoded, Foreign>
}

export interface DecodedBatch {
  readonly entries: readonly Entry[]
  readonly rows: RowBuffer
}

/** Bytes that are decoded at one go: some milliseconds of work. */
const pauseBytes = 256 * 1024

interface Lane {
  readonly rows: RowBuffer
  readonly decoder: Decoder
}

export class Lanes {
  #options: LaneOptions
  /** Two: the rows of one are written while the next batch is decoded into the other. */
  #lanes: readonly Lane[]
  #turn = 0

  constructor(options: LaneOptions) {
    this.#options = options
    this.#lanes = [this.#newLane(), this.#newLane()]
  }

  get model(): Model {
    return this.#options.model
  }

  /**
   * To be called before anything is decoded: refuses NULL in columns in which the table does, which would
   * cost a search for each such row.
   */
  refuseNull(columns: readonly string[]): void {
    this.#options = { ...this.#options, model: withNotNull(this.#options.model, columns) }
    this.#lanes = [this.#newLane(), this.#newLane()]
  }

  #newLane(): Lane {
    const rows = this.#options.sink.rows(this.#options.model)
    return { rows, decoder: new Decoder(this.#options, rows) }
  }

  /** Pauses now and then, so that the database's answers about the batch before are heard meanwhile. */
  async decode(deliveries: readonly Delivery[]): Promise<DecodedBatch> {
    const lane = this.#lanes[this.#turn++ % 2] as Lane
    lane.rows.clear()
    const entries: Entry[] = []
    let bytes = 0
    for (const delivery of deliveries) {
      entries.push(this.#entryOf(delivery, lane))
      bytes += delivery.body.length
      if (bytes < pauseBytes) continue
      bytes = 0
      await setImmediate()
    }
    return { entries, rows: lane.rows }
  }

  /**
   * Decodes single messages, into a lane of their own while the others are in use. The rows of one are gone
   * when the next is decoded.
   */
  spare(): (delivery: Delivery) => { readonly entry: Entry; readonly rows: RowBuffer } {
    const lane = this.#newLane()
    return (delivery) => {
      lane.rows.clear()
      return { entry: this.#entryOf(delivery, lane), rows: lane.rows }
    }
  }

  #entryOf(delivery: Delivery, lane: Lane): Entry {
    const decoded = this.#verdictOf(delivery, lane)
    if (decoded.kind === 'foreign')
      // v8 ignore next -- the intake leaves these in the queue
      throw new LadingError('INTERNAL', `a message of pipeline ${decoded.pipeline} was not left to it`)
    return { delivery, decoded }
  }

  #verdictOf(delivery: Delivery, { decoder }: Lane): Decoded {
    const { maxAttempts } = this.#options
    const aside = this.#setAside(delivery)
    if (aside !== undefined) return aside
    // It claims nothing: without its bytes, anything may say that it is a chunk.
    if (delivery.fault !== undefined) return dead(delivery.fault.code, delivery.fault.detail)
    if (delivery.attempt <= maxAttempts) return this.#decode(delivery, decoder)
    // Not decoded any more: decoding may be what crashes the consumer.
    const detail = `delivered ${delivery.attempt} times without a verdict`
    return dead('ATTEMPTS_EXHAUSTED', detail, claimOf(delivery, this.#options))
  }

  #decode(delivery: Delivery, decoder: Decoder): Decoded {
    try {
      return decoder.decode(delivery)
    } catch (error) {
      const isHooks = error instanceof LadingError && error.code === 'HOOK_FAILED'
      throw isHooks ? stoppedAt(delivery, claimOf(delivery, this.#options), error) : error
    }
  }

  #setAside(delivery: Delivery): Decoded | undefined {
    const { setAside } = this.#options
    if (setAside.size === 0) return undefined
    const claim = claimOf(delivery, this.#options)
    if (!setAside.has(delivery.key) && (claim.key === undefined || !setAside.has(claim.key))) return undefined
    return dead('SET_ASIDE', 'it was named with --set-aside', claim)
  }
}
