/**
 * What the ledger knew of the files of a run when it began: what of it surprises is said, and loading from
 * scratch forgets it.
 */
import { LadingError } from '../core/errors.ts'
import type { Listener } from '../core/events.ts'
import { type Model, tableName } from '../model/model.ts'
import type { NamedLoad } from '../sink/ledger.ts'
import type { Sink } from '../sink/sink.ts'
import { storable } from '../sink/storable.ts'

/** A file that is planned. */
export interface MetLoad {
  readonly id: string
  readonly name: string
  /** Of its content, in hexadecimal. */
  readonly sha256: string
}

interface About {
  readonly sink: Pick<Sink, 'ledger' | 'isEmpty'>
  readonly model: Model
  readonly pipeline: string
  /** Loads are begun from scratch. */
  readonly fresh: boolean
  readonly onEvent: Listener
}

/** Files that are named one by one; of more, their number is reported. */
const mostTold = 5

export const tableNotEmpty = (
  model: Model,
  { loadId, loaded }: { readonly loadId: string; readonly loaded: number | undefined },
): LadingError =>
  new LadingError(
    'TABLE_NOT_EMPTY',
    `table ${tableName(model)} holds rows, and ${loaded} rows of load ${loadId} were put there`,
  )

export class History {
  readonly #about: About
  readonly #isEmpty: boolean
  /**
   * Records of each load that had taken effect before the table was looked at, where loads are to be begun
   * from scratch.
   */
  readonly #loaded: ReadonlyMap<string, number>
  /** By source. */
  readonly #newest: ReadonlyMap<string, NamedLoad>
  readonly #met = new Set<string>()
  /** What was answered of each load: it is forgotten once. */
  readonly #fresh = new Map<string, boolean>()
  readonly #emptied: string[] = []
  #changed = 0

  private constructor(
    about: About,
    loaded: ReadonlyMap<string, number>,
    isEmpty: boolean,
    newest: readonly NamedLoad[],
  ) {
    this.#about = about
    this.#loaded = loaded
    this.#isEmpty = isEmpty
    this.#newest = new Map(newest.map((load) => [load.source, load]))
  }

  /**
   * Two or three questions for the whole run, whatever the number of files; to be asked when the table is
   * prepared and nothing is written yet.
   */
  static async begin(about: About, sources: readonly string[]): Promise<History> {
    const { sink, model, pipeline, fresh } = about
    const receipts = fresh ? await sink.ledger.receipts({ pipeline }) : []
    const loaded = new Map(receipts.map((receipt) => [receipt.loadId, receipt.loaded]))
    // Asked after the ledger: of an empty table, what the ledger knew is gone.
    const isEmpty = await sink.isEmpty(model)
    return new History(
      about,
      loaded,
      isEmpty,
      sources.length === 0 ? [] : await sink.ledger.newest(pipeline, sources),
    )
  }

  /**
   * Loads of which rows were loaded before the run, though the table held none when it began: emptied, or
   * dropped and made anew.
   */
  get emptied(): readonly string[] {
    return this.#emptied
  }

  /**
   * `loadedBefore` is how many of its records took effect before the run; undefined where the ledger did not
   * know it.
   */
  async meet(load: MetLoad, loadedBefore: number | undefined): Promise<void> {
    if (this.#met.has(load.id)) return
    const before = this.#newest.get(storable(load.name))
    const isChanged =
      !this.#isEmpty && loadedBefore === undefined && before !== undefined && before.sha256 !== load.sha256
    if (isChanged && this.#changed < mostTold) await this.#tellChanged(load.name, before)
    if (isChanged) this.#changed++
    if (this.#isEmpty && (loadedBefore ?? 0) > 0) this.#emptied.push(load.id)
    this.#met.add(load.id)
  }

  /**
   * Whether the load is to be begun from scratch, and is forgotten now; `isBegun` where an earlier run, which
   * was interrupted, has done so.
   */
  async startFresh(loadId: string, isBegun: boolean): Promise<boolean> {
    const answer = this.#fresh.get(loadId) ?? (await this.#forget(loadId, isBegun))
    this.#fresh.set(loadId, answer)
    return answer
  }

  async #forget(loadId: string, isBegun: boolean): Promise<boolean> {
    const { sink, model } = this.#about
    // Of an empty table there is nothing to go on with.
    if (isBegun && !this.#isEmpty) return false
    // Another command may load the same file at this moment: what took effect meanwhile is in the table, and
    // would be there twice.
    const mostLoaded =
      model.onConflict === 'error' ? (this.#isEmpty ? (this.#loaded.get(loadId) ?? 0) : 0) : undefined
    if (!(await sink.ledger.forget([loadId], { mostLoaded }))) {
      const loaded = (await sink.ledger.progress(loadId))?.loaded
      throw tableNotEmpty(model, { loadId, loaded })
    }
    return true
  }

  /** When every file was met. */
  end(): void {
    if (this.#changed <= mostTold) return
    const more = this.#changed - mostTold
    this.#warning(`${more} more of the files were loaded before with other content; ${this.#consequence()}`)
  }

  async #tellChanged(name: string, { loadId, startedAt }: NamedLoad): Promise<void> {
    const [receipt] = await this.#about.sink.ledger.receipts({ loads: [loadId] })
    const counts =
      receipt === undefined
        ? ''
        : `, ${receipt.loaded} ${receipt.loaded === 1 ? 'row' : 'rows'}, ${receipt.rejected} rejected`
    const when = `${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC`
    this.#warning(
      `${name} was loaded before with other content (${when}${counts}, load ${loadId.slice(0, 8)}); ${this.#consequence()}`,
    )
  }

  #consequence(): string {
    const { onConflict, primaryKey } = this.#about.model
    if (onConflict === 'update' || onConflict === 'merge') return 'rows of the same key are updated'
    if (onConflict === 'skip') return 'rows of the same key are skipped'
    if (primaryKey.length > 0) return 'rows of the same key are rejected'
    const table = tableName(this.#about.model)
    return `table ${table} has no key, so rows that stand in both are there twice; to load only what was rejected, use rejects edit and rejects replay, or rejects export`
  }

  #warning(message: string): void {
    this.#about.onEvent({ type: 'warning', message })
  }
}
