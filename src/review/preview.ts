/**
 * What a consumer would make of messages, found without a database: each is decoded as a consumer of the same
 * options would decode it. Whether it has taken effect before, and what constraints say, only the database
 * knows.
 *
 * Rows are what the model makes of a record. Of what is refused nothing is quoted, because a refused value
 * may be the very one that the model would have masked.
 */
import { type Code, codes, toLadingError } from '../core/errors.ts'
import type { Reject } from '../core/fault.ts'
import { type InsideOptions, messagesLayout } from '../format/registry.ts'
import { modelOfChanges } from '../model/change.ts'
import { type Model, tableName } from '../model/model.ts'
import type { Value } from '../model/value.ts'
import { ValueWriter } from '../model/value-writer.ts'
import type { RowBuffer } from '../model/writer.ts'
import { readableEnvelope } from '../queue/envelope.ts'
import type { Headers, Peeked } from '../queue/queue.ts'
import { Decoder, foreignTo } from '../consumer/decode/decode.ts'
import type { Decoded } from '../consumer/decode/decoded.ts'
import { type DedupKey, defaultDedupKey } from '../consumer/decode/identity.ts'
import { readBody } from '../consumer/bodies.ts'
import { encodingOf } from '../consumer/encoding.ts'
import { openReferences } from '../source/registry.ts'
import type { References } from '../source/source.ts'

/** As the consumer would have them. */
export interface PreviewOptions extends InsideOptions {
  readonly model: Model
  /** As the consumer's, each of them. */
  readonly pipeline?: string | undefined
  readonly ignoreExtra?: boolean | undefined
  readonly dedupKey?: DedupKey | undefined
  readonly root?: string | undefined
  /** Rows that are shown of each message, and records that are refused. */
  readonly most?: number | undefined
}

/** The Lading chunk that the message says it is. */
export interface PreviewedChunk {
  readonly pipeline: string
  readonly loadId: string
  readonly source: string
  /** 0-based. */
  readonly chunk: number
}

export interface PreviewedReject {
  /** 1-based in its source, as everywhere. */
  readonly record: number
  readonly line: number
  readonly column?: string | undefined
  readonly code: Code
  /** What the code means; never what was found. */
  readonly meaning: string
}

/** What a consumer would make of a message. */
export type Outlook =
  | {
      readonly kind: 'rows'
      readonly records: number
      readonly rejected: number
      /** Left out on purpose. */
      readonly filtered: number
      /** The first of each. */
      readonly rows: readonly Readonly<Record<string, Value>>[]
      readonly rejects: readonly PreviewedReject[]
    }
  /** It is left to the consumer of that pipeline. */
  | { readonly kind: 'foreign'; readonly pipeline: string }
  /** It would become a dead letter. */
  | { readonly kind: 'dead'; readonly code: Code; readonly detail: string }
  /** A consumer would wait. */
  | { readonly kind: 'held'; readonly code: Code; readonly detail: string }

/** A message, and what would become of it. */
export interface Preview {
  /** As its sender chose it; empty where the sender of an external message chose none. */
  readonly key: string
  readonly bytes: number
  /** Deliveries so far, as the queue counts them. */
  readonly attempt: number
  readonly chunk?: PreviewedChunk | undefined
  /** What the body is encoded as, where it is. */
  readonly encoding?: string | undefined
  readonly outlook: Outlook
}

const defaultMost = 3

/**
 * What a consumer would make of messages, in their order; nothing is written or taken. Throws what is wrong with the
 * options, and nothing that is wrong with a message.
 *
 * @example
 * for (const { key, outlook } of await preview(await queue.peek(10), { model: orders })) console.log(key, outlook.kind)
 */
export async function preview(
  messages: Iterable<Peeked>,
  options: PreviewOptions,
): Promise<readonly Preview[]> {
  const model = modelOfChanges(options.model, options.unwrap)
  const {
    pipeline = tableName(model),
    ignoreExtra = false,
    dedupKey = defaultDedupKey,
    root = '.',
    most = defaultMost,
  } = options
  const rows = new RowValues(model)
  const decoder = new Decoder(
    { pipeline, model, ignoreExtra, dedupKey, messages: messagesLayout(options) },
    rows,
  )
  let files: References | undefined
  const decode = async (message: Peeked): Promise<Outlook> => {
    try {
      if (message.fault !== undefined)
        return foreignTo(pipeline, message.headers) ?? { kind: 'dead', ...message.fault }
      const read = await readBody(message, pipeline, async () => (files ??= await openReferences(root)))
      if (read !== undefined && !Buffer.isBuffer(read)) return { kind: 'dead', ...read }
      rows.clear()
      return outlookOf(decoder.decode({ ...message, body: read ?? message.body }), rows, most)
    } catch (thrown) {
      const error = toLadingError(thrown)
      if (error.action !== 'hold') throw error
      return { kind: 'held', code: error.code, detail: error.message }
    }
  }
  try {
    const seen: Preview[] = []
    for (const message of messages) {
      const { key, body, attempt, headers } = message
      seen.push({
        key,
        bytes: body.length,
        attempt,
        chunk: chunkOf(headers),
        encoding: encodingOf(headers),
        outlook: await decode(message),
      })
    }
    return seen
  } finally {
    await files?.close()
  }
}

function outlookOf(decoded: Decoded, rows: RowValues, most: number): Outlook {
  switch (decoded.kind) {
    case 'foreign':
      return { kind: 'foreign', pipeline: decoded.pipeline }
    case 'dead':
      return { kind: 'dead', code: decoded.code, detail: decoded.told?.detail ?? decoded.detail }
    case 'parts': {
      const rejects = decoded.parts.flatMap((part) => part.rejects)
      const { records } = decoded.claim
      return {
        kind: 'rows',
        records,
        rejected: rejects.length,
        filtered: decoded.parts.reduce((sum, { filtered = 0 }) => sum + filtered, 0),
        rows: rows.first(most),
        rejects: rejects.slice(0, most).map(withoutValue),
      }
    }
  }
}

const withoutValue = ({ record, line, column, code }: Reject): PreviewedReject => ({
  record,
  line,
  column,
  code,
  meaning: codes[code].meaning,
})

/** Nothing where the header cannot be read: what is wrong with it, decoding says. */
function chunkOf(headers: Headers): PreviewedChunk | undefined {
  const envelope = readableEnvelope(headers)
  if (envelope === undefined) return undefined
  const { pipeline, load, chunk } = envelope
  return { pipeline, loadId: load.id, source: load.source, chunk }
}

/** Rows as values, of one message at a time. */
class RowValues extends ValueWriter implements RowBuffer {
  readonly bytes = 0
  readonly #names: readonly string[]
  rows = 0

  constructor(model: Model) {
    super(model)
    this.#names = model.columns.map(({ name }) => name)
  }

  override endRow(): void {
    this.rows++
  }

  clear(): void {
    this.values.length = 0
    this.rows = 0
  }

  first(most: number): Readonly<Record<string, Value>>[] {
    const width = this.#names.length
    return Array.from({ length: Math.min(this.rows, most) }, (_, row) =>
      Object.fromEntries(
        this.#names.map((name, column) => [name, this.values[row * width + column] as Value]),
      ),
    )
  }
}
