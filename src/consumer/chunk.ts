/** One delivery → one part of a batch: checks what it claims to be, decodes its records and remembers where each one stood. */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { type Code, LadingError } from '../core/errors.ts'
import { type Fault, maxRawBytes, type Reject } from '../core/fault.ts'
import type { LoadInfo } from '../core/load.ts'
import { RecordReader } from '../csv/read.ts'
import { type Model, tableName } from '../model/model.ts'
import { fieldProblems, RecordDecoder } from '../model/record.ts'
import type { RowBuffer } from '../model/writer.ts'
import { type ChunkEnvelope, chunkKey, readEnvelope } from '../queue/envelope.ts'
import type { Headers } from '../queue/queue.ts'
import type { Part } from '../sink/sink.ts'

/** A message as far as decoding needs it: a delivery, or a dead letter that is replayed. */
export interface Message {
  readonly key: string
  readonly body: Uint8Array
  readonly headers: Headers
}

/** What a message turned out to be. Only a part becomes one of a batch; a foreign one belongs to another pipeline and is left to it. */
export type Decoded =
  | { readonly kind: 'part'; readonly part: Part }
  | Foreign
  | ({ readonly kind: 'dead'; readonly code: Code; readonly detail: string } & Claim)

export interface Foreign {
  readonly kind: 'foreign'
  readonly pipeline: string
}

/** What a message says that it is; where it is a chunk, its records count as dead in the load's receipt when it dies. */
export interface Claim {
  /** Identity in the ledger; the delivery's own key where the message is no chunk. */
  readonly key?: string | undefined
  readonly load?: LoadInfo | undefined
  readonly records: number
}

export interface DecoderOptions {
  readonly pipeline: string
  readonly model: Model
  /** Cells that the model does not know are left out instead of refused. */
  readonly ignoreExtra: boolean
}

export class ChunkDecoder {
  readonly #options: DecoderOptions
  readonly #rows: RowBuffer
  /** Decoders by their fields: all chunks of a load have the same, and mostly all loads of a pipeline. */
  readonly #decoders = new Map<string, RecordDecoder | string>()

  /** Rows are written to `rows`. */
  constructor(options: DecoderOptions, rows: RowBuffer) {
    this.#options = options
    this.#rows = rows
  }

  /** Throws only what must stop the consumer, such as a message of a newer version. */
  decode(message: Message, replays?: number): Decoded {
    let envelope: ChunkEnvelope | undefined
    try {
      envelope = readEnvelope(message.headers)
    } catch (error) {
      if (error instanceof LadingError && error.action === 'dead') return dead(error.code, error.message)
      throw error
    }
    if (envelope === undefined) return dead('NOT_OURS', 'the message has no header of ours')
    const { pipeline } = this.#options
    if (envelope.pipeline !== pipeline) return { kind: 'foreign', pipeline: envelope.pipeline }
    const body = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength)
    if (sha256Of(body) !== envelope.sha256) return dead('CHECKSUM', 'the body is not what its header states')
    const decoder = this.#decoderOf(envelope)
    if (typeof decoder === 'string') return { ...dead('MODEL_MISMATCH', decoder), ...claimOf(message, pipeline) }
    return { kind: 'part', part: this.#decodeChunk(envelope, body, decoder, replays) }
  }

  #decoderOf({ fields }: ChunkEnvelope): RecordDecoder | string {
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

  #decodeChunk(envelope: ChunkEnvelope, body: Buffer, decoder: RecordDecoder, replays: number | undefined): Part {
    const records = new ChunkRecords(envelope, body)
    const rejects: Reject[] = []
    const refused: number[] = []
    const sound = isUtf8(body) && !body.includes(0)
    const reader = new RecordReader(body, envelope)
    const before = this.#rows.rows
    let record = 0
    for (; reader.next(); record++) {
      const fault = (sound ? undefined : textFault(reader)) ?? quoteFault(reader) ?? decoder.decode(reader)
      if (fault === undefined) continue
      refused.push(record)
      rejects.push(records.reject(record, reader.recordStart, reader.recordEnd, reader.line, fault))
    }
    const { load, sha256 } = envelope
    return {
      // Derived and not taken from the message: the identity of a chunk is its load and number, whatever carried it.
      key: chunkKey(load.id, envelope.chunk),
      sha256,
      load,
      records: record,
      rows: this.#rows.rows - before,
      rejects,
      describe: (row, fault) => records.describe(recordOfRow(row, refused), fault),
      replays,
    }
  }
}

/** Whose the message is, where it is a chunk of another pipeline. */
export function foreignTo(pipeline: string, headers: Headers): Foreign | undefined {
  try {
    const envelope = readEnvelope(headers)
    return envelope === undefined || envelope.pipeline === pipeline ? undefined : { kind: 'foreign', pipeline: envelope.pipeline }
  } catch {
    return undefined
  }
}

/** What a message says of itself, without decoding its body; nothing where it cannot be read, or where another message may be the chunk that it claims to be. */
export function claimOf({ headers, body }: Message, pipeline: string): Claim {
  try {
    const envelope = readEnvelope(headers)
    if (envelope?.pipeline === pipeline && envelope.sha256 === sha256Of(body))
      return { key: chunkKey(envelope.load.id, envelope.chunk), load: envelope.load, records: envelope.records }
  } catch {
    // Then it claims nothing that could be believed.
  }
  return { records: 0 }
}

export const sha256Of = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex')

const dead = (code: Code, detail: string) => ({ kind: 'dead', code, detail, records: 0 }) as const

function quoteFault(reader: RecordReader): Fault | undefined {
  if (reader.fault === undefined) return undefined
  return { code: 'BAD_QUOTE', detail: 'a quote stands inside a cell that is not quoted, or text follows a closing quote' }
}

/** The first byte of a record that no database takes as text. */
function textFault(reader: RecordReader): Fault | undefined {
  const record = reader.bytes.subarray(reader.recordStart, reader.recordEnd)
  const nul = record.indexOf(0)
  if (nul >= 0) return { code: 'NUL_BYTE', detail: `a NUL at byte ${nul} of the record` }
  if (isUtf8(record)) return undefined
  return { code: 'BAD_ENCODING', detail: `byte ${firstMalformed(record)} of the record is not UTF-8` }
}

/** Offset of the first malformed sequence: the longest valid beginning, found by halving. */
function firstMalformed(bytes: Buffer): number {
  let good = 0
  let bad = bytes.length
  while (bad - good > 1) {
    const middle = (good + bad) >>> 1
    // A cut may fall inside a character, which is no fault: the cut part counts as good when it begins one.
    if (isUtf8(bytes.subarray(0, middle)) || isUtf8(bytes.subarray(0, characterStart(bytes, middle)))) good = middle
    else bad = middle
  }
  return characterStart(bytes, good)
}

/** Where the character that holds the byte before `at` begins, if it is not whole before `at`. */
function characterStart(bytes: Buffer, at: number): number {
  for (let start = at - 1; start >= 0 && start >= at - 4; start--) {
    const byte = bytes[start] as number
    if (byte >= 0xc0) return isUtf8(bytes.subarray(start, at)) ? at : start
    if (byte < 0x80) return at
  }
  return at
}

/** Number of the record that became row `row`, given the records (ascending) that became none. */
function recordOfRow(row: number, refused: readonly number[]): number {
  let record = row
  for (const each of refused) {
    if (each > record) break
    record++
  }
  return record
}

/** Says where a chunk's records are; looks for them only when one is refused. */
class ChunkRecords {
  readonly #envelope: ChunkEnvelope
  readonly #body: Buffer
  #places: { start: number; end: number; line: number }[] | undefined

  constructor(envelope: ChunkEnvelope, body: Buffer) {
    this.#envelope = envelope
    this.#body = body
  }

  /** `record` is 0-based within the chunk. */
  describe(record: number, fault: Fault): Reject {
    const place = this.#locate()[record]
    if (place === undefined) throw new LadingError('INTERNAL', `a chunk has no record ${record}`)
    return this.reject(record, place.start, place.end, place.line, fault)
  }

  reject(record: number, start: number, end: number, line: number, fault: Fault): Reject {
    const { load, firstRecord, firstLine, byteStart } = this.#envelope
    return {
      ...fault,
      record: firstRecord + record,
      line: firstLine + line,
      byte: byteStart + start,
      source: load.source,
      // A copy, so that a reject does not keep the whole chunk in memory.
      raw: Buffer.from(this.#body.subarray(start, Math.min(end, start + maxRawBytes))),
    }
  }

  #locate() {
    if (this.#places === undefined) {
      this.#places = []
      const reader = new RecordReader(this.#body, this.#envelope)
      while (reader.next()) this.#places.push({ start: reader.recordStart, end: reader.recordEnd, line: reader.line })
    }
    return this.#places
  }
}
