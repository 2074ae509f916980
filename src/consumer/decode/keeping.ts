/**
 * What may be kept of messages and records outside their table, where the model masks columns: masked fields
 * masked, fields that the model does not know redacted, because anything may be in them, and the model's
 * other fields unchanged. What cannot be read is not kept at all. Where the model masks nothing, the original
 * is kept.
 */
import { asBuffer } from '../../core/bytes.ts'
import type { WantedField } from '../../core/cells.ts'
import type { Layout } from '../../core/load.ts'
import { sha256Of } from '../../core/sha256.ts'
import type { FieldValue, RecordText } from '../../format/format.ts'
import { formatOf, messageLayout } from '../../format/registry.ts'
import { type FieldMask, type FieldRule, fieldRules, maskedText } from '../../model/fields.ts'
import { isMasked, type Model, sourceColumns, sourceNames } from '../../model/model.ts'
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

/** Values by their field that are not to be masked, because they are masks already. */
export type Settled = ReadonlyMap<string, string>

/** What two values of a field have in common if they are the same. */
const settledText = ({ kind, bytes }: FieldValue): string => `${kind}:${bytes.toString('latin1')}`

/** The values of a record that was kept. */
export function settledIn(record: Buffer, layout: Layout, fields: readonly string[]): Settled {
  const values = new Map<string, string>()
  textOf(layout)?.rewrite(
    record,
    layout,
    (field, value) => void values.set(field, settledText(value)),
    fields,
  )
  return values
}

const textOf = (layout: Layout): RecordText | undefined => formatOf(layout)?.record

export class Keeping {
  readonly #rules: Map<string, FieldRule>
  /** Those that have a rule. */
  readonly fields: readonly string[]
  /** In the order of the columns. */
  readonly maskedFields: readonly string[]

  readonly #messages: Layout

  private constructor(model: Model, keyField: string | undefined, layout: Layout) {
    this.#messages = layout
    this.#rules = fieldRules(model, layout)
    // It identifies records in the ledger, so that it is kept there anyway.
    if (keyField !== undefined && !this.#rules.has(keyField))
      this.#rules.set(keyField, { mask: undefined, takesParts: false })
    this.fields = [...this.#rules.keys()]
    const columns = sourceColumns(model)
    this.maskedFields = columns.filter(({ mask }) => mask !== undefined).flatMap(sourceNames)
  }

  /** Undefined where the model masks nothing. `layout`: how the records lie, by default in messages. */
  static of(model: Model, keyField?: string, layout: Layout = messageLayout): Keeping | undefined {
    return isMasked(model) ? new Keeping(model, keyField, layout) : undefined
  }

  /** The mask of a field, where one of its columns has one. */
  maskOf(field: string): FieldMask | undefined {
    return this.#rules.get(field)?.mask
  }

  /** The record as it may be kept. */
  record(text: Buffer, layout: Layout, settled?: Settled): Buffer {
    return this.#record(text, layout, undefined, settled) ?? Buffer.from(redactedBytes(text.length))
  }

  /**
   * A message that is kept whole: its headers with their names alone, its body with its records as above. Of
   * a Lading chunk the envelope is kept and no byte of its body: its file has them. `readable` is false for
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

  /**
   * The records of an external message; undefined where there are none to be read. What stands around them
   * is not kept if they had to be looked for: they are an array then.
   */
  #records(
    body: Buffer,
    withRecords: boolean,
  ): { readonly body: Buffer; readonly masked: MaskedBody } | undefined {
    const layout = this.#messages
    const isApart = layout !== messageLayout
    const reader = formatOf(layout)?.reader(layout, this.#wanted(), true)
    if (reader === undefined || reader.open(body) !== undefined) return undefined
    const pieces: Buffer[] = []
    const hidden = new Set<string>()
    const hashes: string[] = []
    let at = 0
    while (reader.next()) {
      const { recordStart, recordEnd } = reader
      const record = reader.text ?? body.subarray(recordStart, recordEnd)
      const kept = this.#record(record, messageLayout, hidden)
      const before = isApart ? Buffer.from(pieces.length === 0 ? '[' : ',') : body.subarray(at, recordStart)
      // The body stays one that can be read, so that other records of it can be loaded.
      pieces.push(before, kept ?? Buffer.from(JSON.stringify(redactedBytes(record.length))))
      at = recordEnd
      if (withRecords) hashes.push(sha256Of(record))
    }
    pieces.push(isApart ? Buffer.from(pieces.length === 0 ? '[]' : ']') : body.subarray(at))
    const masked = {
      v: 1,
      masked: this.maskedFields,
      redacted: [...hidden],
      ...(withRecords && { records: hashes }),
      ...(isApart && { isApart }),
    } as const
    return { body: Buffer.concat(pieces), masked }
  }

  /** So that a record has of its envelope what columns read. */
  #wanted(): WantedField[] {
    return this.fields.map((name) => ({ name, take: 'either' }))
  }

  /**
   * Undefined where the bytes are no record. `hidden` gets the names of the fields of which a value was
   * redacted.
   */
  #record(record: Buffer, layout: Layout, hidden?: Set<string>, settled?: Settled): Buffer | undefined {
    const keep = (field: string, value: FieldValue) => {
      if (value.kind === 'null' || settled?.get(field) === settledText(value)) return undefined
      const kept = this.#kept(field, value)
      if (kept === redacted) hidden?.add(field)
      return kept
    }
    return textOf(layout)?.rewrite(record, layout, keep, this.fields)
  }

  /** Undefined for a value that is kept as it stands. */
  #kept(field: string, { kind, bytes }: FieldValue): string | undefined {
    const rule = this.#rules.get(field)
    if (rule === undefined) return redacted
    if (kind === 'nested') return rule.takesParts ? undefined : redacted
    return rule.mask === undefined ? undefined : (maskedText(rule.mask, bytes) ?? redacted)
  }
}
