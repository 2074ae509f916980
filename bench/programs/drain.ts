/**
 * Takes all messages of a queue with lading's own consumer and writes them nowhere: its sink encodes nothing
 * and counts. What this takes is the price of the queue, the client and the decoding; what `lading consume`
 * takes beyond it is the database's.
 *
 * Arguments: queue, module of the model.
 */
import type { Model, RunOptions, Sink } from '../../src/index.ts'
import { installed } from '../models.ts'

const [queueUrl, modelPath] = process.argv.slice(2) as [string, string]
const { createConsumer, openQueue } = (await import(installed)) as typeof import('../../src/index.ts')
const model = Object.values((await import(modelPath)) as Record<string, Model>)[0] as Model

const ignore = () => {}
const unknown = () => Promise.reject(new Error('a sink that only counts has no ledger'))

class CountingRows {
  rows = 0
  readonly bytes = 0
  #open = false
  startRow = () => void (this.#open = true)
  endRow = () => {
    if (this.#open) this.rows++
    this.#open = false
  }
  dropRow = () => void (this.#open = false)
  clear = () => void (this.rows = 0)
  null = ignore
  boolean = ignore
  integer = ignore
  bigint = ignore
  double = ignore
  numeric = ignore
  date = ignore
  timestamp = ignore
  time = ignore
  uuid = ignore
  bytea = ignore
  text = ignore
  json = ignore
  custom = ignore
}

let counted = 0
const sink: Sink = {
  place: 'nowhere',
  ledger: {
    receipts: unknown,
    messages: unknown,
    named: unknown,
    newest: unknown,
    forget: unknown,
    progress: () => Promise.resolve(undefined),
    zoneReleases: () => Promise.resolve([]),
    rejects: unknown,
    rejectGroups: unknown,
    editReject: unknown,
    discardRejects: unknown,
    deadLetters: unknown,
    discardDeadLetters: unknown,
    bury: unknown,
    fold: () => Promise.resolve(),
  },
  prepare: () => Promise.resolve({ deferred: false } as never),
  isEmpty: unknown,
  rows: () => new CountingRows(),
  write: ({ parts }) => {
    for (const { rows } of parts) counted += rows
    return Promise.resolve(
      parts.map(({ rows }) => ({ kind: 'applied', loaded: rows, rejected: 0, skipped: 0 }) as const),
    )
  },
  replayLetter: unknown,
  replayRejects: unknown,
  [Symbol.asyncDispose]: () => Promise.resolve(),
}

const run: RunOptions = { untilEmpty: true }
await using queue = await openQueue(queueUrl)
await createConsumer({ queue, model, sink }).run(run)
console.log(counted)
