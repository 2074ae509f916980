/**
 * Tells before a load whether it will work, how safe and how fast, and what to change. Each part is examined by
 * itself: one that fails is a finding, and hides no other. Writes nothing that stays.
 */
import { LadingError } from '../core/errors.ts'
import { failure, type Finding, findingsAbout, type Subject } from '../core/finding.ts'
import { stemOf } from '../infer/inspect.ts'
import { modelOfChanges } from '../model/change.ts'
import { sqlName } from '../model/match.ts'
import type { Model } from '../model/model.ts'
import { nameOf, type TableName } from '../model/table.ts'
import { examineQueue } from '../queue/registry.ts'
import type { SinkExamination, TableQuestions } from '../sink/examination.ts'
import { examineSink } from '../sink/registry.ts'
import { type FilesFound, type FilesOptions, lookAtFiles } from './files.ts'
import { examineMachine } from './machine.ts'

/** The load that is asked about. */
export interface DoctorOptions extends FilesOptions {
  /** URL of the database. */
  readonly to: string
  /** URL of the queue. */
  readonly queue: string
  readonly model?: Model | undefined
  /** Whether a load would make the queue if there is none (default). */
  readonly create?: boolean
  /** Consumers that a load would have here. */
  readonly consumers?: number
  /** Run the triggers of the table too, on a copy, in a transaction that is rolled back. */
  readonly withTriggers?: boolean
  /** About how long measuring the table may take, in milliseconds. */
  readonly measureMs?: number
  /** Told what is looked at next, which may take seconds. */
  readonly onLook?: (at: Subject) => void
}

const defaultMeasureMs = 3_000

/** What would stand against a load, how safe and how fast it would be, and what to change; nothing is written. */
export async function* examine(options: DoctorOptions): AsyncGenerator<Finding> {
  for await (const finding of examined(options)) {
    // What a stop has broken off would look like a fault of the database or the queue.
    if (options.signal?.aborted === true)
      throw new LadingError('ABORTED', 'stopped before everything was looked at')
    yield finding
  }
}

async function* examined(options: DoctorOptions): AsyncGenerator<Finding> {
  const { to, queue, consumers = 1, create = true, onLook, signal } = options
  onLook?.('machine')
  yield* examineMachine(options.statePath, consumers)
  onLook?.('queue')
  yield* guarded('queue', () => examineQueue(queue, { create, signal }))
  await using kept = new AsyncDisposableStack()
  let isUsable = false
  onLook?.('database')
  try {
    const examination = kept.use(await examineSink(to, { consumers, signal }))
    yield* examination.database()
    isUsable = examination.isUsable
    const sink = isUsable ? examination.sink : undefined
    if (options.paths.length > 0) onLook?.('files')
    const files = await lookAtFiles(options, sink)
    kept.defer(() => files[Symbol.asyncDispose]())
    yield* files.findings
    const questions = await questionsOf(options, files, sink)
    if (isUsable && questions !== undefined) {
      onLook?.('table')
      yield* examination.table(questions)
    } else if (!isUsable)
      yield findingsAbout('table').note('table', 'not looked at, for what stands against the database above')
  } catch (thrown) {
    yield failure('database', 'connection', thrown)
  }
}

async function* guarded(
  about: 'queue',
  open: () => Promise<AsyncIterable<Finding>>,
): AsyncGenerator<Finding> {
  try {
    yield* await open()
  } catch (thrown) {
    yield failure(about, 'connection', thrown)
  }
}

/** Undefined where neither a model, nor an option, nor a file names a table. */
async function questionsOf(
  options: DoctorOptions,
  files: FilesFound,
  sink: SinkExamination['sink'] | undefined,
): Promise<TableQuestions | undefined> {
  const { withTriggers = false, measureMs = defaultMeasureMs } = options
  const model = files.model && modelOfChanges(files.model, options.unwrap)
  const name = await tableOf(options, model, sink)
  const onConflict = model?.onConflict ?? options.choices?.onConflict ?? 'error'
  return name && { name, model, onConflict, sample: files.sample, withTriggers, measureMs }
}

async function tableOf(
  { paths, signal, ...options }: DoctorOptions,
  model: Model | undefined,
  sink: SinkExamination['sink'] | undefined,
): Promise<TableName | undefined> {
  if (model !== undefined) return { schema: model.schema, table: model.table }
  // Where the files could not be read with the table, its rights may say why.
  const named = paths.length === 1 ? sqlName(stemOf({ name: paths[0] as string })) : ''
  const table = options.table ?? (named === '' ? undefined : { table: named })
  if (table === undefined) return undefined
  // It may differ in case. What the role may not see, the rights say.
  const facts = await sink?.table?.(table, { signal }).catch(() => undefined)
  return nameOf(facts ?? table)
}
