/** What became of the messages of a batch or of a whole run. */
export interface Tally {
  readonly messages: number
  /** Messages that had been delivered before. */
  readonly redelivered: number
  /** Messages that had taken effect before. */
  readonly duplicates: number
  /** Messages that failed and were given back to be tried once more. */
  readonly retried: number
  readonly dead: number
  readonly records: number
  readonly loaded: number
  readonly rejected: number
  readonly skipped: number
}

export const emptyTally: Tally = {
  messages: 0,
  redelivered: 0,
  duplicates: 0,
  retried: 0,
  dead: 0,
  records: 0,
  loaded: 0,
  rejected: 0,
  skipped: 0,
}

/** A tally that is being counted. */
export type Count = { -readonly [Name in keyof Tally]: Tally[Name] }

export function addTally(a: Tally, b: Partial<Tally>): Tally {
  const sum = (name: keyof Tally) => a[name] + (b[name] ?? 0)
  return {
    messages: sum('messages'),
    redelivered: sum('redelivered'),
    duplicates: sum('duplicates'),
    retried: sum('retried'),
    dead: sum('dead'),
    records: sum('records'),
    loaded: sum('loaded'),
    rejected: sum('rejected'),
    skipped: sum('skipped'),
  }
}
