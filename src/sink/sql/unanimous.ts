/**
 * Distinguishes a table whose triggers or CHECK functions are broken from rows that they refuse. A function
 * is compiled when it is called, so a table that it cannot find or read shows only with the first row.
 */
import type { Part } from '../sink.ts'
import type { Placing, Refusal } from './place.ts'

/**
 * Rows of one load that may be refused in the same words, with none taken between, before they are the
 * table's fault.
 */
const mostRows = 10_000

/** The rows of one part that were refused. */
export interface RefusedRows {
  readonly part: Pick<Part, 'key' | 'load'>
  readonly rows: number
}

export class Unanimity {
  readonly #mostRows: number
  /** Of the error that has refused every row since one was taken. */
  #words: string | undefined
  /** By the key of the part: a batch that is written again counts once. */
  readonly #refused = new Map<string, number>()
  readonly #loads = new Set<string>()

  constructor(most = mostRows) {
    this.#mostRows = most
  }

  /** The table has taken a row. */
  clear(): void {
    this.#words = undefined
    this.#refused.clear()
    this.#loads.clear()
  }

  /**
   * Every row of a batch was refused with this message. Returns whether that is the table's fault: rows of
   * two loads, or too many rows, were refused with it, and none was accepted in between. External messages
   * belong to no load, so a few bad ones stop nothing.
   */
  isTables(words: string, refused: readonly RefusedRows[]): boolean {
    if (words !== this.#words) this.clear()
    this.#words = words
    for (const { part, rows } of refused) {
      if (rows === 0) continue
      this.#refused.set(part.key, rows)
      if (part.load !== undefined) this.#loads.add(part.load.id)
    }
    return (
      this.#loads.size > 1 || this.#refused.values().reduce((sum, rows) => sum + rows, 0) >= this.#mostRows
    )
  }
}

/** The error that refuses every row where the table is at fault. */
export function tableAtFault(
  { taken, objections }: Pick<Placing, 'taken' | 'objections'>,
  unanimity: Unanimity,
  refused: readonly (readonly [Part, readonly Refusal[]])[],
): unknown {
  const [objection, another] = objections
  if (taken || another !== undefined) unanimity.clear()
  if (taken || another !== undefined || objection === undefined) return undefined
  const [words, error] = objection
  const rows = refused.map(([part, own]) => ({
    part,
    rows: own.filter(({ fault }) => fault.detail === words).length,
  }))
  return unanimity.isTables(words, rows) ? error : undefined
}
