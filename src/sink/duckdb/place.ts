/** Rows of a batch → table: as fast as it goes, and as carefully as it must. */
import { LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import { type Attempt, isolate } from '../sql/isolate.ts'
import { decide, type Decision, notInKey, replacesAny } from './decide.ts'
import { identifier, identifiers } from './ddl.ts'
import { rowFault } from './errors.ts'
import { changedRows, faultyRows } from './faults.ts'
import type { ColumnRows } from './rows.ts'
import { plan, rowNumber, type Run, stage, stagePlan, stageRows } from './stage.ts'
import { lookUp, type Target, valueOf } from './target.ts'

/** What became of the rows; all others are in the table. */
export interface Placed extends Pick<Decision, 'refused' | 'skipped'> {
  /** The table refused them as they were, or was expected to. */
  readonly wasCareful: boolean
}

export const noRows: Placed = { refused: new Map(), skipped: new Set(), wasCareful: false }

/** Writes what belongs to the rows, in their transaction. */
type Finish = (placed: Placed) => Promise<void>

/** A statement that writes rows was refused. */
class RowRefused extends Error {
  readonly fault: Fault

  constructor(fault: Fault, cause: unknown) {
    super(fault.detail, { cause })
    this.fault = fault
  }
}

/**
 * Writes the rows of the runs in ONE transaction with what `finish` writes. First all rows at once; if the table refuses
 * one, nothing of the transaction is left, and what each row does is decided before they are written again.
 */
export async function place(
  target: Target,
  rows: ColumnRows,
  runs: readonly Run[],
  expectsConflict: boolean,
  finish: Finish,
): Promise<void> {
  await stageRows(target.session, rows, runs)
  const numbers = runs.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, index) => start + index),
  )
  const changed = await changedRows(target)
  if (!expectsConflict && changed.size === 0) {
    const outcome = await attempted(() => writeAll(target, numbers.length, finish))
    if (outcome.kind === 'placed') return
  }
  const write = async (now: Target, known: ReadonlyMap<number, Fault>) => {
    const decision = await decide(now, numbers, known)
    return await attempted(() => writeDecided(now, decision, finish))
  }
  const faults = new Map([...(await faultyRows(target)), ...changed])
  if ((await write(target, faults)).kind === 'placed') return
  const now = await lookUp(target.session, target.model)
  const all = new Map([...(await faultyRows(now)), ...changed])
  await findFaults(now, numbers, all)
  const last = await write(now, all)
  // v8 ignore next -- by then every row is left out that an attempt has shown to be refused
  if (last.kind === 'refused') throw new LadingError('SINK_FAILED', `DuckDB: ${last.fault.detail}`)
}

/** Adds rows that nothing but an attempt shows to be refused. */
async function findFaults(
  target: Target,
  numbers: readonly number[],
  faults: Map<number, Fault>,
): Promise<void> {
  const { session } = target
  const attempt = async (_: number, end: number): Promise<Attempt> => {
    const later = numbers
      .slice(end)
      .map((row) => [row, { code: 'VALUE_REFUSED', detail: '' } as Fault] as const)
    const decision = await decide(target, numbers, new Map([...faults, ...later]))
    await session.exec('BEGIN')
    try {
      return await attempted(() => apply(target, decision))
    } finally {
      await session.rollback()
    }
  }
  await isolate(0, numbers.length, attempt, (index, fault) => faults.set(numbers[index] as number, fault))
}

async function attempted(work: () => Promise<void>): Promise<Attempt> {
  try {
    await work()
    return { kind: 'placed' }
  } catch (error) {
    if (error instanceof RowRefused) return { kind: 'refused', fault: error.fault }
    throw error
  }
}

const writeAll = ({ session, name, columns }: Target, count: number, finish: Finish): Promise<void> =>
  session.transaction(async () => {
    const values = columns.map((column) => valueOf(column)).join(', ')
    await change(session, `INSERT INTO ${name} (${namesOf(columns)}) SELECT ${values} FROM ${stage}`, count)
    await finish(noRows)
  })

async function writeDecided(target: Target, decision: Decision, finish: Finish): Promise<void> {
  await stagePlan(target.session, decision.planned)
  await target.session.transaction(async () => {
    await applyPlan(target, decision)
    await finish({ ...decision, wasCareful: true })
  })
}

/** Within a transaction. */
async function apply(target: Target, decision: Decision): Promise<void> {
  await stagePlan(target.session, decision.planned)
  await applyPlan(target, decision)
}

async function applyPlan(target: Target, { planned }: Decision): Promise<void> {
  const { session, name, columns } = target
  const from = `${stage} s JOIN ${plan} p ON s.${rowNumber} = p.${rowNumber}`
  const replaced = planned.filter((each) => each.target !== undefined).length
  if (replaced > 0) {
    const sets = notInKey(target).map((column) => `${identifier(column.name)} = ${valueOf(column, 's.')}`)
    await change(
      session,
      `UPDATE ${name} AS t SET ${sets.join(', ')} FROM ${from} WHERE t.rowid = p.target`,
      replaced,
    )
  }
  if (planned.length === replaced) return
  const values = columns.map((column) => valueOf(column, 's.')).join(', ')
  await change(
    session,
    `INSERT INTO ${name} (${namesOf(columns)}) SELECT ${values} FROM ${from} WHERE p.target IS NULL ORDER BY s.${rowNumber} ${ifThere(target)}`,
    planned.length - replaced,
  )
}

/** What becomes of a row whose key the table has, where it was not asked for that. */
function ifThere(target: Target): string {
  if (!replacesAny(target)) return ''
  const sets = notInKey(target).map(({ name }) => `${identifier(name)} = excluded.${identifier(name)}`)
  return `ON CONFLICT (${identifiers(target.model.primaryKey)}) DO UPDATE SET ${sets.join(', ')}`
}

const namesOf = (columns: Target['columns']): string => identifiers(columns.map(({ name }) => name))

async function change(session: Target['session'], statement: string, expected: number): Promise<void> {
  let changed: number
  try {
    changed = await session.run(statement)
  } catch (error) {
    const fault = rowFault(error)
    throw fault === undefined ? error : new RowRefused(fault, error)
  }
  if (changed !== expected)
    // v8 ignore next -- DuckDB stores all rows or throws; a count that differs would be a fault of ours
    throw new LadingError('INTERNAL', `DuckDB: ${changed} of ${expected} rows took effect`)
}
