/** The thread behind `Writer`: one connection, one transaction for each job, nothing that outlives it. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Code } from '../../core/errors.ts'
import { SqliteFile } from '../../core/sqlite.ts'
import type { SharedRows } from '../sql/encoded-rows.ts'
import type { Part, Verdict } from '../sink.ts'
import type { InsertModel } from './ddl.ts'
import { sinkError } from './errors.ts'
import { ValueRows } from './rows.ts'
import { type WritableBatch, writeBatch } from './write.ts'

export interface Job {
  readonly pipeline: string
  readonly model: InsertModel
  readonly parts: readonly Omit<Part, 'describe'>[]
  readonly rows: SharedRows
  readonly utc: readonly boolean[]
}

export type Answer =
  | { readonly kind: 'written'; readonly verdicts: readonly Verdict[] }
  /** A row would have been a reject. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'failed'; readonly code: Code; readonly message: string }

const { path, busyMs } = workerData as { readonly path: string; readonly busyMs: number | undefined }
/** Thrown through the transaction, which takes everything back. */
const refused = new Error('a row is refused')
const describe = (): never => {
  throw refused
}
let file: SqliteFile | undefined

function write({ pipeline, model, parts, rows, utc }: Job): Answer {
  const batch: WritableBatch = {
    pipeline,
    model,
    parts: parts.map((part) => ({ ...part, describe })),
    rows: ValueRows.of(rows, utc),
  }
  try {
    file ??= new SqliteFile(path, busyMs === undefined ? {} : { busyMs })
    return { kind: 'written', verdicts: writeBatch(file, batch) }
  } catch (error) {
    if (error === refused) return { kind: 'refused' }
    const { code, message } = sinkError(error, path)
    return { kind: 'failed', code, message }
  }
}

parentPort?.on('message', (job: Job | 'close') => {
  if (job !== 'close') return parentPort?.postMessage(write(job), [])
  file?.[Symbol.dispose]()
  return parentPort?.close()
})
