/** What a SQL ledger keeps of what was not loaded: rejects and dead letters. */
import type { Abortable } from '../../core/wait.ts'
import type {
  ListFilter,
  Page,
  RejectFilter,
  RejectGroup,
  StoredDeadLetter,
  StoredReject,
} from '../ledger.ts'
import { storable } from '../storable.ts'
import { equal } from './chosen-loads.ts'
import { deadLetterOf, rejectGroupOf, rejectOf } from './ledger-rows.ts'
import { allOf, type Sql, sql } from './statement.ts'
import { type LedgerDatabase, type LedgerDialect, lockEntries } from './steps.ts'

export async function rejects(
  database: LedgerDatabase,
  filter: RejectFilter & Page,
  options?: Abortable,
): Promise<readonly StoredReject[]> {
  const { load, reject } = database.dialect
  const rows = await database.ask(
    sql`SELECT one.*, own.layout FROM ${reject} AS one LEFT JOIN ${load} AS own ON own.id = one.load_id
      WHERE ${chosenRejects(database.dialect, filter)} AND ${page(filter)}`,
    options,
  )
  return rows.map(rejectOf)
}

export async function rejectGroups(
  database: LedgerDatabase,
  filter: RejectFilter,
  options?: Abortable,
): Promise<readonly RejectGroup[]> {
  const rows = await database.ask(
    sql`SELECT code, column_name, count(*) AS rejects FROM ${database.dialect.reject} AS one WHERE ${chosenRejects(database.dialect, filter)}
      GROUP BY code, column_name ORDER BY rejects DESC, code, column_name`,
    options,
  )
  return rows.map(rejectGroupOf)
}

export async function editReject(
  database: LedgerDatabase,
  id: number,
  record: Uint8Array,
  masked: readonly string[],
  options?: Abortable,
): Promise<boolean> {
  const { reject } = database.dialect
  const edit = sql`edited = ${record}, masked = ${JSON.stringify(masked)}, span_start = NULL, span_end = NULL`
  return (await change(database, reject, sql`id = ${id} AND state = 'open'`, edit, options)) > 0
}

export function discardRejects(
  database: LedgerDatabase,
  ids: readonly number[],
  options?: Abortable,
): Promise<number> {
  const { reject, among } = database.dialect
  const open = sql`${among(sql`id`, ids)} AND state = 'open'`
  return change(database, reject, open, sql`state = 'discarded'`, options)
}

export async function deadLetters(
  database: LedgerDatabase,
  filter: ListFilter & Page,
  options?: Abortable,
): Promise<readonly StoredDeadLetter[]> {
  const chosenLetters = allOf([
    ...chosen(database.dialect, filter, sql`one.body`),
    filter.all === true ? undefined : sql`one.state = 'dead' AND one.discarded_at IS NULL`,
  ])
  const rows = await database.ask(
    sql`SELECT * FROM ${database.dialect.deadLetter} AS one WHERE ${chosenLetters} AND ${page(filter)}`,
    options,
  )
  return rows.map(deadLetterOf)
}

export function discardDeadLetters(
  database: LedgerDatabase,
  ids: readonly number[],
  options?: Abortable,
): Promise<number> {
  const { deadLetter, among, now } = database.dialect
  const open = sql`${among(sql`id`, ids)} AND state = 'dead' AND discarded_at IS NULL`
  return change(database, deadLetter, open, sql`discarded_at = ${now}`, options)
}

/** Changes the entries for which the condition holds, and returns how many they are. */
function change(
  database: LedgerDatabase,
  table: Sql,
  condition: Sql,
  changes: Sql,
  options: Abortable | undefined,
): Promise<number> {
  const { dialect } = database
  return database.transact(function* () {
    const ids = yield* lockEntries(dialect, table, condition)
    if (ids.length > 0) yield sql`UPDATE ${table} SET ${changes} WHERE ${dialect.among(sql`id`, ids)}`
    return ids.length
  }, options)
}

function chosenRejects(dialect: LedgerDialect, filter: RejectFilter): Sql {
  return allOf([
    ...chosen(dialect, filter, sql`one.raw`),
    filter.all === true ? undefined : sql`one.state = 'open'`,
    equal(sql`coalesce(one.column_name, '')`, filter.column),
  ])
}

/** `content`: the column that holds the bytes of an entry. */
function chosen(
  { among, position }: LedgerDialect,
  { pipeline, loadId, id, code, search }: ListFilter,
  content: Sql,
): (Sql | undefined)[] {
  return [
    equal(sql`one.pipeline`, pipeline),
    loadId === undefined ? undefined : among(sql`one.load_id`, [loadId].flat()),
    equal(sql`one.id`, id),
    equal(sql`one.code`, code),
    search === undefined
      ? undefined
      : sql`(${position(storable(search), sql`one.detail`)} > 0 OR ${position(Buffer.from(search), content)} > 0)`,
  ]
}

const page = ({ after = 0, limit }: Page): Sql => sql`one.id > ${after} ORDER BY one.id LIMIT ${limit}`
