/** What of the table a load would stumble over, or should know. */
import { count } from '../../../core/counted.ts'
import { findingsAbout } from '../../../core/finding.ts'
import { shownTable } from '../../../model/table.ts'
import { collations, identifiers, qualified } from '../ddl.ts'
import { problemsOf } from '../fit.ts'
import { literal } from '../literal.ts'
import { readTable } from '../prepare.ts'
import { ofTriggers, placeSql, relationOf } from '../relation.ts'
import type { TableCheck } from './check.ts'
import { grantee, isDenied } from './rights.ts'

const { ok, note, warn, fail } = findingsAbout('table')

export const tableRights: TableCheck = async (session, add, { name, model, onConflict }) => {
  const relation = await relationOf(session, name)
  if (model === undefined || relation === undefined || relation.kind === 'view') return
  const table = qualified(name)
  const columns = identifiers(model.columns.map((column) => column.name))
  const statements: readonly (readonly [string, string])[] = [
    ['SELECT', `EXPLAIN SELECT 1 FROM ${table} LIMIT 1`],
    ['INSERT', `EXPLAIN INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${table}`],
    ...(onConflict === 'update' || onConflict === 'merge'
      ? ([['UPDATE', `EXPLAIN UPDATE ${table} SET ${columns.split(', ')[0]} = DEFAULT WHERE false`]] as const)
      : []),
  ]
  const missing: string[] = []
  for (const [right, sql] of statements) if (await isDenied(session, sql)) missing.push(right)
  const who = await grantee(session)
  if (missing.length === 0) add(ok('rights', `${who} may ${statements.map(([right]) => right).join(', ')}`))
  else
    add(
      fail(
        'rights',
        `${who} may not ${missing.join(', ')}`,
        `GRANT ${missing.join(', ')} ON ${table.replaceAll('"', '`')} TO ${who};`,
      ),
    )
}

export const tableState: TableCheck = async (session, add, { name, model }) => {
  const found = await readTable(session, name)
  if (found === undefined) {
    add(note('table', `there is no table ${shownTable(name)} yet: the first load makes it`))
    return
  }
  const { relation, keys } = found
  const problems = model === undefined ? [] : [...problemsOf(model, found)]
  for (const problem of problems) add(fail('table', problem))
  if (model === undefined && relation.engine !== undefined && relation.engine !== 'InnoDB')
    add(
      fail(
        'engine',
        `its engine is ${relation.engine}, so rows and ledger would not share a transaction`,
        `ALTER TABLE ${qualified(name).replaceAll('"', '`')} ENGINE=InnoDB;`,
      ),
    )
  const [row] = await session.query(
    `SELECT table_rows AS estimated, (SELECT group_concat(trigger_name) FROM information_schema.triggers WHERE ${placeSql(name, ofTriggers)}) AS triggers
     FROM information_schema.tables WHERE ${placeSql(name)}`,
  )
  if (problems.length === 0)
    add(ok('table', `about ${count(Number(row?.['estimated'] ?? 0))} rows, ${keys.length} unique indexes`))
  if (row?.['triggers'] !== null && row?.['triggers'] !== undefined)
    add(
      note(
        'triggers',
        `${String(row['triggers'])}: what they do outside InnoDB tables is not undone with a batch`,
      ),
    )
  if (!keys.some(({ primary }) => primary))
    add(
      note(
        'key',
        'it has no primary key: InnoDB then orders rows by a hidden one, which all inserts of the server share',
      ),
    )
  const folding = await foldingKeys(
    session,
    name,
    keys.flatMap((key) => key.columns),
  )
  if (folding.length > 0)
    add(
      warn(
        'collation',
        `the key compares ${folding.join(', ')} without regard to case, accents or spaces at the end: 'a' and 'A' are one key`,
        `ALTER TABLE … MODIFY … COLLATE ${collations[session.product]};`,
      ),
    )
}

/** Columns of a key whose collation takes different texts for one. */
async function foldingKeys(
  session: Parameters<TableCheck>[0],
  name: Parameters<TableCheck>[2]['name'],
  inKeys: readonly string[],
): Promise<readonly string[]> {
  if (inKeys.length === 0) return []
  const rows = await session.query(
    `SELECT column_name AS name FROM information_schema.columns WHERE ${placeSql(name)}
       AND column_name IN (${inKeys.map((each) => literal(each)).join(', ')}) AND collation_name NOT LIKE '%bin' ORDER BY ordinal_position`,
  )
  return rows.map((row) => String(row['name']))
}
