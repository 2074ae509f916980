/** What was measured, as findings: how fast a load would be, and what to do about what makes it slow. */
import type pg from 'pg'
import { count } from '../../../core/counted.ts'
import { type Cost, type Finding, findingsAbout } from '../../../core/finding.ts'
import { rateOf } from '../../measured.ts'
import { rowsOfOneValue } from '../table/hash-indexes.ts'
import { identifier } from '../table/ddl.ts'
import type { Copies } from './copies.ts'
import type { IndexPart, Part } from './parts.ts'
import type { Relation } from './relation.ts'
import { row } from './visit.ts'

export interface Measured {
  readonly rows: number
  /** Milliseconds for all rows, by part. */
  readonly parts: ReadonlyMap<Part, number>
  readonly bare: number
  readonly whole: number
  /** As a load sends them. */
  readonly sent: number | undefined
  readonly decodedMs: number | undefined
}

const { ok, note, warn } = findingsAbout('table')

/** Shares of a batch's time below which nothing is said, and from which on it is a finding of its own. */
const littleShare = 0.1
const largeShare = 0.3

export function adviceFor(part: Part, share: number, isEmpty: boolean): string | undefined {
  if (share < littleShare) return undefined
  switch (part.kind) {
    case 'index':
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
    share: measured.bare / Math.max(whole, measured.bare),
  }
  const listed = [bare, ...costs].toSorted((a, b) => b.msPer1000 - a.msPer1000)
  return [{ ...ok('speed', detail), costs: listed }, ...indexFinding(costs, context)]
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

/** Batches that are put behind each other to see whether they become slower. */
const batches = 6
/** Rows of one value in the sample from which on a chain is worth a try. */
const manyOfOneValue = 100
/** How much slower the last batch is than the first. */
const growing = 1.5

interface HashContext {
  readonly client: pg.Client
  readonly copies: Copies
  readonly sample: string
  readonly relation: Relation
  readonly rows: number
}

/**
 * All rows of one value lie in one chain of pages, through which each insert goes. An empty copy does not show
 * that, so the sample is put in several times.
 */
export async function hashFinding(
  { client, copies, sample, relation, rows }: HashContext,
  { name, column, definition }: IndexPart,
): Promise<Finding | undefined> {
  const { values } = await row<{ values: number }>(
    client,
    `SELECT count(DISTINCT ${identifier(column ?? '')})::int AS values FROM ${sample}`,
  ).catch(() => ({ values: rows }))
  const there = await rowsOfOneValue(client, relation, column ?? '')
  if (rows / Math.max(1, values) < manyOfOneValue && there < 50_000) return undefined
  const copy = await copies.with([
    {
      kind: 'index',
      what: '',
      make: (table) => [`CREATE INDEX ON ${table} USING hash (${identifier(column ?? '')})`],
    },
  ])
  const bare = await copies.with([])
  const times: number[] = []
  for (let n = 0; n < batches; n++)
    times.push((await copies.add(copy, sample)) - (await copies.add(bare, sample)))
  const [first, last] = [
    (times[0] as number) + (times[1] as number),
    (times.at(-1) as number) + (times.at(-2) as number),
  ]
  const growth = last / Math.max(first, Number.EPSILON)
  const told = `hash index ${name}: ${count(values)} values in ${count(rows)} rows, and each insert goes through all rows of its value`
  const now = there > 0 ? `. The table has about ${count(there)} rows of its most frequent value already` : ''
  const measured = `: the last of ${batches} batches took it ${growth.toFixed(1)} times as long as the first${now}`
  const cure = `DROP INDEX ${name};\n${btreeOf(definition)};`
  return growth >= growing || there >= 50_000
    ? warn('hash index', `${told}${measured}; a btree answers the same`, cure)
    : note('hash index', `${told}${measured}; with many more rows that is what a load waits for`, cure)
}

const btreeOf = (definition: string): string =>
  definition.replace(/^CREATE INDEX .*? ON /, 'CREATE INDEX ON ').replace(' USING hash ', ' USING btree ')
