/** A delivery that could not be processed as a whole → the letter that is kept of it. */
import { lf } from '../core/bytes.ts'
import { codes, LadingError } from '../core/errors.ts'
import { sha256Of } from '../core/sha256.ts'
import { readableEnvelope } from '../queue/envelope.ts'
import type { Delivery } from '../queue/queue.ts'
import type { DeadLetter } from '../sink/ledger.ts'
import type { Part, Verdict } from '../sink/sink.ts'
import { type Claim, type Dead, dead, type DecoderOptions } from './decode/decoded.ts'
import { dedupField, isStorableText, storableKey } from './decode/identity.ts'
import { Keeping } from './decode/keeping.ts'
import { withoutMaskedHeader } from './decode/kept-header.ts'
import { referenceIn } from './bodies.ts'

/**
 * After `maxAttempts` plus this many deliveries the body is not parsed any more, not even to mask it: parsing
 * may be what crashes the consumer.
 */
const mostReadings = 20

export class DeadLetters {
  readonly #pipeline: string
  /** Whether each record has a key, so that a masked letter states the key of each. */
  readonly #withRecords: boolean
  readonly #mostReadAttempts: number
  readonly #keeping: Keeping | undefined

  constructor({
    pipeline,
    model,
    dedupKey,
    messages,
    maxAttempts,
  }: DecoderOptions & { readonly maxAttempts: number }) {
    const field = dedupField(dedupKey)
    this.#pipeline = pipeline
    this.#withRecords = field !== undefined
    this.#mostReadAttempts = maxAttempts + mostReadings
    this.#keeping = Keeping.of(model, field, messages)
  }

  letterOf(delivery: Delivery, decoded: Dead): DeadLetter {
    const { code, detail } = decoded
    const sha256 = identityOf(delivery)
    return {
      pipeline: this.#pipeline,
      sha256,
      ...this.#kept(delivery, decoded),
      attempts: delivery.attempt,
      code,
      detail,
    }
  }

  /**
   * Of a chunk no byte is kept where the model masks, so it claims nothing: it stays open, and can be
   * published again.
   */
  #kept(delivery: Delivery, decoded: Dead) {
    const claim = storableClaim(delivery, decoded)
    const { headers, body, attempt } = delivery
    if (this.#keeping === undefined) return { ...claim, headers: withoutMaskedHeader(headers), body }
    const kept = this.#keeping.message(
      { headers, body },
      this.#withRecords,
      attempt <= this.#mostReadAttempts,
    )
    return { ...claim, ...kept, ...(claim.load !== undefined && { load: undefined, records: 0 }) }
  }
}

/** What keeps letters of the same key apart: the bytes, or where there are none, what refers to them. */
export function identityOf(delivery: Delivery): string {
  const envelope = referenceIn(delivery)
  return sha256Of(envelope === undefined ? delivery.body : JSON.stringify(envelope))
}

/** The error that stops a consumer, with the message that it stopped at. */
export function stoppedAt(
  delivery: Delivery,
  { key = delivery.key }: Claim,
  { code, message, cause }: LadingError,
): LadingError {
  return new LadingError(code, `stopped at ${placeOf(delivery, key)}: ${message}`, { cause, stoppedAt: key })
}

function placeOf({ headers, body }: Delivery, key: string): string {
  const envelope = readableEnvelope(headers)
  if (envelope === undefined) return `message ${JSON.stringify(key)}`
  const { load, firstLine } = envelope
  const breaks = body.reduce((count, byte) => (byte === lf ? count + 1 : count), 0)
  const lastLine = firstLine + breaks - (body.at(-1) === lf ? 1 : 0)
  return `chunk ${key} (${load.source}, ${lastLine > firstLine ? `lines ${firstLine} to ${lastLine}` : `line ${firstLine}`})`
}

/**
 * Without its load: the verdict of the chunk that took effect under this key stands. The key of a record is
 * data.
 */
export function refusedPart(
  claim: Claim,
  { key, load, records }: Part,
  { code, detail }: Verdict & { readonly kind: 'refused' },
): Dead {
  const told =
    claim.key === undefined || claim.key === key
      ? undefined
      : { key: claim.key, detail: `of a record: ${codes[code].meaning}` }
  return { ...dead(code, detail, { key, records: load === undefined ? records : 0 }), told }
}

/**
 * A letter that no database takes could never be buried, so a text that none takes is written as JSON, and a
 * load of such a name is not believed.
 */
function storableClaim(
  delivery: Delivery,
  { key = delivery.key, load, records }: Claim,
): Claim & { readonly key: string } {
  if (load !== undefined && !isStorableText(load.source)) return storableClaim(delivery, { records: 0 })
  return { key: storableKey(key), load, records }
}
