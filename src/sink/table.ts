/** What every sink says of a model's table. */
import { LadingError } from '../core/errors.ts'
import type { LadingEvent } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import { changesRows } from '../model/change.ts'
import { type Model, tableName } from '../model/model.ts'
import { nameOf, shownTable, type TableName, type WantedTable } from '../model/table.ts'
import type { Prepared, Sink } from './sink.ts'

/** If a table and a model have nothing in common, a screenful says enough. */
const mostListed = 20

/** Throws `SCHEMA_MISMATCH` with all the problems, if there are any. */
export function requireFit(model: Model, problems: readonly string[]): void {
  if (problems.length > 0)
    throw new LadingError(
      'SCHEMA_MISMATCH',
      `table ${tableName(model)}: ${listed(problems, mostListed, '; ')}`,
    )
}

/** Throws `USAGE` for the table of which a person could not mean one. */
export function requireOwn(name: TableName, owner: string | undefined): void {
  if (owner !== undefined)
    throw new LadingError(
      'USAGE',
      `table ${shownTable(name)} belongs to ${owner}: name another one with --table`,
    )
}

/** The only one of the tables whose names differ from the wanted one in case alone; throws `USAGE` where several do. */
export function inOtherCase(wanted: WantedTable, tables: readonly TableName[]): TableName | undefined {
  if (tables.length < 2) return tables[0]
  const quoted = tables.map((each) =>
    Object.values(nameOf(each))
      .map((part) => `"${part}"`)
      .join('.'),
  )
  throw new LadingError(
    'USAGE',
    `table ${shownTable(wanted)} could be ${quoted.join(' or ')}: write the name as it is, in quotes: --table '${quoted[0]}'`,
  )
}

/** Throws `MODEL_INVALID` where rows of the model change others, and the sink would take them as whole rows. */
export function requireChanges(
  sink: Pick<Sink, 'changesRows'>,
  model: Pick<Model, 'onConflict' | 'deletes'>,
): void {
  if (!changesRows(model) || sink.changesRows === true) return
  throw new LadingError(
    'MODEL_INVALID',
    model.onConflict === 'merge'
      ? "this database takes whole rows alone, and no onConflict: 'merge': use 'update' (--on-conflict update), with records that have every column"
      : 'this database takes whole rows alone, and no records that delete: give the model a version, with which these are rejects',
  )
}

/** What a person should know of a table that was prepared. */
export function* preparedWarnings(
  model: Model,
  { remade, keyless, inserts }: Prepared,
): Generator<LadingEvent> {
  const table = `table ${tableName(model)}`
  if (inserts !== undefined)
    yield {
      type: 'warning',
      message: `${table}: ${inserts}, so rows are inserted instead of copied, which takes longer`,
    }
  if (remade === true)
    yield {
      type: 'warning',
      message: `${table} was empty and made by lading for another model, so it was made again`,
    }
  if (keyless !== true) return
  const key = model.primaryKey.join(', ')
  yield {
    type: 'warning',
    message: `${table} has no unique index on (${key}), so records of the same key are all loaded: add a primary key on (${key}) to the table, or leave primaryKey out of the model`,
  }
}
