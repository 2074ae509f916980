/**
 * What the ledger knew of the files of a run when it began: what of it surprises is said, and loading from
 * scratch forgets it.
 */
import { count, counted } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { Notes, Ids } from '../core/ids.ts'
import type { Listener } from '../core/events.ts'
import { type Model, tableName } from '../model/model.ts'
import type { Prefix } from '../producer/prefix.ts'
import type { NamedLoad, Receipt } from '../sink/ledger.ts'
import type { Sink } from '../sink/sink.ts'
import { storable } from '../sink/storable.ts'
import { loadedOf } from './loaded.ts'

/** A file that is planned. */
export interface MetLoad {
  readonly id: string
  readonly name: string
  /** Of its content, in hexadecimal. */
  readonly sha256: string
  readonly beginsWith?: (prefix: Prefix) => Promise<boolean>
}

interface About {
  readonly sink: Pick<Sink, 'ledger' | 'isEmpty'>
  readonly model: Model
  readonly pipeline: string
  /** Loads are begun from scratch. */
  readonly fresh: boolean
  readonly onEvent: Listener
  /** They number the loads of the run. */
  readonly ids?: Ids
}

/** Files that are named one by one; of more, their number is reported. */
const mostTold = 5

export const tableNotEmpty = (
  model: Model,
  { loadId, loaded }: { readonly loadId: string; readonly loaded: number | undefined },
): LadingError =>
  new LadingError(
    'TABLE_NOT_EMPTY',
    `table ${tableName(model)} holds rows, and ${counted(loaded ?? 0, 'row')} of load ${loadId} ${loaded === 1 ? 'was' : 'were'} put there`,
  )

const grown = ({ name }: MetLoad, { loadId, loaded, bytes }: Receipt): LadingError =>
  new LadingError(
    'SOURCE_GROWN',
    `${name} was loaded before up to byte ${count(bytes)} (load ${loadId.slice(0, 8)}, ${counted(loaded, 'row')}), and has grown since`,
  )

const bySource = (loads: readonly NamedLoad[]): ReadonlyMap<string, NamedLoad> =>
  new Map(loads.map((load) => [load.source, load]))

const newestOf = async (
  { sink, pipeline }: About,
  sources: readonly string[],
): Promise<readonly NamedLoad[]> => (sources.length === 0 ? [] : await sink.ledger.newest(pipeline, sources))

export class History {
  readonly #about: About
  /** Whether the table held no row when the run began. */
  readonly isEmpty: boolean
  /**
   * Records of each load that had taken effect before the table was looked at, where loads are to be begun
   * from scratch.
   */
  readonly #loaded: ReadonlyMap<string, number>
  /** By source; undefined where it is asked for as loads are met. */
  readonly #newest: ReadonlyMap<string, NamedLoad> | undefined
  readonly #ids: Ids
  readonly #met = new Notes()
  /** What was answered of each load: it is forgotten once. */
  readonly #fresh = new Map<string, boolean>()
  readonly #emptied = new Set<string>()
  /** Records of these loads that took effect. */
  emptiedRecords = 0
  #changed = 0

  private constructor(
    about: About,
    loaded: ReadonlyMap<string, number>,
    isEmpty: boolean,
    newest: readonly NamedLoad[] | undefined,
  ) {
    this.#about = about
    this.#ids = about.ids ?? new Ids()
    this.#loaded = loaded
    this.isEmpty = isEmpty
    this.#newest = newest && bySource(newest)
  }

  /**
   * To be called when the table is prepared and nothing is written yet. `sources` where some of the loads may
   * take effect before they are met.
   */
  static async begin(about: About, sources?: readonly string[]): Promise<History> {
    const { sink, model, pipeline, fresh } = about
    const loaded = fresh ? await loadedOf(sink.ledger, { pipeline }) : new Map<string, number>()
    // Asked after the ledger: of an empty table, what the ledger knew is gone.
    const isEmpty = await sink.isEmpty(model)
    return new History(about, loaded, isEmpty, sources && (await newestOf(about, sources)))
  }

  #isMet(loadId: string): boolean {
    return this.#met.at(this.#ids.indexOf(loadId)) === 1
  }

  /**
   * Loads of which rows were loaded before the run, though the table held none when it began: emptied, or
   * dropped and made anew.
   */
  get emptied(): readonly string[] {
    return [...this.#emptied]
  }

  /** `loaded`: records of the load that took effect before the run. */
  miss(loadId: string, loaded: number): void {
    if (!this.isEmpty || loaded === 0 || this.#emptied.has(loadId)) return
    this.#emptied.add(loadId)
    this.emptiedRecords += loaded
  }

  /**
   * `loadedBefore` tells how many records of a load took effect before the run; undefined where the ledger did
   * not know it. Returns the loads that were not met before.
   */
  async meet<Load extends MetLoad>(
    loads: readonly Load[],
    loadedBefore: (load: Load) => number | undefined,
  ): Promise<readonly Load[]> {
    const unmet = loads.filter(({ id }) => !this.#isMet(id))
    const unknown = this.isEmpty ? [] : unmet.filter((load) => loadedBefore(load) === undefined)
    const newest =
      this.#newest ??
      bySource(
        await newestOf(
          this.#about,
          unknown.map(({ name }) => name),
        ),
      )
    await this.#meetUnknown(unknown, newest)
    for (const load of unmet) {
      this.miss(load.id, loadedBefore(load) ?? 0)
      this.#met.set(this.#ids.add(load.id), 1)
    }
    return unmet
  }

  async #meetUnknown(loads: readonly MetLoad[], newest: ReadonlyMap<string, NamedLoad>): Promise<void> {
    const changed = loads.flatMap((load) => {
      const before = newest.get(storable(load.name))
      // Two files of a run may have one name.
      const isChanged = before !== undefined && before.sha256 !== load.sha256 && !this.#isMet(before.loadId)
      return isChanged ? [{ load, before }] : []
    })
    const told = Math.max(0, mostTold - this.#changed)
    const looked = this.#doubles ? changed : changed.slice(0, told)
    const ids = looked.map(({ before }) => before.loadId)
    const receipts = ids.length === 0 ? [] : await this.#about.sink.ledger.receipts({ loads: ids })
    const receiptOf = new Map(receipts.map((receipt) => [receipt.loadId, receipt]))
    for (const [index, { load, before }] of looked.entries()) {
      const receipt = receiptOf.get(before.loadId)
      const hasGrown =
        receipt !== undefined && receipt.loaded > 0 && (await load.beginsWith?.(receipt)) === true
      if (hasGrown && this.#doubles) throw grown(load, receipt)
      if (index < told) this.#tellChanged(load.name, before, receipt, hasGrown)
    }
    this.#changed += changed.length
  }

  /** Whether rows that are loaded a second time are there twice. */
  get #doubles(): boolean {
    const { onConflict, primaryKey } = this.#about.model
    return onConflict === 'error' && primaryKey.length === 0
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
    if (isBegun && !this.isEmpty) return false
    // Another command may load the same file at this moment: what took effect meanwhile is in the table, and
    // would be there twice.
    const mostLoaded =
      model.onConflict === 'error' ? (this.isEmpty ? (this.#loaded.get(loadId) ?? 0) : 0) : undefined
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

  #tellChanged(
    name: string,
    { loadId, startedAt }: NamedLoad,
    receipt: Receipt | undefined,
    hasGrown: boolean,
  ): void {
    const counts =
      receipt === undefined
        ? ''
        : `, ${receipt.loaded} ${receipt.loaded === 1 ? 'row' : 'rows'}, ${receipt.rejected} rejected`
    const when = `${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC`
    this.#warning(
      `${name} was loaded before with other content (${when}${counts}, load ${loadId.slice(0, 8)})${hasGrown ? ' and has grown since, of which --append loads what was added' : ''}; ${this.#consequence()}`,
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
