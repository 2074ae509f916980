/**
 * What a producer remembers between runs: the frozen plan of each load, and which of its chunks the queue
 * holds. Losing it is harmless: the same file gives the same plan and the same keys again, and the ledger
 * absorbs what comes twice. That is why its writes do not wait for the disk.
 */
import type { Plan, PlannedChunk } from './plan.ts'
import {
  contentOf,
  type LoadOutline,
  loadOf,
  type LoadRow,
  noPlan,
  type PlannedLoad,
  scopeOf,
} from './planned-load.ts'
import { StateFile } from './state-file.ts'

/**
 * A plan that is being made. Of a source with few chunks nothing is written before it is frozen: many such
 * plans share a transaction.
 */
export interface Draft {
  readonly pipeline: string
  readonly path: string
  readonly name: string
  /** Takes the chunks, in order. */
  readonly add: (chunk: PlannedChunk) => void
  /** The last of them, which are not written. */
  readonly waiting: PlannedChunk[]
  /** Of its row, which the first chunks that are written need. */
  no: number | undefined
}

/** A draft that is complete, with the identity of its load. */
export interface MadePlan {
  readonly draft: Draft
  readonly id: string
  readonly plan: Plan
  /** By which the plan is found without reading the source; undefined where only reading it tells. */
  readonly clue?: string | undefined
}

export interface FrozenPlan {
  readonly load: PlannedLoad
  /** All of them, none of which the queue has, if they are few and this is the load's first plan. */
  readonly chunks: readonly PlannedChunk[] | undefined
}

const outline = 'no, id, name, sha256, bytes, plan, chunks, records, published_at AS publishedAt'

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

  /** Identifies the queue and the target, whose plans these are. */
  get scope(): string {
    return this.#queue
  }

  begin(pipeline: string, path: string, name: string): Draft {
    const waiting: PlannedChunk[] = []
    const add = (chunk: PlannedChunk) => {
      if (waiting.push(chunk) >= page) draft.no = this.#file.transaction(() => this.#writeChunks(draft))
    }
    const draft: Draft = { pipeline, path, name, add, waiting, no: undefined }
    return draft
  }

  #writeChunks(draft: Draft): number {
    const no = draft.no ?? this.#insertLoad(draft, undefined)
    this.#insertChunks(no, draft.waiting.splice(0))
    return no
  }

  /** Writes the draft's row, without an identity if there is no plan yet, and returns its number. */
  #insertLoad({ no, pipeline, path, name }: Draft, made: Omit<MadePlan, 'draft'> | undefined): number {
    const sql = `INSERT INTO load (no, queue, pipeline, path, name, target, id, state, layout, reading, model, sha256, bytes, plan, chunks, records, clue)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (no) DO UPDATE SET id = excluded.id, state = excluded.state, layout = excluded.layout, reading = excluded.reading,
                   model = excluded.model, sha256 = excluded.sha256, bytes = excluded.bytes, plan = excluded.plan, chunks = excluded.chunks,
                   records = excluded.records, clue = excluded.clue
                 RETURNING no`
    const { id = null, plan, clue = null } = made ?? {}
    const about = [no ?? null, this.#queue, pipeline, path, name, this.#target ?? null, id] as const
    const row = this.#file.get<{ no: number }>(
      sql,
      ...about,
      ...(plan === undefined ? noPlan : contentOf(plan)),
      clue,
    )
    return (row as { no: number }).no
  }

  #insertChunks(no: number, chunks: readonly PlannedChunk[]): void {
    const sql = `INSERT INTO chunk (load, chunk, byte_start, bytes, first_record, first_line, records, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
    for (const { chunk, byteStart, bytes, firstRecord, firstLine, records, sha256 } of chunks)
      this.#file.run(sql, no, chunk, byteStart, bytes, firstRecord, firstLine, records, sha256)
  }

  /** Forgets a plan that was started and not frozen. */
  forget({ no }: Draft): void {
    if (no !== undefined) this.#file.run('DELETE FROM load WHERE no = ?', no)
  }

  /** Forgets plans of which the queue has no chunk. */
  forgetUnpublished(ids: readonly string[]): void {
    const sql = `DELETE FROM load WHERE id = ? AND queue = ? AND published_at IS NULL
                 AND NOT EXISTS (SELECT 1 FROM chunk WHERE load = load.no AND confirmed = 1)`
    this.#file.transaction(() => ids.forEach((id) => this.#file.run(sql, id, this.#queue)))
  }

  /** Forgets the plans that were made for this target, or for none: its ledger has forgotten the loads. */
  forgetLoads(ids: readonly string[]): void {
    const sql = 'DELETE FROM load WHERE id = ? AND (target IS NULL OR target = ?)'
    this.#file.transaction(() => ids.forEach((id) => this.#file.run(sql, id, this.#target ?? null)))
  }

  /** Forgets the plan of a load that has another one, as its ledger says. */
  forgetOther(id: string, plan: string): void {
    this.#file.run('DELETE FROM load WHERE id = ? AND queue = ? AND plan <> ?', id, this.#queue, plan)
  }

  /**
   * Freezes the plans under the identities of their loads, in one transaction; the first plan of a load wins,
   * and a later one is forgotten.
   */
  freeze(plans: readonly MadePlan[]): readonly FrozenPlan[] {
    return this.#file.transaction(() => plans.map((made) => this.#freeze(made)))
  }

  #freeze({ draft, id, plan, clue }: MadePlan): FrozenPlan {
    const first = this.find(id)
    if (first !== undefined) {
      this.forget(draft)
      return { load: this.#found(first, draft.path, plan, clue), chunks: undefined }
    }
    const no = this.#insertLoad(draft, { id, plan, clue })
    this.#insertChunks(no, draft.waiting)
    const { pipeline, path, name } = draft
    const { kept: _kept, leftOut: _leftOut, warnings: _warnings, before: _before, ...own } = plan
    const load = { ...own, no, id, pipeline, path, name, publishedAt: undefined, target: this.#target }
    return { load, chunks: draft.no === undefined ? draft.waiting : undefined }
  }

  /**
   * The same content may lie at another place today. It has a clue if it is read now as it was then, into whatever
   * chunks.
   */
  #found(load: PlannedLoad, path: string, { state, reading, ...plan }: Plan, clue?: string): PlannedLoad {
    const text = JSON.stringify(reading)
    const isSame = load.model === plan.model && JSON.stringify(load.layout) === JSON.stringify(plan.layout)
    const known = (load.plan === plan.plan || isSame) && clue !== undefined ? clue : null
    if (load.path === path && load.state === state && JSON.stringify(load.reading) === text && known === null)
      return load
    this.#file.run(
      'UPDATE load SET path = ?, state = ?, reading = ?, clue = ? WHERE no = ?',
      path,
      state,
      text,
      known,
      load.no,
    )
    return { ...load, path, state, reading }
  }

  /**
   * The plan of a load whatever queue and target it was made for, those of this state first: the last resort
   * where a queue is lost.
   */
  findAnywhere(id: string): PlannedLoad | undefined {
    const sql = 'SELECT * FROM load WHERE id = ? ORDER BY queue = ? DESC, target IS ? DESC, no DESC LIMIT 1'
    const row = this.#file.get<LoadRow>(sql, id, this.#queue, this.#target ?? null)
    return row === undefined ? undefined : loadOf(row)
  }

  /** Whether any queue was seen to hold something of the load. */
  isBegun(id: string): boolean {
    const sql = `SELECT 1 FROM load WHERE id = ?
                 AND (published_at IS NOT NULL OR EXISTS (SELECT 1 FROM chunk WHERE load = no AND confirmed = 1))`
    return this.#file.get(sql, id) !== undefined
  }

  /** The loads of the pipeline with a frozen plan for this queue and target. */
  planned(pipeline: string): readonly PlannedLoad[] {
    const sql = 'SELECT * FROM load WHERE id IS NOT NULL AND queue = ? AND pipeline = ?'
    return this.#file.all<LoadRow>(sql, this.#queue, pipeline).map(loadOf)
  }

  /** The plans that have one of the clues. */
  plansWith(clues: readonly string[]): readonly { readonly no: number; readonly clue: string }[] {
    const sql = 'SELECT no, clue FROM load WHERE clue IN (SELECT value FROM json_each(?))'
    return this.#file.all(sql, JSON.stringify(clues))
  }

  /** By the numbers of their plans. */
  numbered(nos: readonly number[]): readonly LoadOutline[] {
    const sql = `SELECT ${outline} FROM load WHERE no IN (SELECT value FROM json_each(?))`
    return this.#file.all(sql, JSON.stringify(nos))
  }

  /** By their ids. */
  outlines(ids: readonly string[]): readonly LoadOutline[] {
    const sql = `SELECT ${outline} FROM load WHERE id IN (SELECT value FROM json_each(?)) AND queue = ?`
    return this.#file.all(sql, JSON.stringify(ids), this.#queue)
  }

  /** Notes in which database the loads have arrived, where they were published for any. */
  arrived(ids: readonly string[], place: string): void {
    const sql = 'UPDATE load SET target = ? WHERE id = ? AND target IS NULL'
    this.#file.transaction(() => ids.forEach((id) => this.#file.run(sql, place, id)))
  }

  find(id: string): PlannedLoad | undefined {
    const row = this.#file.get<LoadRow>('SELECT * FROM load WHERE id = ? AND queue = ?', id, this.#queue)
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

  /** Notes that the queue holds the chunks, and with them all of the loads `finished`. */
  confirm(
    chunks: readonly (readonly [load: PlannedLoad, chunk: number])[],
    finished: readonly PlannedLoad[],
  ): void {
    if (chunks.length + finished.length === 0) return
    this.#file.transaction(() => {
      for (const [load, chunk] of chunks)
        this.#file.run('UPDATE chunk SET confirmed = 1 WHERE load = ? AND chunk = ?', load.no, chunk)
      const sql = "UPDATE load SET published_at = strftime('%Y-%m-%dT%H:%M:%SZ') WHERE no = ?"
      for (const { no } of finished) this.#file.run(sql, no)
    })
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]()
  }
}
