/** What the catalogue says of any table or view: its columns as types of a model, and its keys. */
import { type ColumnType, custom } from '../../model/columns.ts'
import {
  maxNameBytes,
  nameOf,
  type TableColumn,
  type TableFacts,
  type TableName,
  type WantedTable,
} from '../../model/table.ts'
import { inOtherCase, requireOwn } from '../table.ts'
import { type CatalogColumn, columnsOf, keysOf } from './catalog.ts'
import { isDraft } from './made.ts'
import { namesInAnyCase, ownerOf, relationOf, requireSchema } from './relation.ts'
import type { Session } from './session.ts'
import { typeOf } from './types.ts'

/** Undefined where there is no such table. Creates nothing, and needs no ledger. */
export async function factsOf(session: Session, wanted: WantedTable): Promise<TableFacts | undefined> {
  requireOwn(wanted, ownerOf(wanted))
  const relation = isShort(wanted) ? await relationOf(session, wanted) : undefined
  if (relation === undefined) {
    const other =
      wanted.anyCase === true ? inOtherCase(wanted, await namesInAnyCase(session, wanted)) : undefined
    if (other === undefined) await requireSchema(session, wanted)
    return other && factsOf(session, other)
  }
  const name = { ...nameOf(wanted), table: relation.name }
  return {
    ...name,
    kind: relation.kind,
    isDraft: await isDraft(session, name),
    columns: (await columnsOf(session, name)).map(factOf),
    keys: await keysOf(session, name),
  }
}

const isShort = (name: TableName): boolean =>
  Object.values(nameOf(name)).every((part) => Buffer.byteLength(part) <= maxNameBytes)

const unwritten = ({ base, shown }: CatalogColumn): ColumnType => ({
  ...custom(base).spec.type,
  problem: () =>
    `it is ${shown}, which Lading does not write: load the values into another column and convert them there`,
})

const factOf = (column: CatalogColumn): TableColumn => ({
  name: column.name,
  type: typeOf(column) ?? unwritten(column),
  shown: column.shown,
  notNull: column.notNull,
  hasDefault: column.hasDefault,
  identity: column.counts ? 'by default' : undefined,
  generated: column.computed,
})
