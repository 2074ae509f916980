import type { Model } from '../../../model/model.ts'
import type { RowBuffer } from '../../../model/writer.ts'
import { EncodedRows } from '../../sql/encoded-rows.ts'
import { identifiers } from '../table/ddl.ts'

/** Rows in one of the formats of COPY. */
export abstract class CopyRows extends EncodedRows {
  /** Sent before the first row and after the last one. */
  abstract readonly header: Buffer
  abstract readonly trailer: Buffer
  /** As COPY names it. */
  abstract readonly format: 'binary' | 'text'
}

/** What `PostgresSink.rows` makes. */
export type CopyBuffer = CopyRows & RowBuffer

/** The statement that takes rows of the model into a table; `more` is a column behind those of the model. */
export const copyInto = (table: string, model: Model, { format }: CopyRows, more?: string): string =>
  `COPY ${table} (${identifiers(model.columns.map((column) => column.name))}${more === undefined ? '' : `, ${more}`}) FROM STDIN (FORMAT ${format})`
