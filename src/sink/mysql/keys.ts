/** The keys of a batch's parts in the ledger: which are new, and what the known ones mean. */
import type { Counts } from '../ledger.ts'
import type { BatchVerdict, Part } from '../sink.ts'
import { inOrderOfEntry, type Span } from '../sql/place.ts'
import { keyReused } from '../sql/verdicts.ts'
import { isDuplicate } from './errors.ts'
import { hexLiteral, literal } from './literal.ts'
import type { Session } from './session.ts'
import { inStatements } from './statements.ts'

/** Keys that another open transaction has entered: they are there, and not committed. Outside a transaction. */
export async function lockedKeys(
  session: Session,
  pipeline: string,
  keys: readonly string[],
): Promise<ReadonlySet<string>> {
  const locked = new Set<string>()
  for (const some of inStatements(keys.map(literal))) {
    const seen = async () => {
      const rows = await session.query(
        `SELECT "key" FROM lading_ledger WHERE pipeline = ${literal(pipeline)} AND "key" IN (${some})`,
      )
      return rows.map(({ key }) => String(key))
    }
    // Of the next statement alone.
    await session.run('SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED')
    const entered = await seen()
    const committed = new Set(entered.length === 0 ? [] : await seen())
    for (const key of entered) if (!committed.has(key)) locked.add(key)
  }
  return locked
}

/**
 * Enters the keys; returns the parts whose keys are new. A known key is a duplicate only of the same content. Mostly all
 * are new, so that the known ones are looked for only once an INSERT has met one, which has undone itself.
 */
export async function enterLedger(
  session: Session,
  pipeline: string,
  spans: readonly Span[],
  verdicts: BatchVerdict[],
): Promise<readonly Span[]> {
  let fresh = firstOfEach(spans)
  const judged = () => fresh.filter(({ index }) => verdicts[index] === undefined)
  while (fresh.length > 0 && !(await enter(session, pipeline, fresh))) {
    await judgeKnown(session, pipeline, spans, verdicts)
    fresh = judged()
  }
  const entered = new Set(fresh)
  const later = spans.filter((span) => !entered.has(span) && verdicts[span.index] === undefined)
  // Of one key in a batch, the first has just been entered.
  if (later.length > 0) await judgeKnown(session, pipeline, later, verdicts)
  return spans.filter((span) => entered.has(span))
}

function firstOfEach(spans: readonly Span[]): Span[] {
  const keys = new Set<string>()
  return spans.filter(({ part: { key } }) => !keys.has(key) && keys.add(key))
}

/** Returns false, and enters none, if one is there already: another session's is waited for. */
async function enter(session: Session, pipeline: string, spans: readonly Span[]): Promise<boolean> {
  const name = literal(pipeline)
  const rows = spans
    .map(({ part }) => part)
    .toSorted(inOrderOfEntry)
    .map((part) => rowOf(name, part))
  const columns = 'pipeline, "key", sha256, load_id, outcome, records, loaded, rejected, skipped, filtered'
  await session.run('SAVEPOINT entry')
  try {
    for (const values of inStatements(rows))
      await session.run(`INSERT INTO lading_ledger (${columns}) VALUES ${values}`)
    return true
  } catch (error) {
    if (!isDuplicate(error)) throw error
    await session.run('ROLLBACK TO entry')
    return false
  }
}

function rowOf(pipeline: string, { key, sha256, load, records, rows, filtered = 0 }: Part): string {
  const counts = [records, rows, records - rows - filtered, filtered, filtered]
  return `(${pipeline}, ${literal(key)}, ${hexLiteral(sha256)}, ${literal(load?.id ?? null)}, 'applied', ${counts.join(', ')})`
}

/** Reads what is committed now, which a plain SELECT would do too, and waits for what is about to be. */
async function judgeKnown(
  session: Session,
  pipeline: string,
  spans: readonly Span[],
  verdicts: BatchVerdict[],
): Promise<void> {
  const known = new Map<string, string>()
  for (const keys of inStatements([...new Set(spans.map(({ part }) => part.key))].toSorted().map(literal))) {
    const rows = await session.query(
      `SELECT "key", sha256 FROM lading_ledger WHERE pipeline = ${literal(pipeline)} AND "key" IN (${keys}) ORDER BY "key" LOCK IN SHARE MODE`,
    )
    for (const row of rows) known.set(String(row['key']), (row['sha256'] as Buffer).toString('hex'))
  }
  for (const { part, index } of spans) {
    const sha256 = known.get(part.key)
    if (sha256 === undefined) continue
    verdicts[index] = sha256 === part.sha256 ? { kind: 'duplicate' } : keyReused(part.key)
  }
}

/** Parts of which not every row was loaded: they were entered as if it would be. */
export async function correct(
  session: Session,
  pipeline: string,
  corrections: readonly (readonly [Part, Counts])[],
): Promise<void> {
  for (const [{ key }, { loaded, rejected, skipped }] of corrections)
    await session.run(
      `UPDATE lading_ledger SET loaded = ${loaded}, rejected = ${rejected}, skipped = ${skipped}
       WHERE pipeline = ${literal(pipeline)} AND "key" = ${literal(key)}`,
    )
}
