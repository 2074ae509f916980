/** What a lane has shown, and what it has not. */
import type { Bag } from './bag.ts'
import type { Fault } from './kinds/fault.ts'
import type { Verdict } from './oracle.ts'
import type { Round } from './round.ts'

/** With which a run draws the same again. */
export interface Drawing {
  readonly seed: number
  /** Faults that must strike. */
  readonly kills: number
  /** Only kinds that are over quickly. */
  readonly isQuick?: boolean | undefined
  /** Names of the kinds that strike first, in this order. */
  readonly first?: readonly string[] | undefined
}

export class LaneReport {
  readonly lane: string
  readonly seed: number
  readonly command: string
  faults = 0
  /** How often each kind struck. */
  readonly kinds: Record<string, number> = {}
  /** Kinds that cannot strike here, and why. */
  readonly notPossible: Record<string, string> = {}
  /** Longest time until everybody hit was at work again, in milliseconds. */
  readonly recoveries: Record<string, number> = {}
  rounds = 0
  redelivered = 0
  duplicates = 0
  records = 0
  lost = 0
  doubled = 0
  unexpected = 0
  seconds = 0
  readonly problems: string[] = []
  #last = 'no fault'
  readonly #start = performance.now()

  constructor(lane: string, { seed, kills, isQuick, first = [] }: Drawing) {
    this.lane = lane
    this.seed = seed
    this.command = `npm run faults -- --lane ${lane} --seed ${seed} --kills ${kills}${isQuick === true ? ' --quick' : ''}${first.map((name) => ` --first '${name}'`).join('')}`
  }

  leftOut({ name }: Fault, reason: string): void {
    this.notPossible[name] = reason
  }

  struck({ name }: Fault): void {
    this.faults++
    this.#last = name
    this.kinds[name] = (this.kinds[name] ?? 0) + 1
  }

  recovered({ name }: Fault, ms: number): void {
    this.recoveries[name] = Math.max(this.recoveries[name] ?? 0, ms)
  }

  add(verdict: Verdict, { redelivered, duplicates, dead }: Round['counts']): void {
    this.rounds++
    this.redelivered += redelivered
    this.duplicates += duplicates
    this.records += verdict.records
    this.lost += verdict.lost
    this.doubled += verdict.doubled
    this.unexpected += verdict.unexpected
    const about = `round ${this.rounds - 1}: `
    this.problems.push(...verdict.problems.map((problem) => about + problem))
    if (dead > 0) this.problems.push(`${about}${dead} messages became dead letters`)
  }

  /** A round did not come to its end. */
  broke(error: unknown): void {
    this.problems.push(`round ${this.rounds}, after "${this.#last}": ${String(error)}`)
  }

  /** A run that shows nothing has failed, too. */
  conclude({ items }: Bag<Fault>): void {
    this.seconds = Math.round((performance.now() - this.#start) / 1000)
    if (this.faults >= items.length)
      for (const { name } of items)
        if (this.kinds[name] === undefined) this.problems.push(`never reached: ${name}`)
    if (this.redelivered === 0) this.problems.push('no message was delivered twice: the run shows nothing')
  }

  get longest(): readonly [fault: string, ms: number] | undefined {
    return Object.entries(this.recoveries).toSorted(([, a], [, b]) => b - a)[0]
  }

  /**
   * With so many faults and no failure, the probability that one of them does harm is below this, at 95 % (rule of
   * three).
   */
  get bound(): number {
    return 3 / this.faults
  }
}

const columns: Readonly<Record<string, (report: LaneReport) => string>> = {
  lane: ({ lane }) => lane,
  faults: ({ faults }) => String(faults),
  kinds: ({ kinds }) => String(Object.keys(kinds).length),
  records: ({ records }) => records.toLocaleString('en'),
  redelivered: ({ redelivered }) => redelivered.toLocaleString('en'),
  'absorbed by the ledger': ({ duplicates }) => duplicates.toLocaleString('en'),
  lost: ({ lost }) => String(lost),
  doubled: ({ doubled }) => String(doubled),
  unexpected: ({ unexpected }) => String(unexpected),
  'longest recovery': ({ longest }) =>
    longest === undefined ? '–' : `${(longest[1] / 1000).toFixed(1)} s (${longest[0]})`,
  '3/N': ({ bound }) => `${(bound * 100).toFixed(1)} %`,
  seconds: ({ seconds }) => String(seconds),
  seed: ({ seed }) => String(seed),
}

/** For a person, and for a page of the docs. */
export function tableOf(reports: readonly LaneReport[]): string {
  const lines = [
    Object.keys(columns),
    Object.keys(columns).map(() => '---'),
    ...reports.map((report) => Object.values(columns).map((cell) => cell(report))),
  ]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
