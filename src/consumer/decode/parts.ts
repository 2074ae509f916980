/**
 * The records of a message → parts of a batch. How they lie in their bytes and what tells them apart are two
 * choices: a chunk is one part, known by its load and number; an external message is one part under its own
 * key, or a part for each record under the text of a field.
 *
 * An external message of which no record fits is dead as a whole, because then it can be replayed once the
 * model or an option is corrected; one of which some fit is loaded, and the others are rejects.
 */
import { asBuffer } from '../../core/bytes.ts'
import { codes } from '../../core/errors.ts'
import type { Fault, Reject } from '../../core/fault.ts'
import type { Layout, LoadInfo } from '../../core/load.ts'
import { sha256Of } from '../../core/sha256.ts'
import { messageLayout } from '../../format/registry.ts'
import type { Origin } from '../../model/record.ts'
import { withRecord } from '../../model/hooks.ts'
import type { RowBuffer } from '../../model/writer.ts'
import { type ChunkEnvelope, chunkKey } from '../../queue/envelope.ts'
import type { Headers } from '../../queue/queue.ts'
import type { Part } from '../../sink/sink.ts'
import { type Claim, dead, type Decoded, type DecoderOptions, type Message, recordOfRow } from './decoded.ts'
import {
  contentKey,
  dedupField,
  fieldKey,
  isNobodys,
  messageKey,
  messageName,
  recordKey,
  storableKey,
} from './identity.ts'
import { type BodyStart, Places } from './places.ts'
import { Records, type Unfit } from './records.ts'

/** CloudEvents in binary mode: the body is the data, and the rest stands in headers. */
const isOpened = (headers: Headers): boolean =>
  Object.keys(headers).some((name) => /^(ce-|cloudevents[:_])specversion$/i.test(name))

type Identity = Pick<Part, 'key' | 'sha256' | 'load' | 'layout'>

/** Most parts have none. */
const noRejects: readonly Reject[] = []

export class PartDecoder {
  readonly #options: DecoderOptions
  readonly #rows: RowBuffer
  readonly #keyField: string | undefined
  readonly #messages: Records
  /** For messages whose outermost envelope is in their headers. */
  readonly #opened: Records | undefined
  /** By layout: all chunks of a load have the same, and mostly all loads of a pipeline. */
  readonly #chunks = new Map<string, Records | Unfit>()

  /** Rows are written to `rows`. */
  constructor(options: DecoderOptions, rows: RowBuffer) {
    this.#options = options
    this.#rows = rows
    this.#keyField = dedupField(options.dedupKey)
    const { model, ignoreExtra, letter, messages = messageLayout } = options
    const given = { model, ignoreExtra, keyField: this.#keyField, redacted: letter?.redacted }
    this.#messages = Records.of(messages, given, rows) as Records
    const [outer, ...unwrap] = (messages['unwrap'] ?? []) as readonly string[]
    if (outer === 'cloudevents') this.#opened = Records.of({ ...messages, unwrap }, given, rows) as Records
  }

  chunk(envelope: ChunkEnvelope, message: Message): Decoded {
    const { load, chunk, sha256, firstRecord, firstLine, byteStart, layout } = envelope
    const body = asBuffer(message.body)
    if (message.isProved !== true && sha256Of(body) !== sha256)
      return dead('CHECKSUM', 'the body is not what its header states')
    const claim = claimOfChunk(envelope)
    const records = this.#recordsOf(layout)
    if ('code' in records) return dead(records.code, `the chunk ${records.detail}`, claim)
    const unreadable = records.reader.open(body)
    if (unreadable !== undefined) return dead('NOT_OURS', `the chunk holds no records: ${unreadable}`, claim)
    const origin = { keyOf: (record: number) => `${load.id}/${firstRecord + record}`, at: Date.now() }
    // Derived and not taken from the message: the identity of a chunk is its load and number, whatever
    // carried it.
    const identity = { key: chunkKey(load.id, chunk), sha256, load, layout }
    const start = { source: load.source, firstRecord, firstLine, byteStart }
    const part = this.#together(new WholePart(identity, records, body, start), origin)
    return { kind: 'parts', parts: [part], claim: { ...claim, records: part.records } }
  }

  message(message: Message, isLetter: boolean): Decoded {
    const records = this.#opened !== undefined && isOpened(message.headers) ? this.#opened : this.#messages
    const { reader } = records
    const body = asBuffer(message.body)
    const claim = claimOfMessage(message, this.#options, isLetter)
    const { key } = claim
    const unreadable = reader.open(body)
    if (unreadable !== undefined)
      return dead('NOT_OURS', `neither a chunk of ours nor JSON objects: ${unreadable}`, claim)
    // One without records needs no id.
    if (this.#options.dedupKey === 'message-id' && isNobodys(key) && reader.next())
      return dead('KEY_MISSING', 'the message has no id, which would tell it apart from others', claim)
    const origin = { keyOf: (record: number) => recordKey(key, record), at: Date.now() }
    const parts =
      this.#keyField === undefined
        ? [this.#together(new WholePart(this.#identityOf(key, body), records, body, undefined), origin)]
        : this.#oneByOne(records, body, this.#keyField, key)
    let count = 0
    for (const part of parts) count += part.records
    const rejects = parts.at(-1)?.rejects ?? noRejects
    const whole = { key, records: count }
    if (count > 0 && rejects.length === count) return allRefused(rejects, whole)
    return { kind: 'parts', parts, claim: whole }
  }

  /** Messages without an id can be told apart by their bytes only. */
  #identityOf(key: string, body: Buffer): Identity {
    const sha256 = this.#options.letter?.sha256 ?? sha256Of(body)
    return { key: isNobodys(key) ? contentKey(sha256) : key, sha256 }
  }

  #recordsOf(layout: Layout): Records | Unfit {
    const key = JSON.stringify(layout)
    let records = this.#chunks.get(key)
    if (records === undefined) {
      const { model, ignoreExtra } = this.#options
      records = Records.of(layout, { model, ignoreExtra }, this.#rows)
      this.#chunks.set(key, records)
    }
    return records
  }

  /** All records as one part. */
  #together(part: WholePart, origin: Origin): Part {
    const before = this.#rows.rows
    part.read(origin)
    part.rows = this.#rows.rows - before
    return part
  }

  /**
   * Each record as a part of its own. Those that are refused or left out share one, the last, under the key of the
   * message, so that the key of a record is still free when it comes again and fits.
   */
  #oneByOne(records: Records, body: Buffer, field: string, key: string): Part[] {
    const { reader, filter } = records
    const places = new Places(records, body, startOfMessage(key))
    const hashes = this.#options.letter?.records
    const origin: Origin = { keyOf: () => storableKey(records.keyText()), at: Date.now() }
    const decode = (record: number) => {
      try {
        const left = filter?.() ?? false
        return left === false ? records.decode(origin, record) : left
      } catch (error) {
        throw withRecord(error, () => `record ${record + 1} of a message`)
      }
    }
    const parts: Part[] = []
    const rejects: Reject[] = []
    let filtered = 0
    for (let record = 0; reader.next(); record++) {
      const fault = decode(record)
      if (fault === true) {
        filtered++
        continue
      }
      if (fault !== undefined) {
        rejects.push(places.reject(record, fault))
        continue
      }
      parts.push({
        key: fieldKey(field, records.keyText()),
        sha256:
          hashes?.[record] ?? sha256Of(reader.text ?? body.subarray(reader.recordStart, reader.recordEnd)),
        records: 1,
        rows: 1,
        rejects: [],
        describe: (_, each) => places.describe(record, each),
      })
    }
    const others = rejects.length + filtered
    if (others === 0 && parts.length > 0) return parts
    // v8 ignore next -- a part without rows has none to describe
    const describe: Part['describe'] = (_, fault) => places.describe(0, fault)
    const identity = this.#identityOf(key, body)
    return [...parts, { ...identity, records: others, rows: 0, rejects, filtered, describe }]
  }
}

/**
 * All records of a body as one part. A class, and nothing beside it before a record is refused: there are thousands of them
 * at once, most with one record.
 */
class WholePart implements Part {
  readonly key: string
  readonly sha256: string
  readonly load: LoadInfo | undefined
  readonly layout: Layout | undefined
  records = 0
  rows = 0
  rejects = noRejects
  filtered = 0
  readonly #records: Records
  readonly #body: Buffer
  /** Undefined for a message. */
  readonly #start: BodyStart | undefined
  #places: Places | undefined
  /** Records that became no row. */
  #rowless: number[] | undefined

  constructor(identity: Identity, records: Records, body: Buffer, start: BodyStart | undefined) {
    this.key = identity.key
    this.sha256 = identity.sha256
    this.load = identity.load
    this.layout = identity.layout
    this.#records = records
    this.#body = body
    this.#start = start
  }

  /** The reader has opened the body. */
  read(origin: Origin): void {
    try {
      this.#read(origin)
    } catch (error) {
      throw withRecord(error, () => this.#place().name())
    }
  }

  #read(origin: Origin): void {
    const records = this.#records
    const { reader, filter } = records
    const rejects: Reject[] = []
    let record = 0
    for (; reader.next(); record++) {
      const left = filter?.() ?? false
      const fault = left === false ? records.decode(origin, record) : left
      if (fault === undefined) continue
      ;(this.#rowless ??= []).push(record)
      if (fault === true) this.filtered++
      else rejects.push(this.#place().reject(record, fault))
    }
    this.records = record
    if (rejects.length > 0) this.rejects = rejects
  }

  describe(row: number, fault: Fault): Reject {
    return this.#place().describe(recordOfRow(row, this.#rowless ?? []), fault)
  }

  #place(): Places {
    const start = this.#start ?? startOfMessage(this.key)
    return (this.#places ??= new Places(this.#records, this.#body, start))
  }
}

const startOfMessage = (key: string): BodyStart => ({
  source: messageName(key),
  firstRecord: 1,
  firstLine: 1,
  byteStart: 0,
})

/** What a chunk says of itself, once its bytes have been checked. */
export const claimOfChunk = ({ load, chunk, records }: ChunkEnvelope): Claim => ({
  key: chunkKey(load.id, chunk),
  load,
  records,
})

/** What an external message is; how many records it has shows only when it is read. */
export function claimOfMessage(
  message: Message,
  { dedupKey, letter }: Pick<DecoderOptions, 'dedupKey' | 'letter'>,
  isLetter: boolean,
): Claim & { readonly key: string } {
  const key =
    dedupKey === 'content'
      ? contentKey(letter?.sha256 ?? sha256Of(message.body))
      : messageKey(message.key, isLetter)
  return { key, records: 0 }
}

function allRefused(rejects: readonly Reject[], claim: Claim & { readonly key: string }): Decoded {
  const [{ code, column, detail }] = rejects as [Reject]
  const head = rejects.length === 1 ? '' : `all ${rejects.length} records are refused, the first one: `
  const place = column === undefined ? '' : `column ${column}: `
  return {
    ...dead(code, `${head}${place}${detail}`, claim),
    told: { key: claim.key, detail: `${head}${place}${codes[code].meaning}` },
  }
}
