/**
 * Rows of a batch → table. Inserts several rows per statement if the outcome is the same as row by row. If a
 * statement fails, its rows are inserted again one at a time.
 */
import { LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import type { SqliteFile, SqliteValue } from '../../core/sqlite.ts'
import { changesRows } from '../../model/change.ts'
import { rowChanger } from './change.ts'
import { identifier, type InsertModel, insertRows, mayLeaveOut } from './ddl.ts'
import { expressionFault, isForeignKeyError, isUncertain, rowFault } from './errors.ts'
import type { ValueRows } from './rows.ts'

export interface InsertBatch {
  readonly model: InsertModel
  readonly rows: ValueRows
}

type Refuse = (row: number, fault: Fault) => void

/** Inserts the rows from `start` to before `end`, and returns how many changed the table. */
export type Insert = (
  file: SqliteFile,
  batch: InsertBatch,
  start: number,
  end: number,
  refuse: Refuse,
) => number

/**
 * Rows of a statement, and of those that write its rows again if one is refused, or that write the last rows.
 * More than 64 gain nothing. SQLite keeps a copy of each page that a statement changes, so few gain less.
 */
const groupSizes = [64, 16] as const
/** A statement's cost grows with its parameters, of which SQLite takes 32,766. */
const mostParameters = 512

/**
 * RAISE(ROLLBACK) ends a transaction, which is written again without the row. More often than this it is not
 * the rows.
 */
const mostRollbacks = 100

/** What a failed transaction showed about its rows, for the next attempt. */
interface Lessons {
  /** A foreign key is deferred: it shows at COMMIT and names no row. */
  checked: boolean
  /** An expression failed: what its statement did before is still there. */
  guarded: boolean
  /** Rows for which a trigger rolled the transaction back. */
  readonly refused: Map<number, Fault>
}

/**
 * Runs `work` in a transaction, and again with another way to insert if an error showed that it needs one.
 */
export function insertingIn<T>(file: SqliteFile, model: InsertModel, work: (insert: Insert) => T): T {
  const lessons: Lessons = { checked: false, guarded: false, refused: new Map() }
  for (;;) {
    try {
      return file.transaction(() => work(inserterOf(file, model, lessons)))
    } catch (error) {
      if (!learn(lessons, error)) throw error
    }
  }
}

function learn(lessons: Lessons, error: unknown): boolean {
  if (error instanceof RolledBack) {
    lessons.refused.set(error.row, error.fault)
    return lessons.refused.size <= mostRollbacks
  }
  const lesson = isForeignKeyError(error) ? 'checked' : isUncertain(error) ? 'guarded' : undefined
  if (lesson === undefined || lessons[lesson]) return false
  return (lessons[lesson] = true)
}

/** To be asked within the transaction: another process may have made a trigger. */
function inserterOf(file: SqliteFile, model: InsertModel, { checked, guarded, refused }: Lessons): Insert {
  const insertOne = isView(file, model.table) ? insertInView : insertGuarded
  // Of a row that changes another one, a part may have been done.
  const isGuarded = guarded || changesRows(model) || hasTriggers(file, model.table)
  const insert = isGuarded ? insertOne : unguarded(file, model)
  const insertOthers = refused.size === 0 ? insert : without(refused, insert)
  return checked ? insertChecked(insertOthers) : insertOthers
}

function unguarded(file: SqliteFile, model: InsertModel): Insert {
  if (dependOnEachOther(file, model)) return insertOneByOne
  const most = Math.floor(mostParameters / model.columns.length)
  const sizes = new Set(groupSizes.map((size) => Math.min(size, most)))
  return [...sizes].filter((size) => size > 1).reduceRight(inGroups, insertOneByOne)
}

/**
 * A statement that fails takes back all that it did, so that `other` can insert its rows again. It inserts the
 * rows that fill no group, too.
 */
const inGroups =
  (other: Insert, size: number): Insert =>
  (file, batch, start, end, refuse) => {
    if (end - start < size) return other(file, batch, start, end, refuse)
    const insert = groupInserter(file, batch.model, size)
    const bound: SqliteValue[] = []
    let changed = 0
    let row = start
    for (; row + size <= end; row += size) {
      batch.rows.read(row, row + size, bound)
      changed += insert(bound) ?? other(file, batch, row, row + size, refuse)
    }
    return changed + other(file, batch, row, end, refuse)
  }

/** Returns how many of the rows changed the table; undefined if one was refused, and all with it. */
function groupInserter(
  file: SqliteFile,
  model: InsertModel,
  size: number,
): (bound: readonly SqliteValue[]) => number | undefined {
  const statement = file.prepare(insertRows(model, size))
  const complete = !mayLeaveOut(model)
  return (bound) => {
    try {
      const changes = Number(statement.run(...bound).changes)
      // Without a trigger, nothing but the policy leaves a row out.
      if (complete && changes !== size)
        // v8 ignore next -- SQLite stores all rows or throws; a count that differs would be a fault of ours
        throw new LadingError('INTERNAL', `SQLite: ${changes} of ${size} rows took effect`)
      return changes
    } catch (error) {
      if (rowFault(error, model) === undefined || !file.database.isTransaction) throw error
      return undefined
    }
  }
}

/** A row that SQLite refuses leaves no trace, so no savepoint is needed. */
const insertOneByOne: Insert = (file, batch, start, end, refuse) =>
  insertEach(file, batch, start, end, refuse, false)

/** SQLite counts no row that an INSTEAD OF trigger takes, only what the trigger changes. */
const insertInView: Insert = (file, batch, start, end, refuse) =>
  insertEach(file, batch, start, end, refuse, true, totalChanges)

const totalChanges = (file: SqliteFile): number =>
  file.get<{ n: number }>('SELECT total_changes() AS n')?.n ?? 0

const isView = (file: SqliteFile, table: string): boolean =>
  file.get("SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = ? COLLATE NOCASE", table) !== undefined

/**
 * For tables with triggers, where RAISE(FAIL) keeps what was changed before it, and for expressions that
 * fail.
 */
const insertGuarded: Insert = (file, batch, start, end, refuse) =>
  insertEach(file, batch, start, end, refuse, true)

function insertEach(
  file: SqliteFile,
  batch: InsertBatch,
  start: number,
  end: number,
  refuse: Refuse,
  guarded: boolean,
  count?: (file: SqliteFile) => number,
): number {
  if (start === end) return 0
  const { rows } = batch
  const write = changesRows(batch.model)
    ? rowChanger(file, batch.model)
    : rowInserter(file, batch.model, count)
  const bound: SqliteValue[] = []
  let changed = 0
  for (let row = start; row < end; row++) {
    rows.read(row, row + 1, bound)
    if (guarded) file.exec('SAVEPOINT row')
    try {
      // A trigger's own changes count too, so a row counts as one or none.
      if (write(bound)) changed++
      else if (!mayLeaveOut(batch.model)) refuse(row, leftOut)
    } catch (error) {
      const fault =
        rowFault(error, batch.model) ?? (guarded && isUncertain(error) ? expressionFault(error) : undefined)
      if (fault === undefined) throw error
      if (!file.database.isTransaction) throw new RolledBack(batch.model.table, row, fault, error)
      // What cannot be compiled fails without any row.
      if (isUncertain(error)) file.database.prepare(insertRows(batch.model, 1))
      if (guarded) file.exec('ROLLBACK TO row')
      refuse(row, fault)
    }
    if (guarded) file.exec('RELEASE row')
  }
  return changed
}

/** Writes one row; returns whether it took effect. */
function rowInserter(
  file: SqliteFile,
  model: InsertModel,
  count?: (file: SqliteFile) => number,
): (values: readonly SqliteValue[]) => boolean {
  const statement = file.prepare(insertRows(model, 1))
  return (values) => {
    const before = count?.(file) ?? 0
    const { changes } = statement.run(...values)
    return (count === undefined ? Number(changes) : count(file) - before) > 0
  }
}

const hasTriggers = (file: SqliteFile, table: string): boolean =>
  file.get(
    "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = lower(?) LIMIT 1",
    table,
  ) !== undefined

/**
 * Whether a row may be sound only with a later one of its statement, so that how rows are grouped would
 * decide what is refused: a row may refer to a later one, or take away and a later one give back what other
 * tables refer to.
 */
function dependOnEachOther(file: SqliteFile, { table, primaryKey }: InsertModel): boolean {
  const sql = `SELECT child.name, key."to" AS parent FROM sqlite_schema child JOIN pragma_foreign_key_list(child.name) key
               WHERE child.type = 'table' AND lower(key."table") = lower(?)`
  const references = file.all<{ name: string; parent: string | null }>(sql, table)
  return references.some(
    ({ name, parent }) =>
      name.toLowerCase() === table.toLowerCase() || (parent !== null && !primaryKey.includes(parent)),
  )
}

const leftOut: Fault = { code: 'TRIGGER_RAISED', detail: 'a trigger of the table left the row out' }

/** RAISE(ROLLBACK) ends the transaction itself; what came after would be committed row by row. */
class RolledBack extends LadingError {
  readonly row: number
  readonly fault: Fault

  constructor(table: string, row: number, fault: Fault, cause: unknown) {
    super('SINK_FAILED', `SQLite: a trigger of table ${table} rolled the transaction back`, { cause })
    this.row = row
    this.fault = fault
  }
}

/** Leaves out rows that are refused already. */
const without =
  (refused: ReadonlyMap<number, Fault>, insert: Insert): Insert =>
  (file, batch, start, end, refuse) => {
    let changed = 0
    let from = start
    for (const [row, fault] of [...refused].toSorted(([a], [b]) => a - b)) {
      if (row < from || row >= end) continue
      changed += insert(file, batch, from, row, refuse)
      refuse(row, fault)
      from = row + 1
    }
    return changed + insert(file, batch, from, end, refuse)
  }

/**
 * For tables whose foreign keys are deferred: a half that would leave a reference open is taken back and
 * halved again.
 */
const insertChecked =
  (insert: Insert): Insert =>
  (file, batch, start, end, refuse) => {
    const { table } = batch.model
    const open = () =>
      file.get<{ n: number }>(`SELECT count(*) AS n FROM pragma_foreign_key_check(${literal(table)})`)?.n ?? 0
    const insertHalf = (first: number, last: number): number => {
      const refusals: [number, Fault][] = []
      const before = open()
      file.exec('SAVEPOINT half')
      const changed = insert(file, batch, first, last, (row, fault) => refusals.push([row, fault]))
      if (open() <= before) {
        file.exec('RELEASE half')
        for (const [row, fault] of refusals) refuse(row, fault)
        return changed
      }
      file.exec('ROLLBACK TO half; RELEASE half')
      if (last - first === 1) {
        refuse(first, {
          code: 'CONSTRAINT_FOREIGN_KEY',
          detail: `the row refers to one that does not exist (table ${identifier(table)})`,
        })
        return 0
      }
      const middle = first + Math.floor((last - first) / 2)
      return insertHalf(first, middle) + insertHalf(middle, last)
    }
    return insertHalf(start, end)
  }

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
