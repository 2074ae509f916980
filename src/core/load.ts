/** A larger record is refused, its line end not counted: it is taken for a quote that is never closed. */
export const maxRecordBytes = 16 * 1024 * 1024

/**
 * A larger chunk travels as bytes or not at all, so that nobody can make a consumer hold more: one of the
 * usual size has 1 MiB, a record at most 16.
 */
export const maxReferenceBytes = 64 * 1024 * 1024

/**
 * How the records of a load lie in their bytes: what a format needs to read one again. Plain JSON, kept in the
 * producer's state, in envelopes and in the ledger; beyond `format` and `fields` the keys are the format's own.
 */
export interface Layout {
  /** Name of the format; without it CSV, the only one that version 0.1.0 writes. */
  readonly format?: string
  /** Names of the cells, in their order; empty where each record names its own. */
  readonly fields: readonly string[]
  readonly [key: string]: unknown
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
