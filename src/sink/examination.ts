/** What an adapter of a database is asked by `lading doctor`. It answers with findings, and writes nothing that stays. */
import type { Finding } from '../core/finding.ts'
import type { Abortable } from '../core/wait.ts'
import type { ConflictPolicy, Model } from '../model/model.ts'
import type { TableName } from '../model/table.ts'
import type { RowBuffer } from '../model/writer.ts'
import type { Sink } from './sink.ts'

export interface SinkQuestions extends Abortable {
  /** Consumers that a load would have here. */
  readonly consumers: number
}

export interface SinkExamination extends AsyncDisposable {
  database(): AsyncIterable<Finding>
  /** After `database`: whether the table, and the database for it, can be looked at without leaving a trace. */
  readonly isUsable: boolean
  /** For questions alone, which it answers without leaving a trace. */
  readonly sink: Pick<Sink, 'table' | 'ledger'>
  table(questions: TableQuestions): AsyncIterable<Finding>
}

export interface TableQuestions {
  readonly name: TableName
  /** Of the records that are to be loaded, where it is known. */
  readonly model: Model | undefined
  readonly onConflict: ConflictPolicy
  /** Encodes records of a file as a load would, and returns the milliseconds that this took. */
  readonly sample?: ((rows: RowBuffer) => Promise<number>) | undefined
  /** Run the triggers of the table, on a copy, in a transaction that is rolled back. */
  readonly withTriggers: boolean
  /** About how long measuring may take. */
  readonly measureMs: number
}

/** The model of records that are whole rows: what is measured. */
export const withoutChanges = (model: Model): Model => ({ ...model, onConflict: 'error', deletes: false })
