/** A larger record is refused, its line end not counted: it is taken for a quote that is never closed. */
export const maxRecordBytes = 16 * 1024 * 1024

/**
 * A larger chunk travels as bytes or not at all, so that nobody can make a consumer hold more: one of the
 * usual size has 1 MiB, a record at most 16.
 */
export const maxReferenceBytes = 64 * 1024 * 1024

/** How the records of a load are written. */
export interface Layout {
  /** Names of the cells, in their order. */
  readonly fields: readonly string[]
  readonly delimiter: string
  readonly quote: string
}

/** What a chunk says of the load that it belongs to. */
export interface LoadInfo {
  readonly id: string
  /** The source's name, as a person knows it. */
  readonly source: string
  /** sha256 of the whole (decompressed) source, in hexadecimal, and its size. */
  readonly sha256: string
  readonly bytes: number
  /**
   * Hash of the frozen plan, in hexadecimal; the first plan that the ledger sees of a load is the only one it
   * takes.
   */
  readonly plan: string
  readonly chunks: number
  readonly records: number
}
