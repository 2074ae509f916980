/**
 * Batches are written by a thread of their own, so that the next one is decoded meanwhile. The thread writes
 * what SQLite takes without refusing a row; a batch of which a row is refused comes back untouched, because
 * only this side can describe a record.
 */
import { Worker } from 'node:worker_threads'
import { LadingError } from '../../core/errors.ts'
import type { Batch, Part, Verdict } from '../sink.ts'
import type { ValueRows } from './rows.ts'
import type { Answer, Job } from './writer-thread.ts'

interface Waiting {
  readonly resolve: (verdicts: readonly Verdict[] | undefined) => void
  readonly reject: (error: unknown) => void
}

const entry = import.meta.url.endsWith('.ts') ? './writer-thread.ts' : './writer-thread.js'

function plain({ key, sha256, load, layout, records, rows, rejects, filtered }: Part): Job['parts'][number] {
  // A copy of a view would take along all the bytes behind it.
  const own = rejects.map((reject) => ({ ...reject, raw: new Uint8Array(reject.raw) }))
  return { key, sha256, load, layout, records, rows, rejects: own, filtered }
}

export class Writer implements AsyncDisposable {
  readonly #options: { readonly path: string; readonly busyMs: number | undefined }
  /** Jobs that are not answered; the thread takes them in their order. */
  readonly #waiting: Waiting[] = []
  #thread: Worker | undefined

  constructor(path: string, busyMs: number | undefined) {
    this.#options = { path, busyMs }
  }

  /** Starts the thread if it is not there: it takes some dozens of milliseconds. */
  start(): Worker {
    if (this.#thread !== undefined) return this.#thread
    const thread = new Worker(new URL(entry, import.meta.url), { workerData: this.#options })
    thread.on('message', (answer: Answer) => {
      if (this.#thread === thread) this.#answer(answer)
    })
    thread.on('error', (cause) => this.#lost(thread, cause))
    thread.on('exit', () => this.#lost(thread, undefined))
    // Who forgets to close the sink shall not wait for it.
    thread.unref()
    this.#thread = thread
    return thread
  }

  /** Undefined if a row of the batch is refused; then nothing of it has taken effect. */
  write(batch: Batch<ValueRows>): Promise<readonly Verdict[] | undefined> {
    const { pipeline, parts } = batch
    const { table, primaryKey, onConflict, arbiter, deletes = false, version, columns } = batch.model
    const { rows } = batch
    const job: Job = {
      pipeline,
      model: {
        table,
        primaryKey,
        onConflict,
        arbiter,
        deletes,
        version,
        columns: columns.map(({ name }) => ({ name })),
      },
      parts: parts.map(plain),
      rows: rows.share(),
      utc: rows.utc,
    }
    const thread = this.start()
    return new Promise((resolve, reject) => {
      thread.postMessage(job, [])
      if (this.#waiting.push({ resolve, reject }) === 1) thread.ref()
    })
  }

  #answer(answer: Answer): void {
    const waiting = this.#waiting.shift()
    if (this.#waiting.length === 0) this.#thread?.unref()
    if (answer.kind === 'failed') waiting?.reject(new LadingError(answer.code, answer.message))
    else waiting?.resolve(answer.kind === 'written' ? answer.verdicts : undefined)
  }

  /** The next write starts another thread. */
  #lost(thread: Worker, cause: unknown): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    const detail = cause instanceof Error ? cause.message : 'it ended'
    const error = new LadingError(
      'SINK_FAILED',
      `SQLite ${this.#options.path}: the thread that writes is lost: ${detail}`,
      { cause },
    )
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  /** Waits for what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    const thread = this.#thread
    if (thread === undefined) return
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
    thread.ref()
    thread.postMessage('close', [])
    await ended
  }
}
