/** A message → what it is: a chunk of ours, a chunk of another pipeline, or records of somebody else's. */
import { codes, LadingError } from '../../core/errors.ts'
import { sha256Of } from '../../core/sha256.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { pipelineOf, readEnvelope } from '../../queue/envelope.ts'
import type { Headers } from '../../queue/queue.ts'
import { ChunkDecoder, claimOfChunk } from './chunk.ts'
import { type Claim, dead, type Decoded, type DecoderOptions, type Foreign, type Message } from './decoded.ts'
import { isDedupKey } from './identity.ts'
import { claimOfMessage, MessageDecoder } from './message.ts'

export class Decoder {
  readonly #pipeline: string
  readonly #chunks: ChunkDecoder
  readonly #messages: MessageDecoder

  /** Rows are written to `rows`. */
  constructor(options: DecoderOptions, rows: RowBuffer) {
    if (!isDedupKey(options.dedupKey)) {
      throw new LadingError(
        'CONFIG_INVALID',
        `dedupKey is message-id, content or field:NAME, and not ${JSON.stringify(options.dedupKey)}`,
      )
    }
    this.#pipeline = options.pipeline
    this.#chunks = new ChunkDecoder(options, rows)
    this.#messages = new MessageDecoder(options, rows)
  }

  /** `replays` is the dead letter that the message is. */
  decode(message: Message, replays?: number): Decoded {
    try {
      const envelope = readEnvelope(message.headers)
      if (envelope === undefined) return this.#messages.decode(message, replays)
      if (envelope.pipeline !== this.#pipeline) return { kind: 'foreign', pipeline: envelope.pipeline }
      return this.#chunks.decode(envelope, message, replays)
    } catch (error) {
      if (!(error instanceof LadingError) || codes[error.code].action !== 'dead') throw error
      return foreignTo(this.#pipeline, message.headers) ?? dead(error.code, error.message)
    }
  }
}

/** Whose the message is, where it is a chunk of another pipeline. */
export function foreignTo(pipeline: string, headers: Headers): Foreign | undefined {
  const theirs = pipelineOf(headers)
  return theirs === undefined || theirs === pipeline ? undefined : { kind: 'foreign', pipeline: theirs }
}

/**
 * What a message says of itself, without decoding its body; nothing where it cannot be read, or where another
 * message may be the chunk that it claims to be.
 */
export function claimOf(message: Message, options: Pick<DecoderOptions, 'pipeline' | 'dedupKey'>): Claim {
  try {
    const envelope = readEnvelope(message.headers)
    if (envelope === undefined) return claimOfMessage(message, options, false)
    if (envelope.pipeline === options.pipeline && envelope.sha256 === sha256Of(message.body))
      return claimOfChunk(envelope)
  } catch {
    // Then it claims nothing that could be believed.
  }
  return { records: 0 }
}
