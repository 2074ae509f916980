/** Writes messages into the queue's file, as far as its disk has room beside what consumers need. */
import { LadingError } from '../../core/errors.ts'
import type { SqliteFile } from '../../core/sqlite.ts'
import { sleep } from '../../core/wait.ts'
import type { Outgoing } from '../queue.ts'
import { sized, type Space } from './space.ts'

/** `available_at` of a message that waits for nothing. */
export const atOnce = 0
/**
 * How long working consumers have for making room before it is reported, and how often that is looked at, in
 * milliseconds.
 */
const patienceMs = 1_000
const pollMs = 25

interface Row {
  readonly key: string
  readonly headers: string
  readonly bytes: number
  readonly body: Uint8Array
}

export class Producer {
  readonly #file: SqliteFile
  readonly #space: Space
  readonly #guard: <T>(work: () => T) => T
  /**
   * How many of the messages the queue holds, of a call that found no room for all: trying it again goes on
   * there.
   */
  readonly #taken = new WeakMap<readonly Outgoing[], number>()

  /** `guard` turns errors of the file into ours. */
  constructor(file: SqliteFile, space: Space, guard: <T>(work: () => T) => T) {
    this.#file = file
    this.#space = space
    this.#guard = guard
  }

  /** False where there is no room for all, and no consumer makes any. */
  async publish(messages: readonly Outgoing[], signal: AbortSignal | undefined): Promise<boolean> {
    const rows = messages.map(rowOf)
    let taken = this.#taken.get(messages) ?? 0
    for (let since = performance.now(); taken < rows.length;) {
      const count = this.#guard(() => this.#write(rows.slice(taken)))
      taken += count
      this.#taken.set(messages, taken)
      if (count > 0) since = performance.now()
      else if (performance.now() - since > patienceMs || signal?.aborted || this.#isEmpty()) return false
      else await sleep(pollMs, signal)
    }
    this.#taken.delete(messages)
    return true
  }

  /** Writes all of them, or the first, or none, as there is room, and returns how many. */
  #write(rows: readonly Row[]): number {
    if (this.#tryToWrite(rows)) return rows.length
    this.#space.reclaim()
    if (this.#tryToWrite(rows)) return rows.length
    return rows.length > 1 && this.#tryToWrite(rows.slice(0, 1)) ? 1 : 0
  }

  /** Asks for room within the transaction, so that no other process takes it in between. */
  #tryToWrite(rows: readonly Row[]): boolean {
    return this.#file.transaction(() => {
      if (!this.#space.has(rows)) return false
      const head = this.#file.prepare(
        'INSERT INTO message (key, headers, bytes, available_at, published_at) VALUES (?, ?, ?, ?, ?)',
      )
      const body = this.#file.prepare('INSERT INTO body (id, body) VALUES (?, ?)')
      const now = Date.now()
      for (const row of rows)
        body.run(head.run(row.key, row.headers, row.bytes, atOnce, now).lastInsertRowid, row.body)
      return true
    })
  }

  #isEmpty(): boolean {
    return this.#guard(() => this.#file.get('SELECT 1 FROM message WHERE dead = 0 LIMIT 1')) === undefined
  }
}

const rowOf = ({ key, headers, weight, body }: Outgoing): Row => ({
  key,
  headers: JSON.stringify(headers),
  bytes: weight ?? body.length,
  body,
})

/** Reports which process waits for which. */
export function noRoom(path: string, free: number, waiting: number): LadingError {
  const disk = `queue ${path}: its disk has ${sized(free)} free`
  if (waiting === 0)
    return new LadingError('QUEUE_HOLD', `${disk}, and the queue is empty: something else fills it`)
  const who = `which consumers need to settle the ${waiting} messages that wait; publishing goes on when they have taken some`
  return new LadingError('QUEUE_HOLD', `${disk}, ${who}`)
}
