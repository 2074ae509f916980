/** Writes a batch until it has a verdict: tries again, splits, buries, or gives up, as the table of codes says. */
import { setImmediate } from 'node:timers/promises'
import { LadingError, toLadingError } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import type { Model } from '../model/model.ts'
import type { RowBuffer } from '../model/writer.ts'
import type { Delivery } from '../queue/queue.ts'
import type { Part, Sink, Verdict } from '../sink/sink.ts'
import { ChunkDecoder, type Claim, claimOf, type Decoded, type Foreign, foreignTo, sha256Of } from './chunk.ts'
import { retrying } from './retry.ts'

export interface WriterOptions {
  readonly pipeline: string
  readonly model: Model
  readonly sink: Sink
  readonly ignoreExtra: boolean
  readonly maxAttempts: number
  readonly onEvent: Listener
  /** No more waiting. */
  readonly stop: AbortSignal
  /** Give up the transaction. */
  readonly abandon: AbortSignal
}

/** What became of the messages of a batch or of a whole run. */
export interface Tally {
  readonly messages: number
  /** Messages that had been delivered before. */
  readonly redelivered: number
  /** Messages that had taken effect before. */
  readonly duplicates: number
  readonly dead: number
  readonly records: number
  readonly loaded: number
  readonly rejected: number
  readonly skipped: number
}

export const emptyTally: Tally = { messages: 0, redelivered: 0, duplicates: 0, dead: 0, records: 0, loaded: 0, rejected: 0, skipped: 0 }

/** Messages that may be buried in a row for reasons that no rule knows, before the consumer stops and leaves the rest in the queue. */
const mostFailuresInARow = 3

/** Characters of a key that an index takes with room to spare: PostgreSQL's limit is 2704 bytes. */
const mostKeyLength = 600

/** Decoded at one go: some milliseconds of work. */
const pauseBytes = 256 * 1024

interface Lane {
  readonly rows: RowBuffer
  readonly decoder: ChunkDecoder
}

interface Entry {
  readonly delivery: Delivery
  readonly decoded: Exclude<Decoded, Foreign>
}

export interface ForeignDelivery {
  readonly delivery: Delivery
  /** Whose it is. */
  readonly pipeline: string
}

export interface DecodedBatch {
  readonly entries: readonly Entry[]
  readonly rows: RowBuffer
}

export interface WrittenBatch {
  readonly tally: Tally
  /** Loads that parts of the batch belong to. */
  readonly loads: ReadonlySet<string>
}

export class BatchWriter {
  readonly #options: WriterOptions
  /** Two: the rows of one are written while the next batch is decoded into the other. */
  readonly #lanes: readonly Lane[]
  #turn = 0
  /** Messages that failed alone since the last one that did not. */
  #failedInARow = 0

  constructor(options: WriterOptions) {
    this.#options = options
    this.#lanes = [this.#newLane(), this.#newLane()]
  }

  #newLane(): Lane {
    const rows = this.#options.sink.rows(this.#options.model)
    return { rows, decoder: new ChunkDecoder(this.#options, rows) }
  }

  /** Pauses now and then, because the batch before is being written meanwhile and the database's answers want to be heard. */
  async decode(deliveries: readonly Delivery[]): Promise<DecodedBatch & { readonly foreign: readonly ForeignDelivery[] }> {
    const lane = this.#lanes[this.#turn++ % 2] as Lane
    lane.rows.clear()
    const entries: Entry[] = []
    const foreign: ForeignDelivery[] = []
    let bytes = 0
    for (const delivery of deliveries) {
      const decoded = this.#decodeOne(delivery, lane)
      if (decoded.kind === 'foreign') foreign.push({ delivery, pipeline: decoded.pipeline })
      else entries.push({ delivery, decoded })
      bytes += delivery.body.length
      if (bytes < pauseBytes) continue
      bytes = 0
      await setImmediate()
    }
    return { entries, rows: lane.rows, foreign }
  }

  #decodeOne(delivery: Delivery, { decoder }: Lane): Decoded {
    const { pipeline, maxAttempts } = this.#options
    if (delivery.attempt <= maxAttempts) return decoder.decode(delivery)
    // Not decoded any more: decoding it may be what kills us.
    const detail = `delivered ${delivery.attempt} times without a verdict`
    return foreignTo(pipeline, delivery.headers) ?? { kind: 'dead', code: 'ATTEMPTS_EXHAUSTED', detail, ...claimOf(delivery, pipeline) }
  }

  async write(batch: DecodedBatch): Promise<WrittenBatch> {
    const parts = batch.entries.flatMap(({ decoded }) => (decoded.kind === 'part' ? [decoded.part] : []))
    let verdicts: readonly Verdict[]
    try {
      verdicts = parts.length === 0 ? [] : await this.#writeParts(parts, batch.rows)
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (error.action !== 'split' || this.#options.stop.aborted) throw error
      return this.#writeOneByOne(batch)
    }
    return this.#conclude(batch, verdicts)
  }

  async #writeParts(parts: readonly Part[], rows: RowBuffer): Promise<readonly Verdict[]> {
    const { pipeline, model, sink, stop, abandon, onEvent } = this.#options
    const verdicts = await retrying(() => sink.write({ pipeline, model, parts, rows }, { signal: abandon }), { signal: stop, onEvent })
    this.#failedInARow = 0
    return verdicts
  }

  /** Something in the batch fails for a reason that no rule knows: each message is tried alone, and one that fails alone is buried. */
  async #writeOneByOne(batch: DecodedBatch): Promise<WrittenBatch> {
    let tally = emptyTally
    const loads = new Set<string>()
    const lane = this.#newLane()
    for (const { delivery } of batch.entries) {
      lane.rows.clear()
      const decoded = this.#decodeOne(delivery, lane)
      if (decoded.kind === 'foreign') throw new LadingError('INTERNAL', 'a message changed its pipeline')
      const written = await this.#writeAlone({ delivery, decoded }, lane.rows)
      tally = addTally(tally, written.tally)
      for (const id of written.loads) loads.add(id)
    }
    return { tally, loads }
  }

  async #writeAlone(entry: Entry, rows: RowBuffer): Promise<WrittenBatch> {
    const { delivery, decoded } = entry
    if (decoded.kind === 'dead') return this.#conclude({ entries: [entry], rows }, [])
    let verdicts: readonly Verdict[]
    try {
      verdicts = await this.#writeParts([decoded.part], rows)
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (error.action !== 'split' || this.#options.stop.aborted) throw error
      // One message after the other failing alone, with none in between that does not, is not the messages' fault.
      if (++this.#failedInARow > mostFailuresInARow) throw error
      const { key, load, records } = decoded.part
      const dead = { kind: 'dead', code: 'UNPROCESSABLE', detail: error.message, key, load, records } as const
      return this.#conclude({ entries: [{ delivery, decoded: dead }], rows }, [])
    }
    return this.#conclude({ entries: [entry], rows }, verdicts)
  }

  /** Buries what is dead, and counts. */
  async #conclude(batch: DecodedBatch, verdicts: readonly Verdict[]): Promise<WrittenBatch> {
    let tally = emptyTally
    const loads = new Set<string>()
    let next = 0
    for (const { delivery, decoded } of batch.entries) {
      const seen = { messages: 1, redelivered: delivery.attempt > 1 ? 1 : 0 }
      if (decoded.kind === 'dead') {
        await this.#bury(delivery, decoded)
        tally = addTally(tally, { ...seen, dead: 1 })
        continue
      }
      const verdict = verdicts[next++] as Verdict
      if (decoded.part.load !== undefined) loads.add(decoded.part.load.id)
      tally = addTally(tally, { ...seen, ...(await this.#countVerdict(delivery, decoded.part, verdict)) })
    }
    return { tally, loads }
  }

  async #countVerdict(delivery: Delivery, part: Part, verdict: Verdict): Promise<Partial<Tally>> {
    switch (verdict.kind) {
      case 'applied': {
        const { loaded, rejected, skipped } = verdict
        return { records: part.records, loaded, rejected, skipped }
      }
      case 'duplicate':
        return { duplicates: 1 }
      case 'refused':
        // Without its load: the verdict of the chunk that took effect under this key stands.
        await this.#bury(delivery, { kind: 'dead', code: verdict.code, detail: verdict.detail, records: 0 })
        return { dead: 1 }
    }
  }

  async #bury(delivery: Delivery, decoded: Decoded & { readonly kind: 'dead' }): Promise<void> {
    const { pipeline, sink, stop, abandon, onEvent } = this.#options
    const { body, headers, attempt } = delivery
    const { code, detail } = decoded
    const letter = { pipeline, sha256: sha256Of(body), headers, body, attempts: attempt, code, detail, ...storableClaim(delivery, decoded) }
    await retrying(() => sink.ledger.bury(letter, { signal: abandon }), { signal: stop, onEvent })
    onEvent({ type: 'dead', key: letter.key, code, detail })
  }
}

/** A letter that no database takes could never be buried, so a text that none takes is written as JSON, and a load of such a name is not believed. */
function storableClaim(delivery: Delivery, { key = delivery.key, load, records }: Claim): Claim & { readonly key: string } {
  const isText = (text: string) => text.isWellFormed() && !text.includes('\0')
  if (load !== undefined && !isText(load.source)) return storableClaim(delivery, { records: 0 })
  if (!isText(key)) return { key: JSON.stringify(key), load, records }
  // No index takes a longer key; its beginning is for people, its hash keeps it apart from others.
  const short = key.length <= mostKeyLength ? key : `${key.slice(0, 200)}…${sha256Of(Buffer.from(key))}`
  return { key: short.toWellFormed(), load, records }
}

export function addTally(a: Tally, b: Partial<Tally>): Tally {
  const sum = (name: keyof Tally) => a[name] + (b[name] ?? 0)
  return {
    messages: sum('messages'),
    redelivered: sum('redelivered'),
    duplicates: sum('duplicates'),
    dead: sum('dead'),
    records: sum('records'),
    loaded: sum('loaded'),
    rejected: sum('rejected'),
    skipped: sum('skipped'),
  }
}
