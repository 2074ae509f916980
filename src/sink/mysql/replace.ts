/**
 * The rows of a table, replaced as a whole. What makes and drops a table commits, so that the table that gathers is made
 * before, and dropped after, the one transaction; between them, each name serves one run.
 */
import { randomUUID } from 'node:crypto'
import { codes, LadingError } from '../../core/errors.ts'
import type { Fault } from '../../core/fault.ts'
import { sha256Of } from '../../core/sha256.ts'
import type { Abortable } from '../../core/wait.ts'
import { type Model, tableName } from '../../model/model.ts'
import type { Replaced } from '../sink.ts'
import { forgetGathered, refused } from '../sql/replace.ts'
import { copyRows, SqlReplacement } from '../sql/replacement.ts'
import { raw, type Sql, sql } from '../sql/statement.ts'
import type { Steps } from '../sql/steps.ts'
import type { Connection } from './connection.ts'
import { identifier, identifiers, qualified } from './ddl.ts'
import { isServerError, rowError, sinkError } from './errors.ts'
import { type ForeignKey, foreignKeyLine, type ForeignKeys, foreignKeysOf } from './foreign-keys.ts'
import { dialect, run } from './ledger.ts'
import { literal } from './literal.ts'
import { relationOf } from './relation.ts'
import type { Session } from './session.ts'
import { transaction } from './transaction.ts'

/** Of a session that only keeps its lock while others write. */
const mostIdleSeconds = 86_400
const lockWaitSeconds = 60

export interface ReplacingOptions extends Abortable {
  /** How long the server waits for this client in the last transaction, in milliseconds. */
  readonly stalledMs: number
}

/** The connection is its own: the lock ends with the session. */
export async function replacing(
  connection: Connection,
  target: Model,
  pipeline: string,
  { stalledMs, signal }: ReplacingOptions,
): Promise<SqlReplacement> {
  connection.onConnect = (session) => lock(session, target)
  const { table, keys } = await connection.use(async (session) => {
    try {
      const found = await requireReplaceable(session, target)
      return { table: await makeTable(session, target, pipeline, found), keys: found }
    } catch (error) {
      await unlock(session).catch(() => undefined)
      throw error
    }
  }, signal)
  const place = { schema: undefined, table }
  const names = target.columns.map(({ name }) => name)
  const own = raw(qualified(target))
  return new SqlReplacement(target, pipeline, place, {
    dialect,
    transact: (steps, options) =>
      connection.use(async (session) => {
        await session.limitSilence(stalledMs)
        return await transaction(session, () => run(session, steps()))
      }, options?.signal),
    target: own,
    // Under REPEATABLE READ no row can be inserted between, before or behind those that are locked.
    *lockTable() {
      yield sql`SELECT count(*) AS n FROM ${own} FOR UPDATE`
      const there =
        yield sql`SELECT 1 AS there FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ${table}`
      if (there.length === 0) throw refused(target, 'what was gathered for it is gone')
    },
    move: () => move(own, raw(qualified(place)), names, keys.referring),
    faultOf: (error) => faultOf(error, names),
    clear: () =>
      connection.use(async (session) => {
        await clear(session, pipeline, [table])
        await unlock(session)
      }),
    release: () => connection[Symbol.asyncDispose](),
  })
}

const hashOf = (session: Session, { schema = session.database }: Model, table: string): string =>
  sha256Of(JSON.stringify([schema, table])).slice(0, 16)

/** The table as the catalogue has it, by a name that is short enough for locks and tables. */
async function shortNameOf(session: Session, target: Model): Promise<string> {
  const relation = await relationOf(session, target)
  if (relation === undefined) throw refused(target, 'it is gone')
  return hashOf(session, target, relation.name)
}

async function lock(session: Session, target: Model): Promise<void> {
  await session.run(
    `SET SESSION innodb_lock_wait_timeout = ${lockWaitSeconds}, SESSION lock_wait_timeout = ${lockWaitSeconds}, SESSION wait_timeout = ${mostIdleSeconds}`,
  )
  await session.run('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ')
  const name = literal(`lading/replacing/${await shortNameOf(session, target)}`)
  const [row] = await session.query(`SELECT GET_LOCK(${name}, 0) AS got`)
  if (Number(row?.['got']) !== 1)
    throw new LadingError('SINK_BUSY', `another run replaces the rows of table ${tableName(target)}`)
}

/** The server ends a session a moment after its client, and the next replacement does not wait. */
async function unlock(session: Session): Promise<void> {
  await session.query('DO RELEASE_ALL_LOCKS()')
}

/** Rules by which what refers to a row is changed with it. */
const changing: readonly string[] = ['CASCADE', 'SET NULL', 'SET DEFAULT']
/** ER_TABLEACCESS_DENIED_ERROR */
const denied = 1142

async function requireReplaceable(session: Session, target: Model): Promise<ForeignKeys> {
  const keys = await foreignKeysOf(session, target)
  const cascading = keys.referring.find(({ onDelete }) => changing.includes(onDelete))
  if (cascading !== undefined)
    throw refused(
      target,
      `rows of table ${cascading.of} refer to it, and would be changed with it (ON DELETE)`,
    )
  if (keys.inner.length > 0)
    throw refused(target, 'its rows refer to one another, and the server looks at them one by one')
  try {
    await session.run(`DELETE FROM ${qualified(target)} WHERE false`)
  } catch (error) {
    throw isServerError(error) && error.errno === denied
      ? refused(target, 'our user may not delete from it (GRANT DELETE)')
      : error
  }
  return keys
}

/** With all constraints that a single row can break. */
async function makeTable(
  session: Session,
  target: Model,
  pipeline: string,
  { own }: ForeignKeys,
): Promise<string> {
  const beginning = `lading_replacing_${await shortNameOf(session, target)}_`
  const left = await session.query(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = DATABASE() AND left(table_name, ${beginning.length}) = ${literal(beginning)}`,
  )
  await clear(
    session,
    pipeline,
    left.map(({ name }) => String(name)),
  )
  const table = `${beginning}${randomUUID().slice(0, 8)}`
  await session.run(`CREATE TABLE ${identifier(table)} LIKE ${qualified(target)}`)
  if (own.length > 0) {
    const added = own.map((key) => `ADD ${foreignKeyLine(key)}`)
    await session.run(`ALTER TABLE ${identifier(table)} ${added.join(', ')}`)
  }
  return table
}

/** First the tables: a batch that is late finds none, and enters nothing. */
async function clear(session: Session, pipeline: string, tables: readonly string[]): Promise<void> {
  if (tables.length > 0) await session.run(`DROP TABLE IF EXISTS ${identifiers(tables)}`)
  await transaction(session, () => run(session, forgetGathered(dialect, pipeline)))
}

function* move(
  target: Sql,
  gathered: Sql,
  names: readonly string[],
  referring: readonly ForeignKey[],
): Steps<Replaced> {
  const staying = referring.every(({ referred }) => referred.every((name) => names.includes(name)))
  let before = 0
  if (referring.length > 0 && staying) before += yield* removeReferred(target, gathered, referring)
  before += yield* changedBy(sql`DELETE FROM ${target}`)
  const rows = yield* changedBy(copyRows(gathered, target, raw(identifiers(names))))
  return { before, rows }
}

/**
 * The server refuses to delete a row that others refer to, even if it comes back. So those that do not come back are
 * deleted under its eyes, and the others without them. Returns how many.
 */
function* removeReferred(target: Sql, gathered: Sql, referring: readonly ForeignKey[]): Steps<number> {
  const isGone = referring.map(({ referred }) => {
    const same = referred.map((name) => `own.${identifier(name)} = target.${identifier(name)}`)
    return sql`NOT EXISTS (SELECT 1 FROM ${gathered} own WHERE ${raw(same.join(' AND '))})`
  })
  const condition = isGone.reduce((all, each) => sql`${all} OR ${each}`)
  const gone = yield* changedBy(sql`DELETE target FROM ${target} target WHERE ${condition}`)
  yield sql`SET SESSION foreign_key_checks = 0`
  try {
    return gone + (yield* changedBy(sql`DELETE FROM ${target}`))
  } finally {
    yield sql`SET SESSION foreign_key_checks = 1`
  }
}

function* changedBy(statement: Sql): Steps<number> {
  const [ran] = yield statement
  return Number(ran?.['changed'])
}

/** An error that stops a consumer, such as a right that is missing, is no row's. */
function faultOf(error: unknown, names: readonly string[]): Fault | undefined {
  const row = rowError(error, names)
  const isOfSystem = row?.isUncertain === true && codes[sinkError(error).code].action === 'halt'
  return isOfSystem ? undefined : row?.fault
}
