/** Writes a batch until it has verdicts: tries again, splits, or gives up, as the table of codes says. */
import { codes, LadingError, toLadingError } from '../core/errors.ts'
import { type RetryPolicy, retrying } from '../core/retry.ts'
import { backoff, unlessAborted } from '../core/wait.ts'
import type { RowBuffer } from '../model/writer.ts'
import type { Delivery, Settling } from '../queue/queue.ts'
import type { BatchVerdict, Part } from '../sink/sink.ts'
import { type ConcludeOptions, Conclusions, type WrittenBatch } from './conclude.ts'
import { identityOf, stoppedAt } from './dead-letter.ts'
import { dead } from './decode/decoded.ts'
import { type DecodedBatch, type Entry, type LaneOptions, Lanes } from './lanes.ts'
import { addTally, emptyTally, LoadTally } from './tally.ts'

export interface WriterOptions extends LaneOptions, ConcludeOptions {
  /** For a batch that the database asks to try again. */
  readonly batchRetry: RetryPolicy
  /** For a message that fails alone for a reason that no rule knows. */
  readonly messageRetry: RetryPolicy
  /** How long the database may not be reached before its error is thrown, in milliseconds. */
  readonly unreachableMs: number
  /** Where the transaction of a batch can settle its messages. */
  readonly settling?: Settling | undefined
  /** No more waiting. */
  readonly stop: AbortSignal
}

/**
 * Messages that may fail alone in a row for reasons that no rule knows, before the consumer stops and leaves
 * the rest in the queue.
 */
const mostFailuresInARow = 3

export class BatchWriter {
  readonly #options: WriterOptions
  readonly #lanes: Lanes
  readonly #conclusions: Conclusions
  /** Identities of the messages that failed alone since the last one that did not. */
  readonly #failedInARow = new Set<string>()

  /** Writes what `lanes` decodes. */
  constructor(options: WriterOptions, lanes: Lanes) {
    this.#options = options
    this.#lanes = lanes
    this.#conclusions = new Conclusions(options, (work) => this.#retrying(work))
  }

  async write(batch: DecodedBatch): Promise<WrittenBatch> {
    // Their rows lie among those of the others.
    if (batch.entries.some(({ delivery }) => isOvertaken(delivery))) return this.#writeOneByOne(batch)
    let verdicts: readonly BatchVerdict[]
    try {
      // In an ordered queue those behind one that is given back would overtake it.
      const leaveLocked = batch.entries.every(({ delivery }) => delivery.isCurrent === undefined)
      verdicts = await this.#writeParts(batch.entries, batch.rows, leaveLocked)
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (!mayBeAMessages(error) || this.#options.stop.aborted) throw error
      return this.#writeOneByOne(batch)
    }
    return this.#conclusions.conclude(batch.entries, verdicts)
  }

  async #writeParts(
    entries: readonly Entry[],
    rows: RowBuffer,
    leaveLocked = false,
  ): Promise<readonly BatchVerdict[]> {
    const { pipeline, sink, abandon, batchRetry: policy, settling } = this.#options
    const written = entries.filter(isOfParts)
    const parts = written.flatMap(({ decoded }) => decoded.parts)
    if (parts.length === 0) return []
    if (parts.reduce((sum, part) => sum + part.rows, 0) !== rows.rows)
      // v8 ignore next -- every row is one of a part; without this, a fault of ours would store rows unseen
      throw new LadingError('INTERNAL', 'a batch holds rows that are not its own')
    const settlement = settling?.settlement(written.map(({ delivery }) => delivery.origin ?? delivery))
    const batch = { pipeline, model: this.#lanes.model, parts, rows, leaveLocked, settlement }
    const write = () => sink.write(batch, { signal: abandon })
    const verdicts = await this.#retrying(write, policy)
    this.#failedInARow.clear()
    return verdicts
  }

  #retrying<T>(work: () => Promise<T>, policy?: RetryPolicy): Promise<T> {
    const { stop: signal, onEvent, unreachableMs } = this.#options
    return retrying(work, { signal, onEvent, unreachableMs, policy })
  }

  /**
   * Something in the batch stops the consumer or fails for a reason that no rule knows, or came before its
   * time: each message is tried alone.
   */
  async #writeOneByOne(batch: DecodedBatch): Promise<WrittenBatch> {
    let tally = emptyTally
    const loads = new LoadTally()
    const lane = this.#lanes.spare()
    for (const { delivery } of batch.entries) {
      if (isOvertaken(delivery)) continue
      const { entry, rows } = lane(delivery)
      const written = await this.#writeAlone(entry, rows)
      tally = addTally(tally, written.tally)
      loads.join(written.loads)
    }
    return { tally, loads }
  }

  /** One that fails alone is given back to be tried later, and buried when it has been tried often enough. */
  async #writeAlone(entry: Entry, rows: RowBuffer): Promise<WrittenBatch> {
    const { delivery, decoded } = entry
    if (decoded.kind === 'dead') return this.#conclusions.conclude([entry], [])
    let verdicts: readonly BatchVerdict[]
    try {
      verdicts = await this.#writeParts([entry], rows)
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (!mayBeAMessages(error) || this.#options.stop.aborted) throw error
      if (error.action !== 'split') throw stoppedAt(entry.delivery, decoded.claim, error)
      // One message after the other failing alone, with none in between that does not, is not the messages'
      // fault.
      if (this.#failedInARow.add(`${identityOf(delivery)} ${delivery.key}`).size > mostFailuresInARow)
        throw stoppedAt(delivery, decoded.claim, error)
      if (delivery.attempt < this.#options.messageRetry.attempts) return await this.#giveBack(delivery, error)
      // A database may quote the row, which belongs into the letter and into no log.
      const told = { key: decoded.claim.key ?? delivery.key, detail: codes[error.code].meaning }
      const buried = { ...dead('UNPROCESSABLE', error.message, decoded.claim), told }
      return this.#conclusions.conclude([{ delivery, decoded: buried }], [])
    }
    return this.#conclusions.conclude([entry], verdicts)
  }

  async #giveBack(delivery: Delivery, { code }: LadingError): Promise<WrittenBatch> {
    const { messageRetry, onEvent, abandon } = this.#options
    const afterMs = Math.round(backoff(delivery.attempt - 1, messageRetry.firstMs, messageRetry.mostMs))
    onEvent({
      type: 'waiting',
      code,
      message: `a message failed: ${codes[code].meaning}`,
      attempt: delivery.attempt,
      delayMs: afterMs,
    })
    await unlessAborted(delivery.settle({ kind: 'retry', afterMs, code }), abandon)
    const redelivered = delivery.attempt > 1 ? 1 : 0
    return { tally: { ...emptyTally, messages: 1, redelivered, retried: 1 }, loads: new LoadTally() }
  }
}

type OfParts = Entry & { readonly decoded: { readonly parts: readonly Part[] } }

const isOfParts = (entry: Entry): entry is OfParts => entry.decoded.kind === 'parts'

/** Whether one message of the batch may be what the error is about. */
const mayBeAMessages = ({ action, code }: LadingError): boolean =>
  action === 'split' || code === 'SCHEMA_MISMATCH' || code === 'SINK_REFUSED'

/** Given back meanwhile, because an earlier message of its group was. */
const isOvertaken = (delivery: Delivery): boolean => delivery.isCurrent?.() === false
