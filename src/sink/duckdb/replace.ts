/** The rows of a table, replaced as a whole: gathered in a table beside it, and moved in one transaction. */
import { LadingError } from '../../core/errors.ts'
import { type Model, tableName } from '../../model/model.ts'
import type { TableName } from '../../model/table.ts'
import type { Replaced } from '../sink.ts'
import { tableAs, uniqueIndexAs } from '../sql/copies.ts'
import { forgetGathered, refused } from '../sql/replace.ts'
import { copyRows, countOf, SqlReplacement } from '../sql/replacement.ts'
import { raw, type Sql, sql } from '../sql/statement.ts'
import type { Steps } from '../sql/steps.ts'
import { isOf, kindOf } from './catalog.ts'
import { identifier, identifiers, qualified } from './ddl.ts'
import { rowFault } from './errors.ts'
import type { DuckdbFile } from './file.ts'
import { dialect, run } from './ledger.ts'
import type { Session } from './session.ts'

export async function replacing(file: DuckdbFile, target: Model, pipeline: string): Promise<SqlReplacement> {
  const place = { schema: target.schema, table: `lading_replacing_${target.table}` }
  const lock = lockIn(file, target)
  let catalog: string
  try {
    catalog = await file.use(async (session) => {
      await requireReplaceable(session, target)
      await clear(session, pipeline, place)
      await session.transaction(() => makeTable(session, target, place))
      return session.catalog
    })
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
  const [own, gathered] = [target, place].map((name) => raw(qualified(catalog, name))) as [Sql, Sql]
  const columns = raw(identifiers(target.columns.map(({ name }) => name)))
  return new SqlReplacement(target, pipeline, place, {
    dialect,
    transact: (steps) => file.use((session) => session.transaction(() => run(session, steps()))),
    target: own,
    move: () => move(own, gathered, columns),
    faultOf: rowFault,
    clear: () => file.use((session) => clear(session, pipeline, place)),
    release: async () => lock[Symbol.dispose](),
  })
}

/** Other processes have no way to the file. */
function lockIn({ replacing: tables }: DuckdbFile, target: Model): Disposable {
  const { schema = 'main', table } = target
  const name = JSON.stringify([schema, table].map((part) => part.toLowerCase()))
  if (tables.has(name))
    throw new LadingError('SINK_BUSY', `another run replaces the rows of table ${tableName(target)}`)
  tables.add(name)
  return { [Symbol.dispose]: () => void tables.delete(name) }
}

function* move(target: Sql, gathered: Sql, columns: Sql): Steps<Replaced> {
  const before = yield* countOf(target)
  yield sql`DELETE FROM ${target}`
  yield copyRows(gathered, target, columns)
  const rows = yield* countOf(target)
  yield sql`DROP TABLE ${gathered}`
  return { before, rows }
}

/** Foreign keys do not leave their schema. */
async function requireReplaceable(session: Session, target: Model): Promise<void> {
  const { schema = 'main', table } = target
  const [referring] = await session.all<{ name: string }>(
    sql`SELECT table_name AS name FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' AND database_name = ${session.catalog}
      AND lower(schema_name) = lower(${schema}) AND lower(referenced_table) = lower(${table}) LIMIT 1`,
  )
  if (referring !== undefined)
    throw refused(
      target,
      `rows of table ${referring.name} refer to it, and DuckDB deletes no such row, even if it comes back`,
    )
}

async function clear(session: Session, pipeline: string, place: TableName): Promise<void> {
  const isThere = (await kindOf(session, place)) !== undefined
  await session.transaction(async () => {
    await run(session, forgetGathered(dialect, pipeline))
    if (isThere) await session.exec(`DROP TABLE ${qualified(session.catalog, place)}`)
  })
}

/** With all constraints, and the unique indexes. */
async function makeTable(session: Session, target: Model, place: TableName): Promise<void> {
  const name = qualified(session.catalog, place)
  const statements = await session.all<{ text: string }>(
    sql`SELECT 'first' AS place, table_name AS name, sql AS text FROM duckdb_tables() WHERE ${isOf(session, target)}
      UNION ALL SELECT 'then', index_name, sql FROM duckdb_indexes() WHERE ${isOf(session, target)} AND is_unique ORDER BY place, name`,
  )
  for (const [index, { text }] of statements.entries()) {
    const made = tableAs(text, name) ?? uniqueIndexAs(text, identifier(`${place.table}_${index}`), name)
    // v8 ignore next -- the catalogue of this version has each statement in a form that is read here
    if (made === undefined) throw refused(target, 'DuckDB does not say how it was made')
    await session.exec(made)
  }
}
