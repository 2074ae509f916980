/** What the conformance suite needs to know of a database, and what it builds for every test. */
import { createHash, randomUUID } from 'node:crypto'
import {
  type Batch,
  type BatchVerdict,
  type Cells,
  type ColumnType,
  type DeadLetter,
  type Fault,
  type Layout,
  type LoadInfo,
  type Model,
  type Part,
  RecordDecoder,
  type Reject,
  type RejectReplay,
  type RowBuffer,
  type Sink,
  type StoredDeadLetter,
  type StoredReject,
  type Verdict,
} from 'lading'

export type Row = Readonly<Record<string, unknown>>

/** A row of the ledger: the verdict on one part. */
export interface Entry {
  readonly key: string
  readonly outcome: string
  readonly records: number
  readonly loaded: number
  readonly rejected: number
  readonly skipped: number
}

/** An empty database of a test's own, and what the tests ask of it beside the sink. */
export interface Target extends AsyncDisposable {
  /** What sinks of one process are asked for happens one after the other, in the order of asking: a race has one course. */
  readonly takesTurns?: true
  /** Another sink on the same database; the test disposes of it. */
  open(): Sink
  /** The rows of a model's table, by the names of its columns. */
  rows(table: string): Promise<readonly Row[]>
  /** A column's values in the form of `ValueWriter`, as text, in the order of the column `id`. */
  texts(table: string, column: string, kind: ColumnType['kind']): Promise<readonly (string | null)[]>
  /** The rows of the ledger. */
  entries(): Promise<readonly (Entry & { readonly pipeline: string })[]>
  /**
   * From here on every write that touches these rows fails as a full disk does, until the function that is
   * returned has been called.
   */
  breakDown(where: { readonly table: string } | 'ledger' | 'rejects'): Promise<() => Promise<unknown>>
}

export type OpenTarget = () => Promise<Target>

/** A record as the cells of a CSV line; null is an unquoted empty cell, undefined a field that it lacks. */
export type Texts = readonly (string | null | undefined)[]

/** The record of this key deletes its row: its other cells do not count. */
export const deletion = 'delete'

export interface Delivery {
  readonly key: string
  readonly records: readonly Texts[]
  readonly sha256?: string
  readonly load?: LoadInfo
  readonly layout?: Layout
  readonly rejects?: readonly Reject[]
  /** Records that are left out on purpose. */
  readonly filtered?: number
}

export const pipeline = 'test'

export const sha256 = (content: unknown): string =>
  createHash('sha256').update(JSON.stringify(content)).digest('hex')

/**
 * Encodes the records into a batch. A row that the database refuses is described by its number in its part.
 */
export function batchOf<Rows extends RowBuffer>(
  sink: Sink<Rows>,
  model: Model,
  deliveries: readonly Delivery[],
): Batch<Rows> {
  const rows = sink.rows(model)
  for (const { records } of deliveries) encode(rows, model, records)
  return { pipeline, model, parts: deliveries.map(partOf), rows }
}

export const write = (
  sink: Sink,
  model: Model,
  deliveries: readonly Delivery[],
): Promise<readonly BatchVerdict[]> => sink.write(batchOf(sink, model, deliveries))

export const replayLetter = (
  sink: Sink,
  model: Model,
  letter: StoredDeadLetter | undefined,
  deliveries: readonly Delivery[],
): Promise<readonly Verdict[]> => sink.replayLetter(letter?.id ?? -1, batchOf(sink, model, deliveries))

/** A reject once more: with its record as it is now, or what is still wrong with it. */
export interface Again {
  readonly id: number | undefined
  readonly record?: Texts
  readonly fault?: Fault
  readonly claim?: RejectReplay['claim']
}

export function replay(sink: Sink, model: Model, again: readonly Again[]): Promise<readonly Verdict[]> {
  const rows = sink.rows(model)
  encode(
    rows,
    model,
    again.flatMap(({ record }) => (record === undefined ? [] : [record])),
  )
  const replays = again.map(({ id = -1, fault, claim }) => {
    return { id, fault, claim, describe: (each: Fault) => ({ ...each, span: { start: 1, end: 3 } }) }
  })
  return sink.replayRejects({ pipeline, model, replays, rows })
}

export function encode(rows: RowBuffer, model: Model, records: readonly Texts[]): void {
  const names = model.columns.map(({ name }) => name)
  const decoder = new RecordDecoder(model, names, rows)
  for (const record of records) {
    const isDeletion = record.at(-1) === deletion && model.deletes === true
    const fault = isDeletion ? decoder.delete(cellsOf(record)) : decoder.decode(cellsOf(record))
    if (fault !== undefined) throw new Error(`${fault.column}: ${fault.code} ${fault.detail}`)
  }
}

function cellsOf(texts: Texts): Cells {
  const bytes = Buffer.from(texts.join(''))
  const ends: number[] = []
  for (const text of texts) ends.push((ends.at(-1) ?? 0) + Buffer.byteLength(text ?? ''))
  return {
    bytes,
    count: texts.length,
    starts: Int32Array.from([0, ...ends.slice(0, -1)]),
    ends: Int32Array.from(ends),
    quoting: Uint8Array.from(texts, (text) => (typeof text === 'string' ? 1 : 0)),
    isAbsent: (cell) => texts[cell] === undefined,
    unescaped: () => bytes,
  }
}

function partOf(delivery: Delivery): Part {
  const { key, records, load, layout, rejects = [], filtered } = delivery
  return {
    key,
    sha256: delivery.sha256 ?? sha256([key, records, rejects.length]),
    load,
    layout,
    records: records.length + rejects.length + (filtered ?? 0),
    rows: records.length,
    rejects,
    filtered,
    describe: (row, fault) => rejectOf(row, fault, `${records[row]}`),
  }
}

export const rejectOf = (record: number, fault: Fault, raw: string | Uint8Array): Reject => ({
  ...fault,
  record,
  line: record + 2,
  byte: record * 10,
  source: 'test.csv',
  raw: typeof raw === 'string' ? Buffer.from(raw) : raw,
})

export const loadOf = (chunks: number, records: number, plan = 'a plan'): LoadInfo => ({
  id: randomUUID(),
  source: 'test.csv',
  sha256: sha256('file'),
  bytes: 1000,
  plan: sha256(plan),
  chunks,
  records,
})

export const letterOf = (delivery: Delivery, more: Partial<DeadLetter> = {}): DeadLetter => ({
  pipeline,
  key: delivery.key,
  sha256: partOf(delivery).sha256,
  load: delivery.load,
  records: delivery.records.length,
  headers: { kind: 'test' },
  body: Buffer.from('body'),
  attempts: 3,
  code: 'UNPROCESSABLE',
  detail: 'as a test',
  ...more,
})

export const applied = (loaded: number, rejected = 0, skipped = 0): Verdict => ({
  kind: 'applied',
  loaded,
  rejected,
  skipped,
})

export const duplicate: Verdict = { kind: 'duplicate' }

/** The values of one column as numbers, sorted. */
export async function numbers(target: Target, table: string, column = 'id'): Promise<number[]> {
  return (await target.rows(table)).map((row) => Number(row[column])).sort((a, b) => a - b)
}

export const count = async (target: Target, table: string): Promise<number> =>
  (await target.rows(table)).length

/** The rows of the ledger, in the order of their keys. */
export async function entries(target: Target): Promise<Entry[]> {
  const all = await target.entries()
  const own = all.map(({ key, outcome, records, loaded, rejected, skipped }) => {
    return { key, outcome, records, loaded, rejected, skipped }
  })
  return own.sort((a, b) => (a.key < b.key ? -1 : 1))
}

export const allRejects = (sink: Sink): Promise<readonly StoredReject[]> =>
  sink.ledger.rejects({ limit: 1000 })
