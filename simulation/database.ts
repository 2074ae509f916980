/**
 * A database as a server: a table, a ledger and transactions. A transaction that has entered the key of a message keeps
 * it from others until its end; at its commit all of it takes effect, or nothing.
 */
import { LadingError } from '../src/core/errors.ts'
import type { LoadInfo } from '../src/core/load.ts'
import type { DeadLetter, LoadProgress, Receipt } from '../src/sink/ledger.ts'
import { balance, openReceipt } from '../src/sink/receipt.ts'
import type { Part, Verdict } from '../src/sink/sink.ts'
import { flaky, pipeline, poison, refused } from './messages.ts'
import type { Row } from './rows.ts'
import type { Verdicts } from './verdicts.ts'
import type { World } from './world.ts'

/** In its batch, and alone. */
const flakyFailures = 2

interface Entry {
  readonly sha256: string
  readonly load: string | undefined
  readonly outcome: 'applied' | 'dead'
  readonly records: number
  readonly loaded: number
  readonly rejected: number
}

interface Load {
  readonly info: LoadInfo
  isComplete: boolean
  loaded: number
  rejected: number
}

export interface Transaction {
  readonly parts: readonly Part[]
  /** Of all parts, in their order. */
  readonly rows: readonly Row[]
}

export class Database {
  /** Since when nobody reaches it. */
  awaySince: number | undefined
  readonly rows = new Map<number, number>()
  /** By the hash of their message. */
  readonly rejects = new Map<string, number>()
  readonly #world: World
  readonly #verdicts: Verdicts
  readonly #ledger = new Map<string, Entry>()
  readonly #loads = new Map<string, Load>()
  readonly #letters = new Set<string>()
  readonly #failures = new Map<number, number>()
  readonly #open = new Set<Transaction>()

  constructor(world: World, verdicts: Verdicts) {
    this.#world = world
    this.#verdicts = verdicts
  }

  /** Whether another transaction has entered the key. */
  isLocked(key: string): boolean {
    for (const { parts } of this.#open) if (parts.some((part) => part.key === key)) return true
    return false
  }

  begin(transaction: Transaction): void {
    this.#open.add(transaction)
  }

  rollback(transaction: Transaction): void {
    this.#open.delete(transaction)
  }

  /** The verdict of each part. */
  commit(transaction: Transaction): readonly Verdict[] {
    const { parts, rows } = transaction
    this.#open.delete(transaction)
    if (rows.some((row) => this.#isFailing(row)))
      throw new LadingError('SINK_FAILED', 'the database fails at a row')
    let end = 0
    return parts.map((part) => {
      const own = rows.slice(end, (end += part.rows))
      return this.#judge(part) ?? this.#apply(part, own)
    })
  }

  #isFailing({ id, note }: Row): boolean {
    if (note === poison) return true
    const failures = this.#failures.get(id) ?? 0
    if (note !== flaky || failures === flakyFailures) return false
    this.#failures.set(id, failures + 1)
    return true
  }

  #judge({ key, sha256, load }: Part): Verdict | undefined {
    if (load !== undefined && this.#loadOf(load).isComplete) {
      this.#world.count('a message of a folded load comes again')
      return { kind: 'duplicate' }
    }
    const entry = this.#ledger.get(key)
    if (entry === undefined) return undefined
    if (entry.sha256 !== sha256) return { kind: 'refused', code: 'KEY_REUSED', detail: key }
    this.#world.count(
      entry.outcome === 'dead' ? 'a chunk is dead already' : 'a message has taken effect already',
    )
    return { kind: 'duplicate' }
  }

  #apply(part: Part, rows: readonly Row[]): Verdict {
    const { key, sha256, load, records, rejects } = part
    const refusals = rows.flatMap(({ note }, row) =>
      note === refused ? [part.describe(row, { code: 'CONSTRAINT_CHECK', detail: refused })] : [],
    )
    const loaded = rows.length - refusals.length
    const rejected = rejects.length + refusals.length
    for (const { id, note } of rows) if (note !== refused) this.rows.set(id, (this.rows.get(id) ?? 0) + 1)
    this.rejects.set(sha256, (this.rejects.get(sha256) ?? 0) + rejected)
    this.#ledger.set(key, { sha256, load: load?.id, outcome: 'applied', records, loaded, rejected })
    this.#verdicts.applied(sha256)
    return { kind: 'applied', loaded, rejected, skipped: 0 }
  }

  #loadOf(info: LoadInfo): Load {
    let load = this.#loads.get(info.id)
    if (load === undefined)
      this.#loads.set(info.id, (load = { info, isComplete: false, loaded: 0, rejected: 0 }))
    return load
  }

  bury(letter: DeadLetter): void {
    const { key, sha256, load, records } = letter
    const entry = this.#ledger.get(key)
    if (load === undefined ? entry?.sha256 === sha256 : entry !== undefined || this.#loadOf(load).isComplete)
      return this.#world.count('a letter has its verdict already')
    if (load !== undefined)
      this.#ledger.set(key, { sha256, load: load.id, outcome: 'dead', records, loaded: 0, rejected: 0 })
    const id = `${key} ${sha256}`
    if (this.#letters.has(id)) return
    this.#letters.add(id)
    this.#verdicts.buried(letter)
  }

  /** Loads that no transaction writes to, and of which every chunk has taken effect. */
  fold(ids: readonly string[]): void {
    for (const id of ids) {
      const load = this.#loads.get(id)
      const isBusy = [...this.#open].some(({ parts }) => parts.some((part) => part.load?.id === id))
      if (load === undefined || load.isComplete || isBusy) continue
      const chunks = [...this.#ledger].filter(([, entry]) => entry.load === id)
      if (chunks.filter(([, { outcome }]) => outcome === 'applied').length < load.info.chunks) continue
      load.isComplete = true
      for (const [key, { loaded, rejected }] of chunks) {
        load.loaded += loaded
        load.rejected += rejected
        this.#ledger.delete(key)
      }
      this.#world.count('a load is folded')
    }
  }

  /** Of these loads, or of all. */
  receipts(ids: readonly string[] = [...this.#loads.keys()]): readonly Receipt[] {
    return ids.flatMap((id) => {
      const load = this.#loads.get(id)
      return load === undefined ? [] : [this.#receiptOf(load)]
    })
  }

  #receiptOf({ info, isComplete, loaded, rejected }: Load): Receipt {
    const { id: loadId, ...about } = info
    const sums = { loaded, rejected, dead: 0, deadLetters: 0, chunksDone: isComplete ? info.chunks : 0 }
    for (const entry of this.#entriesOf(loadId).values()) {
      sums.chunksDone++
      sums.loaded += entry.loaded
      sums.rejected += entry.rejected
      if (entry.outcome === 'applied') continue
      sums.dead += entry.records
      sums.deadLetters++
    }
    const { rejected: rejectRows, dead: deadLetterRecords, deadLetters: openDeadLetters } = sums
    const kept = { rejectRows, openRejects: rejectRows, deadLetterRecords, openDeadLetters }
    return { ...openReceipt({ ...about, loadId, pipeline, startedAt: '' }), ...sums, ...kept }
  }

  progress(id: string): LoadProgress | undefined {
    const load = this.#loads.get(id)
    if (load === undefined) return undefined
    const { info, isComplete } = load
    const keys = new Set(this.#entriesOf(id).keys())
    return { plan: info.plan, complete: isComplete, keys, loaded: this.#receiptOf(load).loaded }
  }

  #entriesOf(id: string): ReadonlyMap<string, Entry> {
    return new Map([...this.#ledger].filter(([, { load }]) => load === id))
  }

  /** At the end, when every message has its verdict. */
  balance(): void {
    for (const receipt of this.receipts()) {
      const { open, problems } = balance(receipt)
      const { source, records, loaded, rejected, dead } = receipt
      if (open !== 0 || problems.length > 0)
        this.#world.violated(
          'receipts balance',
          `${source}: ${records} records, ${loaded} loaded, ${rejected} rejected, ${dead} dead; ${problems.join()}`,
        )
    }
  }
}
