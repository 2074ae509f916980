/** The rows of the ledger for the parts of a batch, as COPY takes them. */
import type { Batch, Part } from '../sink.ts'
import { BinaryRows } from './copy/binary.ts'
import { inOrderOfEntry } from '../sql/place.ts'

export const ledgerTable = 'lading.ledger'

const columns = [
  'pipeline',
  'key',
  'sha256',
  'load_id',
  'outcome',
  'records',
  'loaded',
  'rejected',
  'skipped',
  'filtered',
]

/**
 * COPY takes half the work of an INSERT for the server, and with a message for each record there are
 * thousands. A key that is there already makes it fail before any row is sent to the table.
 */
export const copyEntries = `COPY ${ledgerTable} (${columns.join(', ')}) FROM STDIN (FORMAT binary)`

const applied = Buffer.from('applied')

export class Entries {
  readonly #rows = new BinaryRows(columns.length, { bytes: 1 << 16, isShared: false })

  /** The data of `copyEntries`; valid until the next call. */
  of({ pipeline, parts }: Batch): readonly Buffer[] {
    const rows = this.#rows
    rows.clear()
    const name = Buffer.from(pipeline)
    for (const part of parts.toSorted(inOrderOfEntry)) this.#add(name, part)
    return [rows.header, rows.slice(0, rows.rows), rows.trailer]
  }

  #add(pipeline: Buffer, { key, sha256, load, records, rows: loaded, filtered = 0 }: Part): void {
    const rows = this.#rows
    rows.startRow()
    rows.text(pipeline, 0, pipeline.length)
    rows.string(key, 'utf8')
    rows.string(sha256, 'hex')
    if (load === undefined) rows.null()
    else rows.string(load.id.replaceAll('-', ''), 'hex')
    rows.text(applied, 0, applied.length)
    rows.whole(records)
    rows.whole(loaded)
    rows.whole(records - loaded - filtered)
    rows.whole(filtered)
    rows.whole(filtered)
    rows.endRow()
  }
}
