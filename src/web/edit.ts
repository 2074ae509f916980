/**
 * A reject's record, as a person corrects it on the page: cell by cell where its layout names the cells, so
 * that the other bytes stay as they are, or as text.
 */
import { isUtf8 } from 'node:buffer'
import { asBuffer } from '../core/bytes.ts'
import { LadingError } from '../core/errors.ts'
import { maxRawBytes } from '../core/fault.ts'
import type { Layout } from '../core/load.ts'
import { sha256Of } from '../core/sha256.ts'
import { isRedactedRecord } from '../consumer/decode/keeping.ts'
import type { Format } from '../format/format.ts'
import { formatOf } from '../format/registry.ts'
import { layoutOf } from '../review/redecode.ts'
import type { StoredReject } from '../sink/ledger.ts'
import type { EditedField, Editing } from './answers.ts'

/** A larger record is corrected with `lading rejects edit`. */
export const mostEditBytes = 262_144
/** More cells are not shown one by one. */
const mostFields = 256

/** What a person made of a record: all of it, some of its cells, or the original again. */
export type Correction =
  | { readonly text: string }
  | { readonly fields: readonly (readonly [cell: number, text: string])[] }
  | { readonly original: true }

const bytesOf = ({ edited, raw }: StoredReject): Buffer => asBuffer(edited ?? raw)

/** An original that is back is no correction. */
export const isCorrected = ({ edited, raw }: StoredReject): boolean =>
  edited !== undefined && !asBuffer(edited).equals(raw)

const versionOf = (reject: StoredReject): string => sha256Of(bytesOf(reject))

export function editingOf(reject: StoredReject): Editing {
  const bytes = bytesOf(reject)
  const isText = isUtf8(bytes)
  const known = { version: versionOf(reject), canUndo: canUndo(reject) }
  if (bytes.length > mostEditBytes)
    return {
      ...known,
      note: `The record is larger than ${mostEditBytes / 1024} KiB: use lading rejects edit.`,
    }
  const fields = fieldsOf(reject, bytes)
  const text = isText ? bytes.toString('utf8') : undefined
  return { ...known, fields, text, note: noteOf(reject, bytes, fields !== undefined) }
}

function noteOf({ edited }: StoredReject, bytes: Buffer, hasFields: boolean): string | undefined {
  if (edited === undefined && bytes.length >= maxRawBytes)
    return `Only the first ${maxRawBytes / 1024} KiB of the record were kept: enter the whole record.`
  if (isRedactedRecord(bytes)) return 'The record was not kept: enter the whole record.'
  if (isUtf8(bytes)) return undefined
  return hasFields
    ? 'The record is not valid UTF-8: a cell that is not can only be replaced as a whole.'
    : 'The record is not valid UTF-8 and cannot be edited as text: download it, and use lading rejects edit.'
}

/** What was masked in the original is known only until it is edited. */
const canUndo = (reject: StoredReject): boolean => isCorrected(reject) && reject.masked?.length === 0

/** Undefined where the layout names no cells, or the record does not have them. */
function fieldsOf(reject: StoredReject, bytes: Buffer): EditedField[] | undefined {
  const layout = layoutOf(reject)
  const format = layout && formatOf(layout)
  const names = layout?.fields.length ?? 0
  if (layout === undefined || format === undefined || names === 0 || names > mostFields) return undefined
  const cells: (string | undefined)[] = []
  const whole = format.record.rewrite(bytes, layout, (_, value) => {
    cells.push(isUtf8(value.bytes) ? value.bytes.toString('utf8') : undefined)
    return undefined
  })
  if (whole === undefined || cells.length !== names) return undefined
  const bad = badCell(reject, bytes, layout, format)
  return layout.fields.map((name, cell) => ({ name, text: cells[cell], isBad: cell === bad }))
}

/** The place of the fault; once the record was edited, only its column is known. */
function badCell({ span, column }: StoredReject, bytes: Buffer, layout: Layout, { record }: Format): number {
  if (span === undefined) return layout.fields.indexOf(column ?? '')
  return layout.fields.findIndex((name, cell) => {
    const at = record.locate(bytes, layout, name, cell)
    return at !== undefined && at.start <= span.start && span.end <= at.end
  })
}

/** The reject to be edited, and its new record; throws if that is not what the person has seen. */
export function corrected(
  reject: StoredReject,
  version: string,
  correction: Correction,
): { readonly reject: StoredReject; readonly record: Uint8Array } {
  const { id, state, raw } = reject
  if (state !== 'open') throw new LadingError('NOT_FOUND', `reject ${id} is no longer open: it was ${state}`)
  if (version !== versionOf(reject))
    throw new LadingError('NOT_FOUND', `the record of reject ${id} was changed meanwhile: look at it again`)
  if ('text' in correction) return { reject, record: Buffer.from(correction.text) }
  if ('fields' in correction) return { reject, record: withFields(reject, new Map(correction.fields)) }
  if (!canUndo(reject))
    throw new LadingError('RECORD_NOT_KEPT', 'the original holds masks, and cannot be told from a correction')
  return { reject: { ...reject, edited: undefined }, record: raw }
}

function withFields(reject: StoredReject, texts: ReadonlyMap<number, string>): Buffer {
  const layout = layoutOf(reject)
  let cell = 0
  const record = layout && formatOf(layout)?.record.rewrite(bytesOf(reject), layout, () => texts.get(cell++))
  if (record === undefined)
    throw new LadingError(
      'COLUMN_COUNT',
      'the file has no way to write these cells (a delimiter or a line end without quotes)',
    )
  return record
}
