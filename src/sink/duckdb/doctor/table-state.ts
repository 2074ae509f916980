/** Whether the table fits the records. */
import { count, counted } from '../../../core/counted.ts'
import { type Finding, findingsAbout } from '../../../core/finding.ts'
import { tableName } from '../../../model/model.ts'
import { raw, sql } from '../../sql/statement.ts'
import type { TableQuestions } from '../../examination.ts'
import { catalogOf, kindOf } from '../catalog.ts'
import { identifier, identifiers, qualified } from '../ddl.ts'
import { isKeyless, problemsOf } from '../fit.ts'
import { ownerOf } from '../schema.ts'
import type { Session } from '../session.ts'

const { ok, note, warn, fail } = findingsAbout('table')

const mostProblems = 20

type Asked = Pick<TableQuestions, 'name' | 'model'>

export const noTable = ({ name, model }: Asked): Finding =>
  note('table', `there is no table ${name.table} yet${model === undefined ? '' : ': a load makes it'}`)

export async function tableFindings(session: Session, asked: Asked): Promise<readonly Finding[]> {
  const { name, model } = asked
  const { table } = name
  const owner = ownerOf(table)
  if (owner !== undefined) return [fail('table', `${table} belongs to ${owner}: name another one`)]
  const kind = await kindOf(session, name)
  if (kind === undefined) return [noTable(asked)]
  const catalog = await catalogOf(session, name)
  if (catalog === undefined) return [fail('table', `${table} is a view: name the table below it`)]
  const found: Finding[] = []
  const problems = model === undefined ? [] : [...problemsOf(model, catalog)]
  for (const problem of problems.slice(0, mostProblems)) {
    const [, detail = problem, cure] = /^(.*?)(?: \((.*)\))?$/s.exec(problem) ?? []
    found.push(fail('columns', `SCHEMA_MISMATCH: table ${table}: ${detail}`, cure))
  }
  const [row] = await session.all(sql`SELECT count(*) AS rows FROM ${raw(qualified(session.catalog, name))}`)
  const rows = counted(Number(row?.['rows']), 'row')
  if (problems.length === 0)
    found.push(ok('table', `${table}: ${rows}${model === undefined ? '' : '; it fits the records'}`))
  if (model !== undefined && isKeyless(model, catalog))
    found.push(
      warn(
        'key',
        `no unique index is on (${model.primaryKey.join(', ')}), so records of the same key are all loaded`,
        `CREATE UNIQUE INDEX ${identifier(`${tableName(model)}_key`)} ON ${identifier(table)} (${identifiers(model.primaryKey)});`,
      ),
    )
  const keys = catalog.keys.length
  if (keys > 0)
    found.push(
      note(
        'indexes',
        `${count(keys)} unique ${keys === 1 ? 'key is' : 'keys are'} checked for each row, and DuckDB holds their indexes in memory`,
      ),
    )
  return found
}
