/** What was measured, as findings: how fast a load would be, and what to do about what makes it slow. */
import { count } from '../../../core/counted.ts'
import { type Cost, type Finding, findingsAbout } from '../../../core/finding.ts'
import { rateOf } from '../../measured.ts'
import type { Part } from './parts.ts'

export interface Measured {
  readonly rows: number
  /** Milliseconds for all rows, by part. */
  readonly parts: ReadonlyMap<Part, number>
  readonly bare: number
  /** Of the rows and all parts, as each was measured. */
  readonly together: number
  readonly whole: number
  /** As a load sends them. */
  readonly sent: number | undefined
  readonly decodedMs: number | undefined
}

const { ok, note } = findingsAbout('table')

/** Shares of a batch's time below which nothing is said, and from which on it is a finding of its own. */
const littleShare = 0.1
const largeShare = 0.3

export function adviceFor(part: Part, share: number, isEmpty: boolean): string | undefined {
  if (share < littleShare) return undefined
  switch (part.kind) {
    case 'index':
      if (part.index?.method === 'hash') return 'a btree answers the same'
      if (isEmpty) return 'build it at the end: --defer-indexes always'
      return part.index?.isKey === true
        ? 'it guards the key, and stays'
        : 'drop it before a large load, build it afterwards'
    case 'foreign key':
      return 'add it afterwards: NOT VALID, then VALIDATE CONSTRAINT'
    case 'trigger':
      return 'FOR EACH STATEMENT with a transition table, if its work allows it'
    default:
      return undefined
  }
}

interface Context {
  readonly isEmpty: boolean
  readonly isNew: boolean
  readonly isLogged: boolean
  readonly isOfFile: boolean
  readonly parts: readonly Part[]
}

/** The first is the rate, with the table of what takes how much of it. */
export function speedFinding(measured: Measured, costs: readonly Cost[], context: Context): Finding[] {
  const { rows, whole, sent, decodedMs } = measured
  const database = ((sent ?? whole) * 1000) / rows
  const decoding = decodedMs === undefined ? undefined : (decodedMs * 1000) / rows
  // The next batch is decoded while one is written.
  const rate = rateOf(Math.max(database, decoding ?? 0))
  const ofWhat = context.isOfFile
    ? `the first ${count(rows)} records of the file`
    : `${count(rows)} rows of the table`
  const detail = [
    `about ${count(rate)} records/s for one consumer: ${database.toFixed(1)} ms in the database for 1,000 records`,
    ...(decoding === undefined ? [] : [`, ${decoding.toFixed(1)} ms to decode them`]),
    ` (measured with ${ofWhat}, on an empty copy${context.isNew ? ' of the table that would be made' : ''}, rolled back`,
    ...(context.isLogged ? [] : ['; a temporary one, which is not logged, so it is less than it will be']),
    ')',
  ].join('')
  const bare = {
    what: 'the rows themselves',
    msPer1000: (measured.bare * 1000) / rows,
    share: measured.bare / measured.together,
  }
  const listed = [bare, ...costs].toSorted((a, b) => b.msPer1000 - a.msPer1000)
  return [
    { ...ok('speed', detail), costs: listed },
    ...indexFinding(costs, context),
    ...keyFinding(costs, context),
  ]
}

function* indexFinding(costs: readonly Cost[], { parts, isEmpty }: Context): Generator<Finding> {
  const share = costs.reduce((sum, cost, n) => sum + (parts[n]?.kind === 'index' ? cost.share : 0), 0)
  if (share < largeShare) return
  const percent = Math.min(95, Math.round(share * 100))
  if (isEmpty) {
    yield note(
      'indexes',
      `they take about ${percent} % of the time, and the table is empty: built at the end they cost a part of that (a load of 32 MiB or more does so by itself)`,
      'lading load … --defer-indexes always',
    )
    return
  }
  const dropped = parts.flatMap((part, n) =>
    part.index?.isKey === false && (costs[n]?.share ?? 0) >= littleShare ? [part.index] : [],
  )
  if (dropped.length > 0)
    yield note(
      'indexes',
      `they take about ${percent} % of the time. The table has rows, so Lading leaves them in place. For a load that is large beside the table, drop those that are no key, and build them afterwards`,
      [
        ...dropped.map(({ name }) => `DROP INDEX ${name};`),
        ...dropped.map(({ definition }) => `${definition};`),
      ].join('\n'),
    )
}

function* keyFinding(costs: readonly Cost[], { parts }: Context): Generator<Finding> {
  for (const [n, { what, again }] of parts.entries()) {
    const { share = 0 } = costs[n] ?? {}
    if (again === undefined || share < largeShare) continue
    yield note(
      'foreign keys',
      `${what} takes about ${Math.round(share * 100)} % of the time, because each row looks up the other table. Checked after a large load it takes a part of that; but then a row that violates it is an error of the check, and no reject with its line`,
      [`${again.drop} -- before`, ...again.add.map((statement) => `${statement} -- after`)].join('\n'),
    )
  }
}
