/**
 * A message of somebody else's → parts of a batch: its records are the JSON objects in it. One of which no
 * record fits is dead as a whole, because then it can be replayed once the model or the option is mended; one
 * of which some fit is loaded, and the others are rejects.
 */
import { asBuffer } from '../../core/bytes.ts'
import { codes } from '../../core/errors.ts'
import type { Fault, Reject } from '../../core/fault.ts'
import { maxRecordBytes } from '../../core/load.ts'
import { sha256Of } from '../../core/sha256.ts'
import { type Field, ObjectReader, type Take } from '../../format/json/read.ts'
import { found } from '../../model/decode/found.ts'
import { type ModelColumn, sourceColumns, sourceName } from '../../model/model.ts'
import { type Origin, RecordDecoder } from '../../model/record.ts'
import type { RowBuffer } from '../../model/writer.ts'
import type { Part } from '../../sink/sink.ts'
import { type Claim, dead, type Decoded, type DecoderOptions, type Message, recordOfRow } from './decoded.ts'
import {
  contentKey,
  dedupField,
  fieldKey,
  isNobodys,
  messageKey,
  recordKey,
  storableKey,
} from './identity.ts'
import { isText, textFault } from '../../format/text.ts'
import { isRedacted, Keeping } from './keeping.ts'
import { Places } from './places.ts'

/** One message on its way to its parts. */
interface Reading {
  readonly body: Buffer
  readonly key: string
  readonly sha256: () => string
  readonly places: Places
  readonly rejects: Reject[]
}

export class MessageDecoder {
  readonly #options: DecoderOptions
  readonly #rows: RowBuffer
  readonly #reader: ObjectReader
  readonly #decoder: RecordDecoder
  /** The columns of the reader's cells. */
  readonly #columns: readonly ModelColumn[]
  readonly #keyField: string | undefined
  readonly #keyMask: ((text: string) => string) | undefined
  readonly #keeping: Keeping | undefined

  /** Rows are written to `rows`. */
  constructor(options: DecoderOptions, rows: RowBuffer) {
    const { model, dedupKey, ignoreExtra } = options
    this.#options = options
    this.#rows = rows
    this.#keyField = dedupField(dedupKey)
    this.#keeping = Keeping.of(model, this.#keyField)
    this.#keyMask = this.#keyField === undefined ? undefined : this.#keeping?.maskOf(this.#keyField)
    this.#columns = sourceColumns(model)
    const fields: Field[] = this.#columns.map((column) => ({
      name: sourceName(column),
      take: takeOf(column),
    }))
    // The last cell, which no column reads.
    if (this.#keyField !== undefined) fields.push({ name: this.#keyField, take: 'key' })
    this.#reader = new ObjectReader(fields, ignoreExtra)
    this.#decoder = new RecordDecoder(
      model,
      fields.map(({ name }) => name),
      rows,
    )
  }

  /** `isLetter`: the message was a dead letter, so its key is that of the ledger. */
  decode(message: Message, isLetter = false): Decoded {
    const body = asBuffer(message.body)
    const claim = claimOfMessage(message, this.#options, isLetter)
    const unreadable = this.#reader.open(body)
    if (unreadable !== undefined) {
      const { at, why } = unreadable
      return dead('NOT_OURS', `neither a chunk of ours nor JSON objects: at byte ${at}, ${why}`, claim)
    }
    if (this.#options.dedupKey === 'message-id' && isNobodys(claim.key) && !this.#reader.empty) {
      return dead('KEY_MISSING', 'the message has no id, which would tell it apart from others', claim)
    }
    const sha256 = () => this.#options.letter?.sha256 ?? sha256Of(body)
    const places = new Places(body, claim.key, this.#options.model, this.#keeping)
    const reading: Reading = { body, key: claim.key, sha256, places, rejects: [] }
    const parts =
      this.#keyField === undefined ? [this.#together(reading)] : this.#oneByOne(reading, this.#keyField)
    const records = parts.reduce((sum, part) => sum + part.records, 0)
    if (records > 0 && reading.rejects.length === records) return allRefused(reading, { ...claim, records })
    return { kind: 'parts', parts, claim: { ...claim, records } }
  }

  /**
   * A record that lies by itself, number `record` (from 0) of the message `key`: why it makes no row, or what
   * tells the row apart from others where its field does.
   */
  decodeAlone(body: Buffer, key: string, record: number): { readonly fault?: Fault; readonly key?: string } {
    const reader = this.#reader
    const field = this.#keyField
    const unreadable = reader.open(body)
    if (unreadable !== undefined || !reader.next() || !reader.empty) {
      const { at, why } = unreadable ?? { at: 0, why: 'exactly one object is expected' }
      return {
        fault: {
          code: 'BAD_JSON',
          detail: `at byte ${at} of the record, ${why}`,
          span: { start: at, end: at + 1 },
        },
      }
    }
    const origin: Origin = {
      keyOf: () => (field === undefined ? recordKey(key, record) : storableKey(this.#keyText())),
      at: Date.now(),
    }
    const keyFault = () => (field === undefined ? undefined : this.#keyFault(field))
    const fault = this.#faultOf(isText(body)) ?? keyFault() ?? this.#decoder.decode(reader, origin, record)
    if (fault !== undefined) return { fault }
    return field === undefined ? {} : { key: fieldKey(field, this.#keyText()) }
  }

  /** All records as one part. */
  #together({ body, key, sha256: hash, places, rejects }: Reading): Part {
    const reader = this.#reader
    const origin: Origin = { keyOf: (record) => recordKey(key, record), at: Date.now() }
    const before = this.#rows.rows
    const sound = isText(body)
    const refused: number[] = []
    for (let record = 0; reader.next(); record++) {
      places.add(reader.recordStart, reader.recordEnd)
      const fault = this.#faultOf(sound) ?? this.#decoder.decode(reader, origin, record)
      if (fault === undefined) continue
      refused.push(record)
      rejects.push(places.describe(record, fault))
    }
    const sha256 = hash()
    return {
      key: isNobodys(key) ? contentKey(sha256) : key,
      sha256,
      records: places.count,
      rows: this.#rows.rows - before,
      rejects,
      describe: (row, fault) => places.describe(recordOfRow(row, refused), fault),
    }
  }

  /**
   * Each record as a part of its own. Those that are refused share one under the key of the message, so that
   * the key of a record is still free when it comes once more and fits.
   */
  #oneByOne({ body, key, sha256: hash, places, rejects }: Reading, field: string): Part[] {
    const reader = this.#reader
    const { letter } = this.#options
    const origin: Origin = { keyOf: () => storableKey(this.#keyText()), at: Date.now() }
    const sound = isText(body)
    const parts: Part[] = []
    for (let record = 0; reader.next(); record++) {
      places.add(reader.recordStart, reader.recordEnd)
      const fault =
        this.#faultOf(sound) ?? this.#keyFault(field) ?? this.#decoder.decode(reader, origin, record)
      if (fault !== undefined) {
        rejects.push(places.describe(record, fault))
        continue
      }
      parts.push({
        key: fieldKey(field, this.#keyText()),
        sha256: letter?.records?.[record] ?? sha256Of(body.subarray(reader.recordStart, reader.recordEnd)),
        records: 1,
        rows: 1,
        rejects: [],
        describe: (_, each) => places.describe(record, each),
      })
    }
    if (rejects.length === 0 && parts.length > 0) return parts
    const sha256 = hash()
    const describe = (_: number, fault: Fault) => places.describe(0, fault)
    const rest = {
      key: isNobodys(key) ? contentKey(sha256) : key,
      sha256,
      records: rejects.length,
      rows: 0,
      rejects,
      describe,
    }
    return [...parts, rest]
  }

  /** What is wrong with the record that the reader stands on, before any column looks at it. */
  #faultOf(sound: boolean): Fault | undefined {
    const reader = this.#reader
    const { bytes, flaw, flawStart, flawEnd, recordStart, recordEnd } = reader
    if (recordEnd - recordStart > maxRecordBytes) {
      return {
        code: 'OBJECT_TOO_LARGE',
        detail: `the object has ${recordEnd - recordStart} bytes, and ${maxRecordBytes} are the most`,
      }
    }
    const text = sound ? undefined : textFault(bytes.subarray(recordStart, recordEnd))
    if (text !== undefined || flaw === undefined) return text ?? this.#redactedFault()
    const column = this.#columns[reader.flawCell]?.name
    const field =
      flaw === 'BAD_JSON' || flaw === 'NO_FIELD' ? '' : `field ${found(bytes, flawStart, flawEnd)}`
    // Of a value the place is found by its column.
    const span = { start: flawStart - recordStart, end: flawEnd - recordStart }
    switch (flaw) {
      case 'BAD_JSON':
        return { code: flaw, detail: `at byte ${flawStart - recordStart} of the record, ${reader.why}`, span }
      case 'EXTRA_FIELD':
        return { code: flaw, detail: `${field} is not in the model`, span }
      case 'NO_FIELD':
        return { code: flaw, detail: 'none of its fields is in the model', span }
      case 'DUPLICATE_FIELD':
        return { code: flaw, detail: `${field} stands twice in an object`, span }
      case 'NESTED_VALUE':
        return { code: flaw, detail: `${field} holds an object or an array`, column }
      case 'NUL_BYTE':
        return { code: flaw, detail: `${field} holds a NUL`, column }
      case 'LONE_SURROGATE':
        return { code: flaw, detail: `${field} holds half a surrogate pair`, column }
    }
  }

  /** A value that was not kept when the letter was buried, and that a column would have, or the key. */
  #redactedFault(): Fault | undefined {
    const { letter } = this.#options
    if (letter === undefined || letter.redacted.length === 0) return undefined
    const { count, starts, ends, bytes } = this.#reader
    for (let cell = 0; cell < count; cell++) {
      const column = this.#columns[cell]
      const field = column === undefined ? (this.#keyField as string) : sourceName(column)
      if (letter.redacted.includes(field) && isRedacted(bytes.toString('latin1', starts[cell], ends[cell]))) {
        return {
          code: 'VALUE_REDACTED',
          detail: `the value of field ${JSON.stringify(field)} was not kept`,
          column: column?.name,
        }
      }
    }
    return undefined
  }

  #keyFault(field: string): Fault | undefined {
    const cell = this.#reader.count - 1
    if ((this.#reader.starts[cell] as number) < (this.#reader.ends[cell] as number))
      return this.#keyMaskFault()
    return {
      code: 'KEY_MISSING',
      detail: `field ${JSON.stringify(field)}, which is the key of a record, is missing or empty`,
    }
  }

  #keyMaskFault(): Fault | undefined {
    try {
      this.#keyText()
      return undefined
    } catch {
      return { code: 'TRANSFORM_FAILED', detail: 'the mask of the model threw' }
    }
  }

  #keyText(): string {
    const reader = this.#reader
    const cell = reader.count - 1
    const text =
      reader.quoting[cell] === 2
        ? reader.unescaped(cell).toString('utf8')
        : reader.bytes.toString('utf8', reader.starts[cell], reader.ends[cell])
    return this.#keyMask === undefined ? text : this.#keyMask(text)
  }
}

/** What a message of somebody else's is; how many records it has shows only when it is read. */
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

function takeOf({ type, transform }: ModelColumn): Take {
  if (type.kind === 'json') return 'source'
  return type.kind === 'custom' || transform !== undefined ? 'either' : 'text'
}

function allRefused({ rejects }: Reading, claim: Claim & { readonly key: string }): Decoded {
  const [{ code, column, detail }] = rejects as [Reject]
  const head = rejects.length === 1 ? '' : `all ${rejects.length} records are refused, the first one: `
  const place = column === undefined ? '' : `column ${column}: `
  return {
    ...dead(code, `${head}${place}${detail}`, claim),
    told: { key: claim.key, detail: `${head}${place}${codes[code].meaning}` },
  }
}
