/** Rows of a batch → a temporary table, from which everything else is SQL. It is outside of the batch's transaction. */
import { createRequire } from 'node:module'
import { type DuckDBAppender, DuckDBDataChunk, INTEGER } from '@duckdb/node-api'
import type { ColumnRows, ColumnValues } from './rows.ts'
import type { Session } from './session.ts'

/** Number of the row in the batch; the columns are c0, c1, … */
export const rowNumber = 'n'
const stageName = 'lading_rows'
export const stage = `temp.${stageName}`

/** Rows from `start` to before `end`. */
export interface Run {
  readonly start: number
  readonly end: number
}

/** What of the driver's lower layer is used: a vector that is filled value by value takes several times as long. */
interface Bindings {
  data_chunk_get_vector(chunk: unknown, column: number): unknown
  copy_data_to_vector(
    vector: unknown,
    at: number,
    source: ArrayBufferLike,
    start: number,
    bytes: number,
  ): void
  copy_data_to_vector_validity(
    vector: unknown,
    at: number,
    source: ArrayBufferLike,
    start: number,
    bytes: number,
  ): void
  vector_ensure_validity_writable(vector: unknown): void
  vector_assign_string_element_len(vector: unknown, index: number, bytes: Uint8Array): void
}

const ofDriver = createRequire(createRequire(import.meta.url).resolve('@duckdb/node-api'))
const bindings = ofDriver('@duckdb/node-bindings') as Bindings

/** DuckDB's own size of a vector. */
const mostInChunk = 2048

export async function stageRows(session: Session, rows: ColumnRows, runs: readonly Run[]): Promise<void> {
  const types = rows.columns.map(({ cell }) => cell.type)
  const columns = types.map((type, index) => `c${index} ${type.toString()}`)
  await session.exec(
    `CREATE OR REPLACE TEMP TABLE ${stageName} (${rowNumber} INTEGER, ${columns.join(', ')})`,
  )
  await session.append(stageName, (appender) => {
    const chunk = DuckDBDataChunk.create([INTEGER, ...types])
    for (const { start, end } of runs)
      for (let at = start; at < end; at += mostInChunk)
        appendChunk(appender, chunk, rows, at, Math.min(mostInChunk, end - at))
  })
}

function appendChunk(
  appender: DuckDBAppender,
  chunk: DuckDBDataChunk,
  rows: ColumnRows,
  first: number,
  count: number,
) {
  chunk.reset()
  chunk.rowCount = count
  copyNumbers(vectorOf(chunk, 0), first, count)
  for (const [index, column] of rows.columns.entries())
    copyColumn(vectorOf(chunk, index + 1), rows, column, first, count)
  appender.appendDataChunk(chunk)
}

const vectorOf = (chunk: DuckDBDataChunk, index: number): unknown =>
  bindings.data_chunk_get_vector(chunk.chunk, index)

function copyNumbers(vector: unknown, first: number, count: number): void {
  const numbers = Int32Array.from({ length: count }, (_, index) => first + index)
  bindings.copy_data_to_vector(vector, 0, numbers.buffer, 0, numbers.byteLength)
}

function copyColumn(
  vector: unknown,
  rows: ColumnRows,
  column: ColumnValues,
  first: number,
  count: number,
): void {
  const { cell, bytes, nulls, hasNulls, hasLong } = column
  const at = bytes.byteOffset + first * cell.width
  bindings.copy_data_to_vector(vector, 0, bytes.buffer, at, count * cell.width)
  if (hasNulls) copyNulls(vector, nulls, first, count)
  if (!cell.isText || !hasLong) return
  for (let index = 0; index < count; index++) {
    if (nulls[first + index] === 1) continue
    const text = rows.longText(column, first + index)
    if (text !== undefined) bindings.vector_assign_string_element_len(vector, index, text)
  }
}

/** One bit for each row, set where it has a value. */
function copyNulls(vector: unknown, nulls: Uint8Array, first: number, count: number): void {
  const valid = new Uint8Array(mostInChunk / 8).fill(0xff)
  for (let index = 0; index < count; index++)
    if (nulls[first + index] === 1) (valid[index >> 3] as number) &= ~(1 << (index & 7))
  bindings.vector_ensure_validity_writable(vector)
  bindings.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength)
}

const planName = 'lading_plan'
/** What becomes of the rows that are written: the row of the table that one takes the place of. */
export const plan = `temp.${planName}`

export interface Planned {
  readonly row: number
  /** `rowid` in the table; undefined for a row that is new. */
  readonly target: bigint | undefined
}

export async function stagePlan(session: Session, planned: readonly Planned[]): Promise<void> {
  await session.exec(`CREATE OR REPLACE TEMP TABLE ${planName} (${rowNumber} INTEGER, target BIGINT)`)
  await session.append(planName, (appender) => {
    for (const { row, target } of planned) {
      appender.appendInteger(row)
      if (target === undefined) appender.appendNull()
      else appender.appendBigInt(target)
      appender.endRow()
    }
  })
}
