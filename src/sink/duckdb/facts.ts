/** What a file says of any table or view in it: its columns as types of a model, and its keys. */
import type { TableColumn, TableFacts, TableKey, WantedTable } from '../../model/table.ts'
import { mentions } from '../sql/index-parts.ts'
import { type CatalogColumn, type CatalogKey, catalogOf, columnsOf, kindOf } from './catalog.ts'
import { isDraft } from './made.ts'
import type { Session } from './session.ts'
import { typeOf } from './types.ts'

/** Names of tables have no case in DuckDB. */
export async function factsOf(
  session: Session,
  { schema, table }: WantedTable,
): Promise<TableFacts | undefined> {
  const wanted = { ...(schema !== undefined && { schema }), table }
  const kind = await kindOf(session, wanted)
  if (kind === undefined) return undefined
  const catalog = await catalogOf(session, wanted)
  const columns = catalog?.columns ?? (await columnsOf(session, wanted))
  return {
    ...wanted,
    table: catalog?.table ?? table,
    kind,
    isDraft: catalog !== undefined && (await isDraft(session, wanted)),
    columns: columns.map(columnOf),
    keys: catalog?.keys.map((key) => keyOf(key, columns)) ?? [],
  }
}

function columnOf(column: CatalogColumn): TableColumn {
  const { name, type, notNull, fallback, isGenerated } = column
  return {
    name,
    type: typeOf(column),
    shown: type,
    notNull,
    hasDefault: fallback !== null && !isGenerated,
    generated: isGenerated,
  }
}

function keyOf({ name, isPrimary, compared, columns }: CatalogKey, all: readonly CatalogColumn[]): TableKey {
  if (columns !== undefined) return { name, primary: isPrimary, columns }
  const mentioned = all
    .filter((column) => mentions(compared.join(), column.name))
    .map((column) => column.name)
  return { name, primary: isPrimary, columns: mentioned, expressions: compared }
}
