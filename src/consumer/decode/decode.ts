/** A message → what it is: a chunk of this pipeline or of another one, or an external message. */
import { LadingError } from '../../core/errors.ts'
import { sha256Of } from '../../core/sha256.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { readEnvelope } from '../../queue/envelope.ts'
import type { Headers } from '../../queue/queue.ts'
import { type Claim, dead, type Decoded, type DecoderOptions, type Foreign, type Message } from './decoded.ts'
import { isDedupKey } from './identity.ts'
import { claimOfChunk, claimOfMessage, PartDecoder } from './parts.ts'

export class Decoder {
  readonly #pipeline: string
  readonly #parts: PartDecoder

  /** Rows are written to `rows`. */
  constructor(options: DecoderOptions, rows: RowBuffer) {
    if (!isDedupKey(options.dedupKey)) {
      throw new LadingError(
        'CONFIG_INVALID',
        `dedupKey is message-id, content or field:NAME, and not ${JSON.stringify(options.dedupKey)}`,
      )
    }
    this.#pipeline = options.pipeline
    this.#parts = new PartDecoder(options, rows)
  }

  /** `isLetter`: the message was a dead letter, so its key is that of the ledger. */
  decode(message: Message, isLetter = false): Decoded {
    const envelope = readEnvelope(message.headers)
    if (envelope === undefined) return this.#parts.message(message, isLetter)
    const other = otherPipelineIn(this.#pipeline, envelope)
    if (other !== undefined) return other
    return 'code' in envelope ? dead(envelope.code, envelope.detail) : this.#parts.chunk(envelope, message)
  }
}

function otherPipelineIn(
  own: string,
  { pipeline }: { readonly pipeline?: string | undefined },
): Foreign | undefined {
  return pipeline === undefined || pipeline === own ? undefined : { kind: 'foreign', pipeline }
}

/**
 * The other pipeline that a chunk belongs to; undefined for one of this pipeline and for external messages.
 */
export const foreignTo = (pipeline: string, headers: Headers): Foreign | undefined =>
  otherPipelineIn(pipeline, readEnvelope(headers) ?? {})

/**
 * The identity that a message claims, without decoding its body; nothing where its header cannot be read, or
 * where its body is not the one that the header states: another message may be that chunk.
 */
export function claimOf(message: Message, options: Pick<DecoderOptions, 'pipeline' | 'dedupKey'>): Claim {
  const envelope = readEnvelope(message.headers)
  if (envelope === undefined) return claimOfMessage(message, options, false)
  if ('code' in envelope || envelope.pipeline !== options.pipeline) return { records: 0 }
  return envelope.sha256 === sha256Of(message.body) ? claimOfChunk(envelope) : { records: 0 }
}
