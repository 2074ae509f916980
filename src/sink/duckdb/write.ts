/** The one transaction of a batch: ledger, rows and rejects together, or nothing. No other process has the file open meanwhile. */
import type { Reject } from '../../core/fault.ts'
import type { LoadInfo } from '../../core/load.ts'
import type { Batch, Part, Verdict } from '../sink.ts'
import { storable } from '../storable.ts'
import { raw, type Sql, sql } from '../sql/statement.ts'
import { insertLoad } from '../sql/steps.ts'
import { keyReused, planMismatch } from '../sql/verdicts.ts'
import { dialect } from './ledger.ts'
import { noRows, type Placed, place } from './place.ts'
import type { ColumnRows } from './rows.ts'
import type { Session } from './session.ts'
import { targetOf } from './target.ts'

/** What a batch leaves for the next one of its table. */
export interface Past {
  /** By the fingerprint of a model, of which a batch met a conflict: how many batches more are expected to. */
  readonly conflicting: Map<string, number>
}

const mostExpected = 16

interface Taking {
  /** Keys of the batch of which the dead entry goes. */
  readonly revived: ReadonlySet<string>
  /** In the same transaction. */
  readonly also: (verdicts: readonly Verdict[]) => Promise<void>
}

const nothing: Taking = { revived: new Set(), also: async () => {} }

interface Span {
  readonly part: Part
  readonly index: number
  readonly start: number
  readonly end: number
}

export async function writeBatch(
  session: Session,
  batch: Batch<ColumnRows>,
  past: Past,
  taking = nothing,
): Promise<readonly Verdict[]> {
  const { verdicts, spans, loads } = await judge(session, batch, taking.revived)
  const runs = spans.filter(({ start, end }) => end > start)
  const { fingerprint } = batch.model
  const expected = past.conflicting.get(fingerprint) ?? 0
  const finish = async (placed: Placed) => {
    if (placed.wasCareful) past.conflicting.set(fingerprint, expected === 0 ? mostExpected : expected - 1)
    for (const load of loads) await session.all(insertLoad(dialect, batch.pipeline, load))
    for (const key of taking.revived)
      await session.all(
        sql`DELETE FROM lading_ledger WHERE pipeline = ${batch.pipeline} AND key = ${key} AND outcome = 'dead'`,
      )
    const entries: Sql[] = []
    const rejects: Sql[] = []
    for (const span of spans) {
      const own = describe(span, placed)
      const all = [...span.part.rejects, ...own]
      if (all.length > 0) await keepLayout(session, span.part)
      rejects.push(...all.map((reject) => rejectRow(batch.pipeline, span.part, reject)))
      const verdict = verdictOf(span, own.length, placed)
      verdicts[span.index] = verdict
      entries.push(entryRow(batch.pipeline, span.part, verdict))
    }
    await insertRows(session, ledgerColumns, entries)
    await insertRows(session, rejectColumns, rejects)
    await taking.also(verdicts)
  }
  if (spans.length === 0 && loads.length === 0 && taking === nothing) return verdicts
  if (spans.length === 0 && loads.length === 0) await session.transaction(() => taking.also(verdicts))
  else if (runs.length === 0) await session.transaction(() => finish(noRows))
  else {
    await place(await targetOf(session, batch.model), batch.rows, runs, expected > 0, finish)
  }
  return verdicts
}

/** What is known of the parts; `loads` are those that the ledger does not have, and `spans` the parts that take effect. */
async function judge(session: Session, batch: Batch<ColumnRows>, revived: ReadonlySet<string>) {
  const { pipeline, parts } = batch
  const known = await loadsOf(session, parts)
  const entries = await entriesOf(session, pipeline, parts)
  for (const key of revived) if (entries.get(key)?.outcome === 'dead') entries.delete(key)
  const verdicts: Verdict[] = []
  const spans: Span[] = []
  const loads: LoadInfo[] = []
  let end = 0
  for (const [index, part] of parts.entries()) {
    const start = end
    end += part.rows
    const { key, sha256, load } = part
    const own = load && (known.get(load.id) ?? { plan: load.plan, complete: false })
    if (load !== undefined && own !== undefined && !known.has(load.id)) {
      known.set(load.id, own)
      loads.push(load)
    }
    const entry = entries.get(key)
    if (own?.complete === true) verdicts[index] = { kind: 'duplicate' }
    else if (load !== undefined && own !== undefined && own.plan !== load.plan)
      verdicts[index] = planMismatch(load)
    else if (entry === undefined) {
      entries.set(key, { sha256, outcome: 'applied' })
      spans.push({ part, index, start, end })
    } else verdicts[index] = entry.sha256 === sha256 ? { kind: 'duplicate' } : keyReused(key)
  }
  return { verdicts, spans, loads }
}

const hex = (value: unknown): string => Buffer.from(value as Uint8Array).toString('hex')
const blob = (text: string): Buffer => Buffer.from(text, 'hex')

async function loadsOf(session: Session, parts: readonly Part[]) {
  const ids = [...new Set(parts.flatMap(({ load }) => load?.id ?? []))]
  if (ids.length === 0) return new Map<string, { plan: string; complete: boolean }>()
  const rows = await session.all(
    sql`SELECT id, plan, complete FROM lading_load WHERE ${dialect.among(sql`id`, ids)}`,
  )
  return new Map(
    rows.map((row) => [String(row['id']), { plan: hex(row['plan']), complete: row['complete'] === true }]),
  )
}

/** What the ledger has under the keys. */
export async function entriesOf(
  session: Session,
  pipeline: string,
  parts: readonly Pick<Part, 'key'>[],
): Promise<Map<string, { sha256: string; outcome: string }>> {
  const keys = [...new Set(parts.map(({ key }) => key))]
  const rows = await session.all(
    sql`SELECT key, sha256, outcome FROM lading_ledger WHERE pipeline = ${pipeline} AND ${dialect.among(sql`key`, keys)}`,
  )
  return new Map(
    rows.map((row) => [String(row['key']), { sha256: hex(row['sha256']), outcome: String(row['outcome']) }]),
  )
}

const describe = ({ part, start, end }: Span, { refused }: Placed): Reject[] =>
  [...refused]
    .filter(([row]) => row >= start && row < end)
    .toSorted(([a], [b]) => a - b)
    .map(([row, fault]) => part.describe(row - start, fault))

type Applied = Extract<Verdict, { readonly kind: 'applied' }>

function verdictOf({ part, start, end }: Span, refused: number, placed: Placed): Applied {
  const { records, rows, filtered = 0 } = part
  let skipped = 0
  for (const row of placed.skipped) if (row >= start && row < end) skipped++
  return {
    kind: 'applied',
    loaded: rows - refused - skipped,
    rejected: records - rows - filtered + refused,
    skipped: skipped + filtered,
  }
}

const ledgerColumns =
  'lading_ledger (pipeline, key, sha256, load_id, outcome, records, loaded, rejected, skipped, filtered)'

const entryRow = (
  pipeline: string,
  { key, sha256, load, records, filtered = 0 }: Part,
  verdict: Applied,
): Sql =>
  sql`(${pipeline}, ${key}, ${blob(sha256)}, ${load?.id ?? null}, 'applied', ${records}, ${verdict.loaded}, ${verdict.rejected}, ${verdict.skipped}, ${filtered})`

const rejectColumns =
  'lading_reject (pipeline, key, load_id, record, line, byte, source, column_name, code, detail, raw, masked, span_start, span_end)'

function rejectRow(pipeline: string, { key, load }: Part, reject: Reject): Sql {
  const { record, line, byte, source, column, code, detail, raw: bytes, masked, span } = reject
  return sql`(${pipeline}, ${key}, ${load?.id ?? null}, ${record}, ${line}, ${byte}, ${storable(source)},
    ${column === undefined ? null : storable(column)}, ${code}, ${storable(detail)}, ${bytes},
    ${masked === undefined ? null : JSON.stringify(masked)}, ${span?.start ?? null}, ${span?.end ?? null})`
}

/** More rows in a statement gain nothing. */
const mostInserted = 50

async function insertRows(session: Session, columns: string, rows: readonly Sql[]): Promise<void> {
  for (let at = 0; at < rows.length; at += mostInserted) {
    const values = rows.slice(at, at + mostInserted).reduce((all, each) => sql`${all}, ${each}`)
    await session.all(sql`INSERT INTO ${raw(columns)} VALUES ${values}`)
  }
}

async function keepLayout(session: Session, { load, layout }: Part): Promise<void> {
  if (load === undefined || layout === undefined) return
  await session.all(
    sql`UPDATE lading_load SET layout = ${JSON.stringify(layout)} WHERE id = ${load.id} AND layout IS NULL`,
  )
}

export async function replayLetter(
  session: Session,
  letter: number,
  batch: Batch<ColumnRows>,
  past: Past,
): Promise<readonly Verdict[]> {
  const { parts } = batch
  const dead = await session.all(
    sql`SELECT 1 FROM lading_dead_letter WHERE id = ${letter} AND state = 'dead'`,
  )
  if (dead.length === 0) return parts.map(() => ({ kind: 'duplicate' }))
  const loads = await loadsOf(session, parts)
  const ours = parts.filter(({ load }) => load !== undefined && loads.get(load.id)?.plan === load.plan)
  return await writeBatch(session, batch, past, {
    revived: new Set(ours.map(({ key }) => key)),
    also: async (verdicts) => {
      if (verdicts.every(({ kind }) => kind !== 'refused'))
        await session.all(sql`UPDATE lading_dead_letter SET state = 'replayed' WHERE id = ${letter}`)
    },
  })
}
