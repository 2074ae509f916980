import { type Cells, quoted, unquoted } from '../core/cells.ts'
import type { Fault } from '../core/fault.ts'
import { type Model, type RowOf, sourceColumns, sourceNames } from './model.ts'
import { RecordDecoder } from './record.ts'
import { requireUse } from './signatures.ts'
import { ValueWriter } from './value-writer.ts'

/** A record's row, or the fault that rejects it. */
export type DecodedRecord<M extends Model> = { readonly row: RowOf<M> } | { readonly fault: Fault }

/** Values for the generated columns of a record. */
export interface RecordOrigin {
  /** Default: `record`. */
  readonly key?: string
  /** Default: now. */
  readonly at?: Date
}

/**
 * Decodes one record from texts by field name, exactly like the cells of a CSV file. For tests of a model and
 * for tools. Its result never quotes a value that a column masks.
 *
 * @throws LadingError `HOOK_FAILED` where the code of the model throws.
 * @example
 * decodeRecord(orders, { id: '7', total: '1e3', Note: null }) // { row: { id: 7n, total: '1000', note: null } }
 */
export function decodeRecord<M extends Model>(
  model: M,
  record: Readonly<Record<string, string | null>>,
  origin: RecordOrigin = {},
): DecodedRecord<M> {
  requireUse('decodeRecord', [model, record, origin])
  const { key = 'record', at = new Date() } = origin
  const fields = sourceColumns(model)
    .flatMap(sourceNames)
    .filter((name) => Object.hasOwn(record, name))
  const texts = fields.map((name) => record[name] ?? null)
  const writer = new ValueWriter(model)
  const fault =
    textFault(texts) ??
    new RecordDecoder(model, fields, writer).decode(cellsOf(texts), { keyOf: () => key, at: at.getTime() })
  if (fault !== undefined) return { fault }
  return {
    row: Object.fromEntries(
      model.columns.map((column, index) => [column.name, writer.values[index]]),
    ) as RowOf<M>,
  }
}

/** The checks that a file's bytes go through before decoding. */
function textFault(texts: readonly (string | null)[]): Fault | undefined {
  if (texts.some((text) => text?.includes('\0'))) return { code: 'NUL_BYTE', detail: 'a NUL in the record' }
  if (texts.some((text) => text?.isWellFormed() === false))
    return { code: 'LONE_SURROGATE', detail: 'half a surrogate pair in the record' }
  return undefined
}

function cellsOf(texts: readonly (string | null)[]): Cells {
  const parts = texts.map((text) => Buffer.from(text ?? ''))
  const ends = new Int32Array(parts.length)
  let end = 0
  for (const [index, part] of parts.entries()) ends[index] = end += part.length
  return {
    bytes: Buffer.concat(parts),
    count: texts.length,
    starts: Int32Array.from(parts, (part, index) => (ends[index] as number) - part.length),
    ends,
    quoting: Uint8Array.from(texts, (text) => (text === null ? unquoted : quoted)),
    unescaped: () => {
      // v8 ignore next -- the cells are made without escapes
      throw new Error('no cell is escaped')
    },
  }
}
