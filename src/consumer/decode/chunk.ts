/**
 * A chunk of ours → one part of a batch: checks its bytes, decodes its records and remembers where each one
 * stood.
 */
import { asBuffer } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import type { Fault, Reject } from '../../core/fault.ts'
import { sha256Of } from '../../core/sha256.ts'
import { csvLayout } from '../../format/csv/dialect.ts'
import { RecordReader } from '../../format/csv/read.ts'
import { type Model, tableName } from '../../model/model.ts'
import { fieldProblems, type Origin, RecordDecoder } from '../../model/record.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { type ChunkEnvelope, chunkKey } from '../../queue/envelope.ts'
import type { Part } from '../../sink/sink.ts'
import {
  type Claim,
  cut,
  dead,
  type Decoded,
  type DecoderOptions,
  type Message,
  rawOf,
  recordOfRow,
} from './decoded.ts'
import { isText, textFault } from '../../format/text.ts'
import { Keeping } from './keeping.ts'
import { spanInLine } from './span.ts'

export class ChunkDecoder {
  readonly #options: DecoderOptions
  readonly #rows: RowBuffer
  readonly #keeping: Keeping | undefined
  /** Decoders by their fields: all chunks of a load have the same, and mostly all loads of a pipeline. */
  readonly #decoders = new Map<string, RecordDecoder | string>()

  /** Rows are written to `rows`. */
  constructor(options: DecoderOptions, rows: RowBuffer) {
    this.#options = options
    this.#rows = rows
    this.#keeping = Keeping.of(options.model)
  }

  decode(envelope: ChunkEnvelope, message: Message): Decoded {
    const body = asBuffer(message.body)
    if (sha256Of(body) !== envelope.sha256) return dead('CHECKSUM', 'the body is not what its header states')
    const decoder = this.#decoderOf(envelope)
    const claim = claimOfChunk(envelope)
    if (typeof decoder === 'string') return dead('MODEL_MISMATCH', decoder, claim)
    const part = this.#decodeChunk(envelope, body, decoder)
    return { kind: 'parts', parts: [part], claim: { ...claim, records: part.records } }
  }

  #decoderOf({ layout: { fields } }: ChunkEnvelope): RecordDecoder | string {
    const key = JSON.stringify(fields)
    let decoder = this.#decoders.get(key)
    if (decoder === undefined) {
      const { model, ignoreExtra } = this.#options
      const problems = [...fieldProblems(model, fields, ignoreExtra)]
      decoder =
        problems.length > 0
          ? `the chunk does not fit ${tableName(model)}: ${problems.join(', ')}`
          : new RecordDecoder(model, fields, this.#rows)
      this.#decoders.set(key, decoder)
    }
    return decoder
  }

  #decodeChunk(envelope: ChunkEnvelope, body: Buffer, decoder: RecordDecoder): Part {
    const { load, sha256, firstRecord } = envelope
    const records = new ChunkRecords(envelope, body, this.#options.model, this.#keeping)
    const origin: Origin = { keyOf: (record) => `${load.id}/${firstRecord + record}`, at: Date.now() }
    const rejects: Reject[] = []
    const refused: number[] = []
    const sound = isText(body)
    const reader = new RecordReader(body, csvLayout(envelope.layout))
    const before = this.#rows.rows
    let record = 0
    for (; reader.next(); record++) {
      const fault =
        (sound ? undefined : textFault(body.subarray(reader.recordStart, reader.recordEnd))) ??
        quoteFault(reader) ??
        decoder.decode(reader, origin, record)
      if (fault === undefined) continue
      refused.push(record)
      rejects.push(records.reject(record, reader.recordStart, reader.recordEnd, reader.line, fault))
    }
    return {
      // Derived and not taken from the message: the identity of a chunk is its load and number, whatever
      // carried it.
      key: chunkKey(load.id, envelope.chunk),
      sha256,
      load,
      layout: envelope.layout,
      records: record,
      rows: this.#rows.rows - before,
      rejects,
      describe: (row, fault) => records.describe(recordOfRow(row, refused), fault),
    }
  }
}

/** What a chunk says of itself, once its bytes have been checked. */
export const claimOfChunk = ({ load, chunk, records }: ChunkEnvelope): Claim => ({
  key: chunkKey(load.id, chunk),
  load,
  records,
})

export function quoteFault(reader: RecordReader): Fault | undefined {
  if (reader.fault === undefined) return undefined
  return {
    code: 'BAD_QUOTE',
    detail: 'a quote stands inside a cell that is not quoted, or text follows a closing quote',
  }
}

/** Says where a chunk's records are; looks for them only when one is refused. */
class ChunkRecords {
  readonly #envelope: ChunkEnvelope
  readonly #body: Buffer
  readonly #model: Model
  readonly #keeping: Keeping | undefined
  #places: { start: number; end: number; line: number }[] | undefined

  constructor(envelope: ChunkEnvelope, body: Buffer, model: Model, keeping: Keeping | undefined) {
    this.#envelope = envelope
    this.#body = body
    this.#model = model
    this.#keeping = keeping
  }

  /** `record` is 0-based within the chunk. */
  describe(record: number, fault: Fault): Reject {
    const place = this.#locate()[record]
    if (place === undefined) throw new LadingError('INTERNAL', `a chunk has no record ${record}`)
    return this.reject(record, place.start, place.end, place.line, fault)
  }

  reject(record: number, start: number, end: number, line: number, fault: Fault): Reject {
    const { load, firstRecord, firstLine, byteStart } = this.#envelope
    const layout = csvLayout(this.#envelope.layout)
    const keeping = this.#keeping
    const raw =
      keeping === undefined
        ? rawOf(this.#body, start, end)
        : cut(keeping.line(this.#body, start, end, layout))
    return {
      ...fault,
      span: spanInLine(raw, fault, this.#model, layout, keeping !== undefined),
      record: firstRecord + record,
      line: firstLine + line,
      byte: byteStart + start,
      source: load.source,
      raw,
      masked: keeping?.maskedFields ?? [],
    }
  }

  #locate() {
    if (this.#places === undefined) {
      this.#places = []
      const reader = new RecordReader(this.#body, csvLayout(this.#envelope.layout))
      while (reader.next())
        this.#places.push({ start: reader.recordStart, end: reader.recordEnd, line: reader.line })
    }
    return this.#places
  }
}
