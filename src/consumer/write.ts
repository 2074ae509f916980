/**
 * Writes a batch until it has a verdict: tries again, splits, buries, or gives up, as the table of codes
 * says.
 */
import { setImmediate } from 'node:timers/promises'
import { type Code, codes, LadingError, toLadingError } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import type { LoadInfo } from '../core/load.ts'
import { backoff } from '../core/wait.ts'
import { type Model, withNotNull } from '../model/model.ts'
import type { RowBuffer } from '../model/writer.ts'
import { chunkKey } from '../queue/envelope.ts'
import type { Delivery } from '../queue/queue.ts'
import type { BatchVerdict, LoadProgress, Part, Sink } from '../sink/sink.ts'
import { DeadLetters, identityOf, refusedPart, stoppedAt } from './dead-letter.ts'
import { claimOf, Decoder } from './decode/decode.ts'
import { type Dead, dead, type Decoded, type Foreign } from './decode/decoded.ts'
import type { DedupKey } from './decode/identity.ts'
import { referenceIn } from './bodies.ts'
import { type RetryPolicy, retrying } from '../core/retry.ts'
import { shortened } from '../core/text.ts'
import { addTally, type Count, countVerdicts, emptyTally, LoadTally, type Tally } from './tally.ts'

export interface WriterOptions {
  readonly pipeline: string
  readonly model: Model
  readonly sink: Sink
  readonly ignoreExtra: boolean
  readonly dedupKey: DedupKey
  readonly maxAttempts: number
  /** Keys of messages that become dead letters without being tried. */
  readonly setAside: ReadonlySet<string>
  /** For a batch that the database asks to try again. */
  readonly batchRetry: RetryPolicy
  /** For a message that fails alone for a reason that no rule knows. */
  readonly messageRetry: RetryPolicy
  /**
   * How long the database may not be reached, in milliseconds, before its error is thrown instead of waited
   * for.
   */
  readonly unreachableMs: number
  readonly onEvent: Listener
  /** No more waiting. */
  readonly stop: AbortSignal
  /** Give up the transaction. */
  readonly abandon: AbortSignal
}

/**
 * Messages that may fail alone in a row for reasons that no rule knows, before the consumer stops and leaves
 * the rest in the queue.
 */
const mostFailuresInARow = 3

/** Before a message that another consumer holds is tried again: as long as the sink waited for it. */
const lockedPauseMs = 5_000

/** Decoded at one go: some milliseconds of work. */
const pauseBytes = 256 * 1024

interface Lane {
  readonly rows: RowBuffer
  readonly decoder: Decoder
}

interface Entry {
  readonly delivery: Delivery
  readonly decoded: Exclude<Decoded, Foreign>
}

export interface DecodedBatch {
  readonly entries: readonly Entry[]
  readonly rows: RowBuffer
}

export interface WrittenBatch {
  readonly tally: Tally
  /** Loads that parts of the batch belong to. */
  readonly loads: LoadTally
}

export class BatchWriter {
  #options: WriterOptions
  readonly #letters: DeadLetters
  /** Two: the rows of one are written while the next batch is decoded into the other. */
  #lanes: readonly Lane[]
  #turn = 0
  /** Identities of the messages that failed alone since the last one that did not. */
  readonly #failedInARow = new Set<string>()

  constructor(options: WriterOptions) {
    this.#options = options
    this.#letters = new DeadLetters(options)
    this.#lanes = [this.#newLane(), this.#newLane()]
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

  /**
   * Pauses now and then, because the batch before is being written meanwhile and the database's answers want
   * to be heard.
   */
  async decode(deliveries: readonly Delivery[]): Promise<DecodedBatch> {
    const lane = this.#lanes[this.#turn++ % 2] as Lane
    lane.rows.clear()
    const entries: Entry[] = []
    let bytes = 0
    for (const delivery of deliveries) {
      entries.push({ delivery, decoded: this.#decodeOne(delivery, lane) })
      bytes += delivery.body.length
      if (bytes < pauseBytes) continue
      bytes = 0
      await setImmediate()
    }
    return { entries, rows: lane.rows }
  }

  #decodeOne(delivery: Delivery, lane: Lane): Entry['decoded'] {
    const decoded = this.#verdictOf(delivery, lane)
    if (decoded.kind === 'foreign')
      throw new LadingError('INTERNAL', `a message of pipeline ${decoded.pipeline} was not left to it`)
    return decoded
  }

  #verdictOf(delivery: Delivery, { decoder }: Lane): Decoded {
    const { maxAttempts } = this.#options
    const aside = this.#setAside(delivery)
    if (aside !== undefined) return aside
    // It claims nothing: without its bytes, anything may say that it is a chunk.
    if (delivery.fault !== undefined) return dead(delivery.fault.code, delivery.fault.detail)
    if (delivery.attempt <= maxAttempts) return decoder.decode(delivery)
    // Not decoded any more: decoding it may be what kills us.
    const detail = `delivered ${delivery.attempt} times without a verdict`
    return dead('ATTEMPTS_EXHAUSTED', detail, claimOf(delivery, this.#options))
  }

  #setAside(delivery: Delivery): Decoded | undefined {
    const { setAside } = this.#options
    if (setAside.size === 0) return undefined
    const claim = claimOf(delivery, this.#options)
    if (!setAside.has(delivery.key) && (claim.key === undefined || !setAside.has(claim.key))) return undefined
    return dead('SET_ASIDE', 'it was named with --set-aside', claim)
  }

  async write(batch: DecodedBatch): Promise<WrittenBatch> {
    // Their rows lie among those of the others.
    if (batch.entries.some(({ delivery }) => isOvertaken(delivery))) return this.#writeOneByOne(batch)
    const parts = batch.entries.flatMap(({ decoded }) => (decoded.kind === 'parts' ? decoded.parts : []))
    let verdicts: readonly BatchVerdict[]
    try {
      // In an ordered queue those behind one that is given back would overtake it.
      const leaveLocked = batch.entries.every(({ delivery }) => delivery.isCurrent === undefined)
      verdicts = parts.length === 0 ? [] : await this.#writeParts(parts, batch.rows, leaveLocked)
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (!mayBeAMessages(error) || this.#options.stop.aborted) throw error
      return this.#writeOneByOne(batch)
    }
    return this.#conclude(batch, verdicts)
  }

  async #writeParts(
    parts: readonly Part[],
    rows: RowBuffer,
    leaveLocked = false,
  ): Promise<readonly BatchVerdict[]> {
    const { pipeline, model, sink, abandon, batchRetry: policy } = this.#options
    if (parts.reduce((sum, part) => sum + part.rows, 0) !== rows.rows)
      throw new LadingError('INTERNAL', 'a batch holds rows that are not its own')
    const write = () => sink.write({ pipeline, model, parts, rows, leaveLocked }, { signal: abandon })
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
    const lane = this.#newLane()
    for (const { delivery } of batch.entries) {
      if (isOvertaken(delivery)) continue
      lane.rows.clear()
      const written = await this.#writeAlone(
        { delivery, decoded: this.#decodeOne(delivery, lane) },
        lane.rows,
      )
      tally = addTally(tally, written.tally)
      loads.join(written.loads)
    }
    return { tally, loads }
  }

  /** One that fails alone is given back to be tried later, and buried when it has been tried often enough. */
  async #writeAlone(entry: Entry, rows: RowBuffer): Promise<WrittenBatch> {
    const { delivery, decoded } = entry
    if (decoded.kind === 'dead') return this.#conclude({ entries: [entry], rows }, [])
    let verdicts: readonly BatchVerdict[]
    try {
      verdicts = await this.#writeParts(decoded.parts, rows)
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
      return this.#conclude({ entries: [{ delivery, decoded: buried }], rows }, [])
    }
    return this.#conclude({ entries: [entry], rows }, verdicts)
  }

  async #giveBack(delivery: Delivery, { code }: LadingError): Promise<WrittenBatch> {
    const { messageRetry, onEvent } = this.#options
    const afterMs = Math.round(backoff(delivery.attempt - 1, messageRetry.firstMs, messageRetry.mostMs))
    onEvent({
      type: 'waiting',
      code,
      message: `a message failed: ${codes[code].meaning}`,
      attempt: delivery.attempt,
      delayMs: afterMs,
    })
    await delivery.settle({ kind: 'retry', afterMs, code })
    const redelivered = delivery.attempt > 1 ? 1 : 0
    return { tally: { ...emptyTally, messages: 1, redelivered, retried: 1 }, loads: new LoadTally() }
  }

  /** Buries what is dead, and counts. */
  async #conclude(batch: DecodedBatch, verdicts: readonly BatchVerdict[]): Promise<WrittenBatch> {
    const locked: Delivery[] = []
    const someLocked = verdicts.some(({ kind }) => kind === 'locked')
    const tally: Count = { ...emptyTally }
    const loads = new LoadTally()
    const known = new Map<string, LoadProgress | undefined>()
    let next = 0
    for (const { delivery, decoded } of batch.entries) {
      tally.messages++
      if (delivery.attempt > 1) tally.redelivered++
      if (decoded.kind === 'parts') {
        const refused = countVerdicts({ tally, loads }, decoded.parts, verdicts, next)
        const end = next + decoded.parts.length
        if (someLocked && verdicts.slice(next, end).some(({ kind }) => kind === 'locked'))
          locked.push(delivery)
        next = end
        for (const [part, verdict] of refused)
          await this.#bury(delivery, refusedPart(decoded.claim, part, verdict))
        continue
      }
      const load = await this.#concludedLoad(delivery, decoded.code, known)
      if (load === undefined) {
        await this.#bury(delivery, decoded)
        tally.dead++
        if (decoded.load !== undefined) loads.add(decoded.load, { dead: decoded.records })
      } else {
        loads.add(load)
        tally.duplicates++
      }
    }
    if (locked.length > 0) await this.#leaveLocked(locked)
    tally.retried += locked.length
    return { tally, loads }
  }

  /**
   * Another consumer has them in a transaction that it does not end; what else they hold has taken effect,
   * which the ledger will say then.
   */
  async #leaveLocked(deliveries: readonly Delivery[]): Promise<void> {
    const count = deliveries.length
    const message = `${count === 1 ? 'a message is' : `${count} messages are`} held by another consumer that does not go on; given back for later`
    this.#options.onEvent({ type: 'waiting', code: 'SINK_BUSY', message, attempt: 1, delayMs: lockedPauseMs })
    await Promise.all(
      deliveries.map((delivery) => delivery.settle({ kind: 'release', afterMs: lockedPauseMs })),
    )
  }

  /**
   * The load of a message that came without the bytes that it refers to, where its chunk has a verdict
   * already: files are cleared away when their load is complete, and a settlement may have been lost before.
   * `known` keeps what the ledger answered.
   */
  async #concludedLoad(
    delivery: Delivery,
    code: Code,
    known: Map<string, LoadProgress | undefined>,
  ): Promise<LoadInfo | undefined> {
    const { pipeline, sink, abandon } = this.#options
    const envelope = referenceIn(delivery)
    if (envelope?.pipeline !== pipeline || code === 'REFERENCE_REFUSED') return undefined
    const { id } = envelope.load
    if (!known.has(id))
      known.set(id, await this.#retrying(() => sink.ledger.progress(id, { signal: abandon })))
    const progress = known.get(id)
    return progress?.complete === true || progress?.keys.has(chunkKey(id, envelope.chunk)) === true
      ? envelope.load
      : undefined
  }

  async #bury(delivery: Delivery, decoded: Dead): Promise<void> {
    const { sink, abandon, onEvent } = this.#options
    const letter = this.#letters.letterOf(delivery, decoded)
    await this.#retrying(() => sink.ledger.bury(letter, { signal: abandon }))
    const { key, detail } = decoded.told ?? { key: letter.key, detail: decoded.detail }
    onEvent({ type: 'dead', key: shortened(key), code: decoded.code, detail: shortened(detail) })
  }
}

/** Whether one message of the batch may be what the error is about. */
const mayBeAMessages = ({ action, code }: LadingError): boolean =>
  action === 'split' || code === 'SCHEMA_MISMATCH' || code === 'SINK_REFUSED'

/** Given back meanwhile, because an earlier message of its group was. */
const isOvertaken = (delivery: Delivery): boolean => delivery.isCurrent?.() === false
