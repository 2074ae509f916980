/** The loads that a filter of receipts chooses. */
import type { ReceiptFilter, Standing } from '../ledger.ts'
import { storable } from '../storable.ts'
import { allOf, type Sql, sql } from './statement.ts'
import type { LedgerDialect } from './steps.ts'

/** For a statement in which the table of loads is called `own`. */
export function chosenLoads(
  dialect: LedgerDialect,
  { loads, pipeline, standing, named, after }: ReceiptFilter,
): Sql {
  const { among, position } = dialect
  return allOf([
    loads && among(sql`id`, loads),
    equal(sql`pipeline`, pipeline),
    named === undefined ? undefined : sql`${position(storable(named.toLowerCase()), sql`lower(source)`)} > 0`,
    after === undefined ? undefined : behind(dialect, after),
    standing && stands(dialect, standing),
  ])
}

/** In the order of receipts. */
function behind({ load }: LedgerDialect, loadId: string): Sql {
  const at = sql`(SELECT started_at FROM ${load} AS last WHERE last.id = ${loadId})`
  // The first condition alone says where in the index to begin.
  return sql`started_at <= ${at} AND (started_at < ${at} OR id > ${loadId})`
}

function stands({ ledger, reject, deadLetter }: LedgerDialect, standing: Standing): Sql {
  // A load with dead chunks is never folded.
  const isDone = sql`(complete OR chunks <= (SELECT count(*) FROM ${ledger} AS part WHERE part.load_id = own.id))`
  if (standing === 'open') return sql`NOT ${isDone}`
  const lacks = sql`(EXISTS (SELECT 1 FROM ${reject} AS kept WHERE kept.load_id = own.id AND state <> 'replayed')
    OR id IN (SELECT load_id FROM ${deadLetter} AS letter WHERE state = 'dead' AND load_id IS NOT NULL))`
  return standing === 'rejects' ? lacks : sql`${isDone} AND NOT ${lacks}`
}

export const equal = (column: Sql, value: string | number | undefined): Sql | undefined =>
  value === undefined ? undefined : sql`${column} = ${value}`
