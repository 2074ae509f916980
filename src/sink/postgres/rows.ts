import { EncodedRows } from '../encoded-rows.ts'

/** Rows in one of the formats of COPY. */
export abstract class CopyRows extends EncodedRows {
  /** Sent before the first row and after the last one. */
  abstract readonly header: Buffer
  abstract readonly trailer: Buffer
  /** As COPY names it. */
  abstract readonly format: 'binary' | 'text'
}
