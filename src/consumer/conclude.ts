/** The verdicts of a batch → counts, dead letters, and what is left for later. */
import type { Code } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import type { LoadInfo } from '../core/load.ts'
import { shortened } from '../core/text.ts'
import { unlessAborted } from '../core/wait.ts'
import { chunkKey } from '../queue/envelope.ts'
import type { Delivery } from '../queue/queue.ts'
import type { LoadProgress } from '../sink/ledger.ts'
import type { BatchVerdict, Sink } from '../sink/sink.ts'
import { referenceIn } from './bodies.ts'
import { DeadLetters, refusedPart } from './dead-letter.ts'
import type { Dead, DecoderOptions } from './decode/decoded.ts'
import type { Entry } from './lanes.ts'
import { type Count, countVerdicts, emptyTally, LoadTally, type Tally } from './tally.ts'

export interface WrittenBatch {
  readonly tally: Tally
  /** Loads that parts of the batch belong to. */
  readonly loads: LoadTally
}

export interface ConcludeOptions extends DecoderOptions {
  readonly sink: Sink
  readonly maxAttempts: number
  readonly onEvent: Listener
  readonly abandon: AbortSignal
}

/** Before a message that another consumer holds is tried again: as long as the sink waited for it. */
const lockedPauseMs = 5_000

type Retrying = <T>(work: () => Promise<T>) => Promise<T>

export class Conclusions {
  readonly #options: ConcludeOptions
  readonly #letters: DeadLetters
  readonly #retrying: Retrying

  /** What it asks of the ledger goes through `retrying`. */
  constructor(options: ConcludeOptions, retrying: Retrying) {
    this.#options = options
    this.#letters = new DeadLetters(options)
    this.#retrying = retrying
  }

  /** `verdicts` are those of all parts of the entries, in their order. */
  async conclude(entries: readonly Entry[], verdicts: readonly BatchVerdict[]): Promise<WrittenBatch> {
    const locked: Delivery[] = []
    const someLocked = verdicts.some(({ kind }) => kind === 'locked')
    const tally: Count = { ...emptyTally }
    const loads = new LoadTally()
    const known = new Map<string, LoadProgress | undefined>()
    let next = 0
    for (const { delivery, decoded } of entries) {
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
        tally.deadMessages++
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
    const given = deliveries.map((delivery) => delivery.settle({ kind: 'release', afterMs: lockedPauseMs }))
    await unlessAborted(Promise.all(given), this.#options.abandon)
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
