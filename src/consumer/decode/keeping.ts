/**
 * What may be kept of messages and records outside their table, where the model masks columns: masked fields
 * masked, fields that the model does not know redacted, because anything may be in them, and the model's
 * other fields as they came. What cannot be read is not kept at all. Where the model masks nothing, all of it
 * is kept as it came.
 */
import { asBuffer } from '../../core/bytes.ts'
import { sha256Of } from '../../core/sha256.ts'
import { isUtf8 } from 'node:buffer'
import type { CsvLayout } from '../../format/csv/dialect.ts'
import { cellBytes, RecordReader } from '../../format/csv/read.ts'
import { ObjectReader } from '../../format/json/read.ts'
import { kinds } from '../../format/json/scan.ts'
import { type MemberValue, rewriteObject } from '../../format/json/rewrite.ts'
import { unescape } from '../../format/json/text.ts'
import { isMasked, type Model, type ModelColumn, sourceColumns, sourceName } from '../../model/model.ts'
import { claimsChunk, envelopeHeaders, readableEnvelope } from '../../queue/envelope.ts'
import type { Headers } from '../../queue/queue.ts'
import { type MaskedBody, maskedHeaders, withoutMaskedHeader } from './kept-header.ts'

export interface KeptMessage {
  readonly headers: Headers
  readonly body: Buffer
}

/** Stands for a value that is not kept. */
const redacted = '[redacted]'

const redactedValue = JSON.stringify(redacted)

/** Whether a value of JSON, or its text, is one that was not kept. */
export const isRedacted = (text: string): boolean => text === redacted || text === redactedValue

/** Stands for bytes that cannot be read. */
const redactedBytes = (bytes: number): string => `[redacted: ${bytes} bytes]`

/** Whether the bytes stand for a record that could not be read. */
export const isRedactedRecord = (record: Buffer): boolean =>
  /^\[redacted: \d+ bytes\]$/.test(record.toString('latin1', 0, 64))

/**
 * Values by their field that are not to be masked, because they are masks already; the bytes of each as
 * latin1.
 */
export type Settled = ReadonlyMap<string, string>

/** The values of a record that was kept. */
export function settledIn(record: Buffer, layout: CsvLayout | undefined): Settled {
  const values = new Map<string, string>()
  if (layout === undefined) {
    rewriteObject(
      record,
      (name, { bytes, start, end }) => void values.set(name, bytes.toString('latin1', start, end)),
    )
    return values
  }
  const reader = new RecordReader(record, layout)
  if (reader.next() && reader.fault === undefined && reader.count === layout.fields.length) {
    for (const [cell, field] of layout.fields.entries())
      values.set(field, cellBytes(reader, cell).toString('latin1'))
  }
  return values
}

/** How the fields of a model are kept, and of a message all others. */
interface FieldRule {
  readonly mask: ((text: string) => string) | undefined
  readonly nullIf: readonly string[]
  /** Objects and arrays are values of it. */
  readonly nested: boolean
}

export class Keeping {
  readonly #rules = new Map<string, FieldRule>()
  /** In the order of the columns. */
  readonly maskedFields: readonly string[]

  private constructor(model: Model, keyField: string | undefined) {
    const columns = sourceColumns(model)
    for (const field of new Set(columns.map(sourceName)))
      this.#rules.set(field, ruleOf(columns.filter((each) => sourceName(each) === field)))
    // It tells records apart in the ledger, so that it is kept there anyway.
    if (keyField !== undefined && !this.#rules.has(keyField))
      this.#rules.set(keyField, { mask: undefined, nullIf: [], nested: false })
    this.maskedFields = columns.filter(({ mask }) => mask !== undefined).map(sourceName)
  }

  /** Undefined where the model masks nothing. */
  static of(model: Model, keyField?: string): Keeping | undefined {
    return isMasked(model) ? new Keeping(model, keyField) : undefined
  }

  /** The mask of a field, where one of its columns has one. */
  maskOf(field: string): ((text: string) => string) | undefined {
    return this.#rules.get(field)?.mask
  }

  /** The JSON record of the bytes from `start` to before `end`. */
  object(bytes: Buffer, start: number, end: number, settled?: Settled): Buffer {
    return (
      this.#object(bytes.subarray(start, end), undefined, settled) ?? Buffer.from(redactedBytes(end - start))
    )
  }

  /** The CSV record of the bytes from `start` to before `end`. */
  line(
    bytes: Buffer,
    start: number,
    end: number,
    { fields, delimiter, quote }: CsvLayout,
    settled?: Settled,
  ): Buffer {
    if (start === end) return Buffer.alloc(0)
    const reader = new RecordReader(bytes.subarray(start, end), { delimiter, quote })
    if (!reader.next() || reader.fault !== undefined || reader.count !== fields.length)
      return Buffer.from(redactedBytes(end - start))
    const quoted = (text: string) => (text.includes(quote) ? text.replaceAll(quote, quote + quote) : text)
    const cells = fields.map((field, cell) => {
      const [from, to, quoting] = [
        reader.starts[cell] as number,
        reader.ends[cell] as number,
        reader.quoting[cell],
      ]
      const rule = this.#rules.get(field)
      const isNull = from === to && quoting === 0
      const source = cellBytes(reader, cell)
      const isSettled = settled?.get(field) === source.toString('latin1')
      if (isSettled || (rule !== undefined && (isNull || rule.mask === undefined)))
        return quoting === 0 ? reader.bytes.subarray(from, to) : reader.bytes.subarray(from - 1, to + 1)
      const text = isNull ? '' : (this.#masked(rule, source) ?? redacted)
      const plain = !text.includes(delimiter) && !text.includes(quote) && !/[\r\n]/.test(text)
      return Buffer.from(plain && quoting === 0 ? text : `${quote}${quoted(text)}${quote}`)
    })
    return Buffer.concat(
      cells.flatMap((cell, index) => (index === 0 ? [cell] : [Buffer.from(delimiter), cell])),
    )
  }

  /**
   * A message that is kept whole: its headers with their names alone, its body with its records as above. Of
   * a chunk of ours the envelope is kept and no byte of its body: its file has them. `readable` is false for
   * a body that had better not be read.
   */
  message(
    message: { readonly headers: Headers; readonly body: Uint8Array },
    withRecords: boolean,
    readable = true,
  ): KeptMessage {
    const body = asBuffer(message.body)
    // With its known parts alone: its sender may have put more into it.
    const envelope = readableEnvelope(message.headers)
    const names = Object.keys(withoutMaskedHeader(message.headers))
    const headers = {
      ...Object.fromEntries(names.map((name) => [name, redacted])),
      ...(envelope && envelopeHeaders(envelope)),
    }
    // What it refers to is read again when it is replayed.
    if (envelope?.reference !== undefined) return { headers, body: Buffer.alloc(0) }
    const records = readable && !claimsChunk(message.headers) ? this.#records(body, withRecords) : undefined
    const masked: MaskedBody = records?.masked ?? { v: 1, bytes: body.length }
    return {
      headers: { ...headers, ...maskedHeaders(masked) },
      body: records?.body ?? Buffer.from(redactedBytes(body.length)),
    }
  }

  /** The records of a message of somebody else's; undefined where there are none to be read. */
  #records(
    body: Buffer,
    withRecords: boolean,
  ): { readonly body: Buffer; readonly masked: MaskedBody } | undefined {
    const reader = new ObjectReader([], true)
    if (reader.open(body) !== undefined) return undefined
    const pieces: Buffer[] = []
    const hidden = new Set<string>()
    const hashes: string[] = []
    let at = 0
    while (reader.next()) {
      const { recordStart, recordEnd } = reader
      const record = body.subarray(recordStart, recordEnd)
      const kept = reader.flaw === 'BAD_JSON' ? undefined : this.#object(record, hidden)
      pieces.push(
        body.subarray(at, recordStart),
        kept ?? Buffer.from(JSON.stringify(redactedBytes(record.length))),
      )
      at = recordEnd
      if (withRecords) hashes.push(sha256Of(record))
    }
    pieces.push(body.subarray(at))
    const masked = {
      v: 1,
      masked: this.maskedFields,
      redacted: [...hidden],
      ...(withRecords && { records: hashes }),
    } as const
    return { body: Buffer.concat(pieces), masked }
  }

  /**
   * Undefined where the bytes are no object. `hidden` gets the names of the fields of which a value was
   * redacted.
   */
  #object(record: Buffer, hidden?: Set<string>, settled?: Settled): Buffer | undefined {
    return rewriteObject(record, (name, value) => {
      const isSettled = settled?.get(name) === value.bytes.toString('latin1', value.start, value.end)
      const kept = isSettled ? undefined : this.#value(name, value)
      if (kept === redactedValue) hidden?.add(name)
      return kept
    })
  }

  /** Undefined for a value that is kept as it stands. */
  #value(name: string, { bytes, start, end, kind, escaped }: MemberValue): string | undefined {
    const rule = this.#rules.get(name)
    if (rule === undefined) return redactedValue
    if (kind === kinds.null) return undefined
    if (kind >= kinds.object) return rule.nested ? undefined : redactedValue
    if (rule.mask === undefined) return undefined
    const isString = kind === kinds.string
    const [from, to] = isString ? [start + 1, end - 1] : [start, end]
    const source = escaped && isString ? unescape(bytes, from, to) : bytes.subarray(from, to)
    const text = this.#masked(rule, source)
    return text === undefined ? redactedValue : JSON.stringify(text)
  }

  /**
   * The mask of a text; undefined where it has none, and where the text could not have been loaded, so that
   * its mask cannot be either.
   */
  #masked(rule: FieldRule | undefined, source: Buffer): string | undefined {
    if (rule?.mask === undefined || !isUtf8(source) || source.includes(0)) return undefined
    const text = source.toString('utf8')
    if (rule.nullIf.includes(text)) return text
    try {
      const masked: unknown = rule.mask(text)
      return typeof masked === 'string' ? masked : undefined
    } catch {
      return undefined
    }
  }
}

function ruleOf(columns: readonly ModelColumn[]): FieldRule {
  const mask = columns.find((column) => column.mask !== undefined)?.mask
  return {
    mask: mask === undefined ? undefined : (text) => mask.apply(text),
    nullIf: columns.length === 1 ? (columns[0]?.nullIf ?? []) : [],
    nested: columns.every(
      ({ type, transform }) => type.kind === 'json' || type.kind === 'custom' || transform !== undefined,
    ),
  }
}
