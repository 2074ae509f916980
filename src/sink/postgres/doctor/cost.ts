/**
 * How fast records would go into the table, and what each of its parts takes of that: measured on copies of the
 * table, in a transaction that is rolled back, with records of the file or rows of the table.
 */
import pg from 'pg'
import { rollback } from '../../../driver/postgres/transaction.ts'
import { count } from '../../../core/counted.ts'
import { type Cost, findingsAbout } from '../../../core/finding.ts'
import type { Model } from '../../../model/model.ts'
import { type TableQuestions, withoutChanges } from '../../examination.ts'
import { fastest, leastRows, tooFew } from '../../measured.ts'
import { rowsOf } from '../copy/model-rows.ts'
import { rowError } from '../errors.ts'
import type { CopyRows } from '../copy/rows.ts'
import { createIndex, createTable } from '../table/ddl.ts'
import { adviceFor, type Measured, speedFinding } from './advice.ts'
import { Copies } from './copies.ts'
import { hashFinding } from './hash.ts'
import { type Part, partsOf } from './parts.ts'
import { type Relation, relationOf } from './relation.ts'
import { withoutRefused, withoutRepeats } from './sample.ts'
import type { Add, TableCheck } from './visit.ts'

const { note, warn } = findingsAbout('table')

/** A load's batch has some 40,000; fewer show the same, in less time. */
const sampledRows = 5_000
const mostRounds = 7
/** Blocks of 8 KiB of a table that rows are taken from. */
const sampledBlocks = 400

/** A table that another session works on, or is altering, is left alone. */
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '10s'; SET CONSTRAINTS ALL IMMEDIATE`

export const costs: TableCheck = async ({ client, table }, add) => {
  await client.query(begin)
  try {
    await measure(client, table, add)
  } catch (error) {
    // Its message may quote the record.
    const refusal = error instanceof pg.DatabaseError ? rowError(error) : undefined
    if (refusal === undefined || refusal.uncertain) throw error
    add(note('speed', `it could not be measured: the table refuses a record with ${refusal.fault.code}`))
  } finally {
    await rollback(client)
  }
}

async function measure(client: pg.Client, table: TableQuestions, add: Add): Promise<void> {
  const model = table.model && withoutChanges(table.model)
  const there = await relationOf(client, table.name)
  if (there !== undefined && !['r', 'p'].includes(there.kind)) return
  if (there === undefined && model === undefined) return
  const relation = there ?? (await planned(client, model as Model))
  const copies = await Copies.of(client, relation, model)
  const sample = await copies.sampleTable()
  const sent = model && table.sample ? rowsOf(model) : undefined
  const decodedMs = sent && (await table.sample?.(sent))
  const rows =
    model === undefined || sent === undefined
      ? await takeRows(client, relation, sample, copies.columns)
      : await send(copies, sample, model, sent)
  if (rows < leastRows) {
    add(tooFew(rows))
    return
  }
  const found = await partsOf(client, relation)
  const parts = [...found.all, ...(table.withTriggers ? found.triggers : [])]
  const refused = await withoutRefused(client, sample, relation)
  if (refused > 0)
    add(
      warn(
        'records',
        `${count(refused)} of the first ${count(rows)} records have no value where the table needs one, or are refused by a check: they would be rejected`,
      ),
    )
  let repeated = 0
  for (const part of parts)
    if (part.unique !== undefined) repeated += await withoutRepeats(client, sample, part)
  if (repeated > 0 && sent !== undefined)
    add(
      note(
        'keys',
        `${count(repeated)} of the first ${count(rows)} records have a key that another one has: what becomes of them, --on-conflict says (default: rejects)`,
      ),
    )
  if (rows - refused - repeated < leastRows) {
    add(tooFew(rows - refused - repeated))
    return
  }
  await copies.fill(sample)
  const deadline = performance.now() + table.measureMs
  const whole = await copies.with(parts)
  const first = await copies.insert(whole, sample)
  // Each part is measured in one round at least.
  const affordable = (rows * table.measureMs) / Math.max(1, first * (1 + parts.length / 2))
  const measuredRows = affordable < rows ? await copies.cut(sample, affordable) : rows - refused - repeated
  const measured = await measureParts(copies, parts, sample, measuredRows, deadline)
  const sending = sent !== undefined && model !== undefined && refused + repeated === 0 && !table.withTriggers
  const all: Measured = {
    ...measured,
    whole: await ofThree(() => copies.insert(whole, sample)),
    sent: sending ? await ofThree(() => copies.copy(whole, model, sent, measuredRows)) : undefined,
    decodedMs: decodedMs && (decodedMs * measuredRows) / rows,
  }
  const isEmpty = there === undefined || !(await hasRows(client, relation))
  const listed: Cost[] = [...all.parts].map(([part, ms]) => ({
    what: part.what,
    msPer1000: perThousand(ms, all.rows),
    share: ms / all.together,
    advice: adviceFor(part, ms / all.together, isEmpty),
  }))
  add(
    ...speedFinding(all, listed, {
      isEmpty,
      isNew: there === undefined,
      isLogged: copies.isLogged,
      isOfFile: sent !== undefined,
      parts: [...all.parts.keys()],
    }),
  )
  for (const [part, added] of all.parts) {
    if (part.index?.method !== 'hash') continue
    const context = { client, copies, sample, relation, rows: all.rows, bare: all.bare, added }
    const finding = await hashFinding(context, part)
    if (finding !== undefined) add(finding)
  }
  if (!table.withTriggers && found.triggers.length > 0)
    add(
      note(
        'triggers',
        `${found.triggers.map(({ what }) => what).join(', ')} not measured: what a trigger does outside of the database would stay`,
        'lading doctor … --with-triggers',
      ),
    )
}

const perThousand = (ms: number, rows: number): number => (ms * 1000) / rows

/** The table that a load would make. */
async function planned(client: pg.Client, model: Model): Promise<Relation> {
  await client.query(createTable(model))
  for (const index of model.indexes) await client.query(createIndex(model, index))
  return (await relationOf(client, model)) as Relation
}

async function takeRows(
  client: pg.Client,
  { schema, table }: Relation,
  sample: string,
  columns: readonly string[],
): Promise<number> {
  const source = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`
  const { rowCount } = await client.query(
    `INSERT INTO ${sample} SELECT ${columns.map(pg.escapeIdentifier).join(', ')} FROM ${source}
     TABLESAMPLE SYSTEM (least(100, 100.0 * ${sampledBlocks} * 8192 / greatest(1, pg_total_relation_size('${source.replaceAll("'", "''")}')))) LIMIT ${sampledRows}`,
  )
  return rowCount ?? 0
}

async function send(copies: Copies, sample: string, model: Model, rows: CopyRows): Promise<number> {
  if (rows.rows > 0) await copies.copy(sample, model, rows, rows.rows)
  return rows.rows
}

/** What each part adds to a copy without any. The rounds alternate, so that a busy moment blurs all alike. */
async function measureParts(
  copies: Copies,
  parts: readonly Part[],
  sample: string,
  rows: number,
  deadline: number,
) {
  const bareCopy = await copies.with([])
  const variants = []
  for (const part of parts) variants.push({ part, copy: await copies.with([part]), times: [] as number[] })
  const bare: number[] = []
  await copies.insert(bareCopy, sample)
  for (let round = 0; round < mostRounds && (round === 0 || performance.now() < deadline); round++) {
    bare.push(await copies.insert(bareCopy, sample))
    for (const { copy, times } of variants) times.push(await copies.insert(copy, sample))
  }
  const base = fastest(bare)
  const added = variants.map(({ part, times }) => [part, Math.max(0, fastest(times) - base)] as const)
  return {
    rows,
    bare: base,
    together: added.reduce((all, [, ms]) => all + ms, base),
    parts: new Map(added),
  }
}

async function ofThree(work: () => Promise<number>): Promise<number> {
  return fastest([await work(), await work(), await work()])
}

async function hasRows(client: pg.Client, { schema, table }: Relation): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT FROM ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)} LIMIT 1`,
  )
  return rows.length > 0
}
