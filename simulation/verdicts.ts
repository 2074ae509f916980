/**
 * The rules that every schedule must keep, as the servers see them: what became of each message, whatever the
 * consumers say of themselves.
 */
import type { Code } from '../src/core/errors.ts'
import type { DeadLetter } from '../src/sink/ledger.ts'
import type { Published } from './messages.ts'
import type { World } from './world.ts'

interface Verdict {
  readonly published: Published
  /** Number of the message, in the order of publishing. */
  readonly place: number
  applied: number
  letters: number
}

/** Numbers of records. */
export interface Sum {
  readonly records: number
  readonly loaded: number
  readonly rejected: number
  readonly dead: number
}

export interface Limits {
  readonly maxAttempts: number
  /** Attempts after which a message that fails alone is given up. */
  readonly messageAttempts: number
}

export class Verdicts {
  readonly #world: World
  readonly #limits: Limits
  readonly #keepsOrder: boolean
  /** By the hash of the body: copies have one verdict. */
  readonly #verdicts = new Map<string, Verdict>()
  /** Groups in which a lease has ended, whose order no queue promises. */
  readonly #disordered = new Set<string>()

  constructor(world: World, published: readonly Published[], limits: Limits, keepsOrder: boolean) {
    this.#world = world
    this.#limits = limits
    this.#keepsOrder = keepsOrder
    for (const each of published)
      if (!this.#verdicts.has(each.sha256))
        this.#verdicts.set(each.sha256, {
          published: each,
          place: this.#verdicts.size,
          applied: 0,
          letters: 0,
        })
  }

  /** What was to be published with this body. */
  expected(sha256: string): Published | undefined {
    return this.#verdicts.get(sha256)?.published
  }

  has(sha256: string): boolean {
    const verdict = this.#verdicts.get(sha256)
    return verdict !== undefined && hasOne(verdict)
  }

  /** What has become of the records of these messages. */
  sumOf(messages: readonly Published[]): Sum {
    const sum = { records: 0, loaded: 0, rejected: 0, dead: 0 }
    for (const { sha256, records, rows, rejects } of messages) {
      const { applied = 0, letters = 0 } = this.#verdicts.get(sha256) ?? {}
      sum.records += records
      sum.loaded += applied > 0 ? rows.length : 0
      sum.rejected += applied > 0 ? rejects : 0
      sum.dead += letters > 0 ? records : 0
    }
    return sum
  }

  /** A transaction that holds the records of the message has committed. */
  applied(sha256: string): void {
    const verdict = this.#of(sha256)
    if (verdict === undefined) return
    verdict.applied++
    // One that was given up takes effect in the place of its copy.
    if (this.#keepsOrder && verdict.letters === 0) this.#requireTurn(verdict)
    const { sort, key } = verdict.published
    if (verdict.applied > 1) this.#world.violated('exactly once', `${key} has taken effect twice`)
    if (sort === 'other pipeline') this.#world.violated('messages of others are left', key)
    if (verdict.letters === 0) return
    // The ledger has the verdict of a chunk alone: a message whose lease ended may be given up by one consumer
    // while another writes it.
    if (!verdict.published.isChunk) this.#world.count('a dead letter takes effect after all')
    else this.#world.violated('one verdict', `${key} is a dead letter and has taken effect`)
  }

  buried({ sha256, code, attempts }: DeadLetter): void {
    const verdict = this.#of(sha256)
    if (verdict === undefined) return
    verdict.letters++
    const { key } = verdict.published
    if (verdict.letters > 1) this.#world.violated('one verdict', `${key} has two letters`)
    if (verdict.applied > 0)
      this.#world.violated('one verdict', `${key} has taken effect and is a dead letter`)
    if (!this.#mayDie(verdict.published, code, attempts))
      this.#world.violated('no dead letter without a reason', `${key}: ${code} after ${attempts} attempts`)
    this.#world.count(`a dead letter: ${code}`)
  }

  #mayDie({ sort }: Published, code: Code, attempts: number): boolean {
    if (code === 'ATTEMPTS_EXHAUSTED') return attempts > this.#limits.maxAttempts
    if (code === 'UNPROCESSABLE') return attempts >= this.#limits.messageAttempts
    return (sort === 'unreadable' && code === 'NOT_OURS') || code === 'KEY_REUSED'
  }

  #of(sha256: string): Verdict | undefined {
    const verdict = this.#verdicts.get(sha256)
    if (verdict === undefined) this.#world.violated('only what was published', `a body of hash ${sha256}`)
    return verdict
  }

  #requireTurn({ place, published: { group, key } }: Verdict): void {
    if (this.#disordered.has(group)) return
    for (const { published, ...later } of this.#verdicts.values())
      if (later.place > place && later.applied > 0 && published.group === group)
        this.#world.violated('order of a group', `${key} takes effect behind ${published.key}`)
  }

  /** The lease of a message has ended, and it was given to another. */
  loseOrder({ group }: Published): void {
    this.#disordered.add(group)
  }

  /** One whose attempts are used up is given up, and a copy of it that comes behind others takes effect there. */
  delivered(published: Published, attempt: number): void {
    if (attempt > this.#limits.maxAttempts) this.loseOrder(published)
  }

  /** The message is settled as done: it is in no queue any more. */
  settled({ sha256, key }: Published): void {
    const verdict = this.#verdicts.get(sha256)
    if (verdict === undefined || !hasOne(verdict))
      this.#world.violated('nothing is settled before its verdict', key)
  }

  /** At the end, when no message is left. */
  conclude(rows: ReadonlyMap<number, number>, rejects: ReadonlyMap<string, number>): void {
    const expected = new Set<number>()
    for (const { published, applied, letters } of this.#verdicts.values()) {
      const { key, sort, sha256 } = published
      if (sort === 'other pipeline') continue
      if (applied + letters === 0) this.#world.violated('every message has a verdict', `${key} has none`)
      if (applied > 0) for (const row of published.rows) expected.add(row)
      if ((rejects.get(sha256) ?? 0) !== (applied > 0 ? published.rejects : 0))
        this.#world.violated(
          'every refused record is kept once',
          `${key}: ${rejects.get(sha256) ?? 0} rejects`,
        )
    }
    for (const [row, times] of rows)
      if (times !== 1 || !expected.has(row))
        this.#world.violated('exactly once', `record ${row} is there ${times} times`)
    for (const row of expected)
      if (!rows.has(row)) this.#world.violated('nothing is lost', `record ${row} is missing`)
  }
}

const hasOne = ({ applied, letters }: Pick<Verdict, 'applied' | 'letters'>): boolean => applied + letters > 0
