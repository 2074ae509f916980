/**
 * A thread that takes and frees the write locks of new files in turns, as a process does that is about to
 * make tables in them.
 */
import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'

export interface LockHolderData {
  readonly paths: readonly string[]
  /** 1 once the locks have been taken, 2 when they shall be left alone. */
  readonly state: Int32Array
}

const { paths, state } = workerData as LockHolderData
const turnMs = 5
const databases = paths.map((path) => new DatabaseSync(path, { timeout: 10_000 }))

while (Atomics.load(state, 0) < 2) {
  for (const database of databases) database.exec('BEGIN IMMEDIATE')
  Atomics.compareExchange(state, 0, 0, 1)
  Atomics.notify(state, 0)
  Atomics.wait(state, 0, 1, turnMs)
  for (const database of databases) database.exec('ROLLBACK')
  Atomics.wait(state, 0, 1, turnMs)
}
for (const database of databases) database.close()
