/** Creates what is missing of a model's table and its indexes, and checks that what exists fits. */
import type { Model } from '../../model/model.ts'
import type { TableName } from '../../model/table.ts'
import type { Prepared } from '../sink.ts'
import { requireFit } from '../table.ts'
import { type CatalogColumn, columnsOf, keysOf, mayFillIn } from './catalog.ts'
import { isKeyless, orderProblems, problemsOf, refusingNull, type Table } from './fit.ts'
import { alone } from './ledger-tables.ts'
import { hasRows, isOutdated, makeTable, remakeTable } from './made.ts'
import { relationOf, requireSchema } from './relation.ts'
import type { Session } from './session.ts'

export interface PreparedTable extends Prepared {
  readonly traits: Traits
}

/** Columns of the model whose values the server would change without a word. */
export interface Traits {
  /** Of one bit, to which a text is eight. */
  readonly bits: readonly string[]
  /** AUTO_INCREMENT, where LOAD DATA would make the next number of a 0. */
  readonly counted: readonly string[]
  /** That take no NULL, although the model does: an UPDATE makes a zero of it where the table has a trigger. */
  readonly required: readonly string[]
  /** Those of them that are TIMESTAMPs, in which NULL becomes the present time. */
  readonly stamps: readonly string[]
}

export const noTraits: Traits = { bits: [], counted: [], required: [], stamps: [] }

/** After the ledger was prepared. */
export async function prepareTable(session: Session, model: Model): Promise<PreparedTable> {
  const remade = await ensureTable(session, model)
  const table = await readTable(session, model)
  requireFit(model, misfitsOf(model, table))
  const namesOf = (isMeant: (column: CatalogColumn) => boolean) =>
    (table as Table).columns.filter(isMeant).map(({ name }) => name)
  const required = refusingNull(model, table as Table)
  const stamps = namesOf(({ base }) => base === 'timestamp').filter((name) => required.includes(name))
  const bits = namesOf(({ base }) => base === 'bit')
  return {
    deferred: false,
    remade,
    keyless: isKeyless(model, table as Table),
    notNull: (await mayFillIn(session, model)) ? stamps : required,
    traits: { bits, counted: namesOf(({ counts }) => counts), required, stamps },
  }
}

const misfitsOf = (model: Model, table: Table | undefined): readonly string[] =>
  table === undefined ? ['it is gone again'] : [...problemsOf(model, table)]

export const misfits = async (session: Session, model: Model): Promise<readonly string[]> =>
  misfitsOf(model, await readTable(session, model))

export async function readTable(session: Session, name: TableName): Promise<Table | undefined> {
  const relation = await relationOf(session, name)
  return (
    relation && {
      relation,
      columns: await columnsOf(session, name),
      keys: await keysOf(session, name),
    }
  )
}

/** Returns whether it made an empty table again that Lading had made for another model. */
async function ensureTable(session: Session, model: Model): Promise<boolean> {
  const isThere = async () => (await relationOf(session, model)) !== undefined
  if ((await isThere()) && !(await isOutdated(session, model))) return false
  return alone(session, async () => {
    if (await isThere()) return remakeTable(session, model)
    await requireSchema(session, model)
    requireFit(model, [...orderProblems(model)])
    await makeTable(session, model)
    return false
  })
}

/** Of a view it is not known, nor where our user may not look. */
export async function isEmpty(session: Session, model: Model): Promise<boolean> {
  const relation = await relationOf(session, model)
  if (relation === undefined || relation.kind === 'view') return false
  return !(await hasRows(session, model))
}
