/**
 * What a producer remembers between runs: the frozen plan of each load, and which of its chunks the queue
 * holds. Losing it is harmless: the same file gives the same plan and the same keys again, and the ledger
 * absorbs what comes twice. That is why its writes do not wait for the disk.
 */
import type { Layout } from '../core/load.ts'
import type { Reading } from '../format/reading.ts'
import type { Plan, PlannedChunk } from './plan.ts'
import { StateFile } from './state-file.ts'

/** A load with a frozen plan. */
export interface PlannedLoad extends Omit<Plan, 'leftOut' | 'warnings'> {
  readonly no: number
  readonly id: string
  readonly pipeline: string
  readonly path: string
  readonly name: string
  /** When the queue held the last chunk, ISO 8601; undefined before. */
  readonly publishedAt: string | undefined
  /** Place of the database that the chunks were published for; undefined where any consumer may take them. */
  readonly target: string | undefined
}

interface Row {
  readonly no: number
  readonly id: string
  readonly queue: string
  readonly target: string | null
  readonly pipeline: string
  readonly path: string
  readonly name: string
  readonly state: string
  readonly layout: string
  readonly reading: string | null
  readonly model: string
  readonly sha256: string
  readonly bytes: number
  readonly plan: string
  readonly chunks: number
  readonly records: number
  readonly published_at: string | null
}

/** A plan that is being made. */
export interface Draft {
  readonly no: number
  readonly path: string
  /** Takes the chunks, in order; `flush` after the last one. */
  readonly add: (chunk: PlannedChunk) => void
  readonly flush: () => void
}

/** Chunks read or written at once. */
const page = 256

export class ProducerState implements Disposable {
  readonly #file: StateFile
  /**
   * Identifies the queue and the target: what a queue holds for one database says nothing about another queue
   * or database.
   */
  readonly #queue: string
  readonly #target: string | undefined

  /**
   * `queue` is the id of the queue, `target` the place of the database that chunks are published for, where
   * they are for one.
   */
  constructor(path: string, queue: string, target?: string) {
    this.#queue = scopeOf(queue, target)
    this.#target = target
    this.#file = new StateFile(path)
    // Left behind by producers that were killed while they planned; no plan takes a day.
    this.#file.run('DELETE FROM load WHERE id IS NULL AND begun_at < unixepoch() - 86400')
  }

  begin(pipeline: string, path: string, name: string): Draft {
    const sql = 'INSERT INTO load (queue, pipeline, path, name, target) VALUES (?, ?, ?, ?, ?) RETURNING no'
    const { no } = this.#file.get<{ no: number }>(
      sql,
      this.#queue,
      pipeline,
      path,
      name,
      this.#target ?? null,
    ) as { no: number }
    const waiting: PlannedChunk[] = []
    const flush = () => this.#insertChunks(no, waiting.splice(0))
    const add = (chunk: PlannedChunk) => {
      if (waiting.push(chunk) >= page) flush()
    }
    return { no, path, add, flush }
  }

  #insertChunks(no: number, chunks: readonly PlannedChunk[]): void {
    if (chunks.length === 0) return
    const sql = `INSERT INTO chunk (load, chunk, byte_start, bytes, first_record, first_line, records, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
    this.#file.transaction(() => {
      for (const each of chunks) {
        this.#file.run(
          sql,
          no,
          each.chunk,
          each.byteStart,
          each.bytes,
          each.firstRecord,
          each.firstLine,
          each.records,
          each.sha256,
        )
      }
    })
  }

  /** Forgets a plan that was started and not frozen. */
  forget(draft: Draft): void {
    this.#file.run('DELETE FROM load WHERE no = ?', draft.no)
  }

  /**
   * Freezes the plan under the load's identity; the first plan of a load wins, and a later one is forgotten.
   */
  freeze(draft: Draft, id: string, plan: Plan): PlannedLoad {
    const reading = JSON.stringify(plan.reading)
    return this.#file.transaction(() => {
      const first = this.find(id)
      if (first !== undefined) {
        this.forget(draft)
        // The same content may lie at another place today.
        const sql = 'UPDATE load SET path = ?, state = ?, reading = ? WHERE no = ?'
        this.#file.run(sql, draft.path, plan.state, reading, first.no)
        return { ...first, path: draft.path, state: plan.state, reading: plan.reading }
      }
      const { state, layout, model, sha256, bytes, chunks, records } = plan
      const sql = `UPDATE load SET id = ?, state = ?, layout = ?, reading = ?, model = ?, sha256 = ?, bytes = ?, plan = ?, chunks = ?, records = ?
                   WHERE no = ?`
      const content = [
        state,
        JSON.stringify(layout),
        reading,
        model,
        sha256,
        bytes,
        plan.plan,
        chunks,
        records,
      ] as const
      this.#file.run(sql, id, ...content, draft.no)
      return this.find(id) as PlannedLoad
    })
  }

  /**
   * The plan of a load whatever queue and target it was made for, those of this state first: the last resort
   * where a queue is lost.
   */
  findAnywhere(id: string): PlannedLoad | undefined {
    const sql = 'SELECT * FROM load WHERE id = ? ORDER BY queue = ? DESC, target IS ? DESC, no DESC LIMIT 1'
    const row = this.#file.get<Row>(sql, id, this.#queue, this.#target ?? null)
    return row === undefined ? undefined : loadOf(row)
  }

  /** The loads of the pipeline with a frozen plan for this queue and target. */
  planned(pipeline: string): readonly PlannedLoad[] {
    const sql = 'SELECT * FROM load WHERE id IS NOT NULL AND queue = ? AND pipeline = ?'
    return this.#file.all<Row>(sql, this.#queue, pipeline).map(loadOf)
  }

  /** Notes in which database the loads have arrived, where they were published for any. */
  arrived(ids: readonly string[], place: string): void {
    const sql = 'UPDATE load SET target = ? WHERE id = ? AND target IS NULL'
    this.#file.transaction(() => ids.forEach((id) => this.#file.run(sql, place, id)))
  }

  find(id: string): PlannedLoad | undefined {
    const row = this.#file.get<Row>('SELECT * FROM load WHERE id = ? AND queue = ?', id, this.#queue)
    return row === undefined ? undefined : loadOf(row)
  }

  /**
   * Identities of the loads with a frozen plan, of one pipeline or all, that are for this target or have
   * arrived nowhere yet, the oldest first.
   */
  ids(pipeline: string | undefined): string[] {
    const sql = `SELECT id, min(no) FROM load WHERE id IS NOT NULL AND pipeline = ifnull(?, pipeline)
                 AND (target IS NULL OR target = ?) GROUP BY id ORDER BY min(no)`
    return this.#file.all<{ id: string }>(sql, pipeline ?? null, this.#target ?? null).map(({ id }) => id)
  }

  /**
   * The salt of `again`: that of the command that was interrupted, or a new one.
   */
  againSalt(pipeline: string): string {
    this.#file.run(
      'INSERT INTO again VALUES (?, ?, lower(hex(randomblob(32)))) ON CONFLICT DO NOTHING',
      this.#queue,
      pipeline,
    )
    const sql = 'SELECT salt FROM again WHERE queue = ? AND pipeline = ?'
    return (this.#file.get<{ salt: string }>(sql, this.#queue, pipeline) as { salt: string }).salt
  }

  /** The command has ended: the next one makes loads of its own. */
  endAgain(pipeline: string): void {
    this.#file.run('DELETE FROM again WHERE queue = ? AND pipeline = ?', this.#queue, pipeline)
  }

  /** Whether a command that was interrupted has begun the load from scratch. */
  isFresh(id: string): boolean {
    return this.#file.get('SELECT 1 FROM fresh WHERE queue = ? AND load = ?', this.#queue, id) !== undefined
  }

  /** Forgets the plan of a load that is begun from scratch, and notes that it is. */
  beginFresh(id: string): void {
    this.#file.transaction(() => {
      this.#file.run('DELETE FROM load WHERE id = ? AND queue = ?', id, this.#queue)
      this.#file.run('INSERT INTO fresh VALUES (?, ?) ON CONFLICT DO NOTHING', this.#queue, id)
    })
  }

  endFresh(ids: readonly string[]): void {
    this.#file.transaction(() =>
      ids.forEach((id) => this.#file.run('DELETE FROM fresh WHERE queue = ? AND load = ?', this.#queue, id)),
    )
  }

  /** The chunks of the load in order: all of them, or those that the queue was not seen to hold. */
  *chunks(load: PlannedLoad, which: 'all' | 'unconfirmed'): Generator<PlannedChunk> {
    const sql = `SELECT chunk, byte_start AS byteStart, bytes, first_record AS firstRecord, first_line AS firstLine, records, sha256
                 FROM chunk WHERE load = ? AND chunk > ? AND (confirmed = 0 OR ?) ORDER BY chunk LIMIT ${page}`
    for (let last = -1; ;) {
      const rows = this.#file.all<PlannedChunk>(sql, load.no, last, which === 'all' ? 1 : 0)
      yield* rows
      last = rows.at(-1)?.chunk ?? last
      if (rows.length < page) return
    }
  }

  /** Notes that the queue holds the chunks. */
  confirm(chunks: readonly (readonly [load: PlannedLoad, chunk: number])[]): void {
    this.#file.transaction(() => {
      for (const [load, chunk] of chunks)
        this.#file.run('UPDATE chunk SET confirmed = 1 WHERE load = ? AND chunk = ?', load.no, chunk)
    })
  }

  markPublished(load: PlannedLoad): void {
    this.#file.run("UPDATE load SET published_at = strftime('%Y-%m-%dT%H:%M:%SZ') WHERE no = ?", load.no)
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }
}

/** No id of a queue has a line break. */
const scopeOf = (queue: string, target: string | undefined): string =>
  target === undefined ? queue : `${queue}\n${target}`

const loadOf = (row: Row): PlannedLoad => ({
  no: row.no,
  id: row.id,
  pipeline: row.pipeline,
  path: row.path,
  name: row.name,
  state: row.state,
  layout: JSON.parse(row.layout) as Layout,
  reading: JSON.parse(row.reading ?? '{}') as Reading,
  model: row.model,
  sha256: row.sha256,
  bytes: row.bytes,
  plan: row.plan,
  chunks: row.chunks,
  records: row.records,
  publishedAt: row.published_at ?? undefined,
  target: row.target !== null && row.queue.endsWith(scopeOf('', row.target)) ? row.target : undefined,
})
