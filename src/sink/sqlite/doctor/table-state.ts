/** Whether the table fits the records. */
import { count, counted } from '../../../core/counted.ts'
import { type Finding, findingsAbout } from '../../../core/finding.ts'
import type { SqliteFile } from '../../../core/sqlite.ts'
import { tableName } from '../../../model/model.ts'
import type { TableQuestions } from '../../examination.ts'
import { hasInsteadTrigger, isKeyless, problemsOf } from '../catalog.ts'
import { identifier } from '../ddl.ts'
import { ownerOf } from '../schema.ts'
import { keyFindings } from './foreign-keys.ts'

const { ok, note, warn, fail } = findingsAbout('table')

const mostProblems = 20
/** More are not counted: it would read the whole file. */
const mostRows = 1_000_000

type Asked = Pick<TableQuestions, 'name' | 'model'>

export const noTable = ({ name, model }: Asked): Finding =>
  note('table', `there is no table ${name.table} yet${model === undefined ? '' : ': a load makes it'}`)

export function* tableFindings(file: SqliteFile, asked: Asked): Generator<Finding> {
  const { name, model } = asked
  const { table } = name
  const owner = ownerOf(table)
  if (owner !== undefined) {
    yield fail('table', `${table} belongs to ${owner}: name another one`)
    return
  }
  const type = file.get<{ type: string }>(
    "SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE",
    table,
  )?.type
  if (type === undefined) {
    yield noTable(asked)
    return
  }
  if (type !== 'table' && !hasInsteadTrigger(file, name)) {
    yield fail(
      'table',
      `${table} is no ordinary table (${type}), and no view with an INSTEAD OF INSERT trigger`,
    )
    return
  }
  const problems = model === undefined ? [] : [...problemsOf(file, model)]
  for (const problem of problems.slice(0, mostProblems)) {
    const [, detail = problem, cure] = /^(.*?)(?: \((.*)\))?$/s.exec(problem) ?? []
    yield fail('columns', `SCHEMA_MISMATCH: table ${table}: ${detail}`, cure)
  }
  if (problems.length === 0)
    yield ok('table', `${table}: ${rowsIn(file, table)}${model === undefined ? '' : '; it fits the records'}`)
  if (model !== undefined && isKeyless(file, model))
    yield warn(
      'key',
      `no unique index is on (${model.primaryKey.join(', ')}), so records of the same key are all loaded`,
      `CREATE UNIQUE INDEX ${identifier(`${tableName(model)}_key`)} ON ${identifier(table)} (${model.primaryKey.map(identifier).join(', ')});`,
    )
  yield* keyFindings(file, table)
}

function rowsIn(file: SqliteFile, table: string): string {
  const query = `SELECT count(*) AS rows FROM (SELECT 1 FROM ${identifier(table)} LIMIT ${mostRows})`
  const { rows = 0 } = file.get<{ rows: number }>(query) ?? {}
  return rows === mostRows ? `${count(rows)} rows or more` : counted(rows, 'row')
}
