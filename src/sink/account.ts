import type { Receipt, SettledLoad } from './ledger.ts'
import { balance } from './receipt.ts'

const counts = [
  'records',
  'loaded',
  'rejected',
  'skipped',
  'dead',
  'filtered',
  'rejectRows',
  'openRejects',
  'deadLetters',
  'openDeadLetters',
] as const

/** Sums over loads. */
export type Totals = { -readonly [Name in (typeof counts)[number] | 'open']: number } & {
  loads: number
  /** Of the open records: those that are gathered to replace the rows of a table. */
  gathered: number
  /** Loads that do not add up. */
  wrong: number
  /** Loads with rejects that a person has to decide on. */
  withRejects: number
  /** Loads on which a person must decide, or that have to be waited for. */
  needy: number
}

/** Receipts that are kept: about one screen. */
const mostKept = 20

/** The receipts of any number of loads, added up; those that a person may want to see are kept. */
export class Account {
  readonly totals: Totals = {
    records: 0,
    loaded: 0,
    rejected: 0,
    skipped: 0,
    dead: 0,
    open: 0,
    filtered: 0,
    rejectRows: 0,
    openRejects: 0,
    deadLetters: 0,
    openDeadLetters: 0,
    loads: 0,
    gathered: 0,
    wrong: 0,
    withRejects: 0,
    needy: 0,
  }
  /** The first of all, the first that need attention, and the first with open rejects. */
  readonly first: Receipt[] = []
  readonly needy: Receipt[] = []
  readonly withRejects: Receipt[] = []

  #incomplete = 0

  static of(receipts: Iterable<Receipt>): Account {
    const account = new Account()
    for (const receipt of receipts) account.add(receipt)
    return account
  }

  /** Whether every record of every load has a verdict. */
  get isComplete(): boolean {
    return this.#incomplete === 0
  }

  add(receipt: Receipt): void {
    const { totals } = this
    const { open, problems } = balance(receipt)
    if (open !== 0) this.#incomplete++
    for (const name of counts) totals[name] += receipt[name]
    totals.open += open
    if (receipt.isGathered === true) totals.gathered += open
    totals.loads++
    keep(this.first, receipt)
    if (problems.length > 0) totals.wrong++
    if (receipt.openRejects > 0) {
      totals.withRejects++
      keep(this.withRejects, receipt)
    }
    if (open <= 0 && problems.length === 0 && receipt.openRejects === 0 && receipt.openDeadLetters === 0)
      return
    totals.needy++
    keep(this.needy, receipt)
  }

  addSettled({ records, loaded, filtered }: SettledLoad): void {
    const { totals } = this
    totals.loads++
    totals.records += records
    totals.loaded += loaded
    totals.skipped += records - loaded
    totals.filtered += filtered
  }
}

function keep(receipts: Receipt[], receipt: Receipt): void {
  if (receipts.length < mostKept) receipts.push(receipt)
}
