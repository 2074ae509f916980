/** The table that rows are written to, and the staged rows as it would hold them. */
import { type Model, tableName } from '../../model/model.ts'
import { LadingError } from '../../core/errors.ts'
import { type Catalog, catalogOf, type CatalogKey, decidingKey } from './catalog.ts'
import { cellOf, kindOfExisting } from './cells.ts'
import { identifier, qualified } from './ddl.ts'
import type { Session } from './session.ts'
import { rowNumber, stage } from './stage.ts'

export interface TargetColumn {
  readonly name: string
  /** Of the temporary table. */
  readonly staged: string
  /** In the table, and in the temporary one. */
  readonly type: string
  readonly stagedType: string
  readonly isCast: boolean
  /** A cast may change the value without an error. */
  readonly isLossy: boolean
}

export interface Target {
  readonly session: Session
  readonly model: Model
  readonly catalog: Catalog
  readonly name: string
  readonly columns: readonly TargetColumn[]
  /** What decides a conflict; undefined where every conflict is refused. */
  readonly deciding: CatalogKey | undefined
}

/** By session and model. No other process can alter a table while this one has the file open. */
const known = new WeakMap<Session, Map<string, Target>>()

/** After a table was made or checked. */
export const forgetTargets = (session: Session): boolean => known.delete(session)

export async function targetOf(session: Session, model: Model): Promise<Target> {
  const targets = known.get(session) ?? new Map<string, Target>()
  known.set(session, targets)
  const target = targets.get(model.fingerprint) ?? (await lookUp(session, model))
  targets.set(model.fingerprint, target)
  return target
}

/** As the table is now. */
export async function lookUp(session: Session, model: Model): Promise<Target> {
  const catalog = await catalogOf(session, model)
  if (catalog === undefined) throw new LadingError('SCHEMA_MISMATCH', `there is no table ${tableName(model)}`)
  const types = new Map(catalog.columns.map(({ name, type }) => [name, type]))
  return {
    session,
    model,
    catalog,
    name: qualified(session.catalog, model),
    columns: model.columns.map(({ name, type }, index): TargetColumn => {
      const stagedType = cellOf(type).type.toString()
      const own = types.get(name) ?? stagedType
      return {
        name,
        staged: `c${index}`,
        type: own,
        stagedType,
        isCast: own !== stagedType,
        isLossy: type.kind === kindOfExisting && own !== 'FLOAT',
      }
    }),
    deciding: model.onConflict === 'error' ? undefined : decidingKey(catalog, model),
  }
}

export const valueOf = ({ staged, type, isCast }: TargetColumn, of = ''): string =>
  isCast ? `CAST(${of}${staged} AS ${type})` : `${of}${staged}`

export const triedValueOf = ({ staged, type, isCast }: TargetColumn): string =>
  isCast ? `TRY_CAST(${staged} AS ${type})` : staged

/** A name that no column of the table has, in any case. */
export function numberName({ catalog }: Target): string {
  const taken = new Set(catalog.columns.map(({ name }) => name.toLowerCase()))
  let name = 'lading_n'
  while (taken.has(name)) name += '_'
  return identifier(name)
}

/** The staged rows by the names of the table, with what it would add; the number of the row has the name `numberName`. */
export function projection(target: Target): string {
  const own = new Set(target.columns.map(({ name }) => name))
  const values = target.columns.map((column) => `${triedValueOf(column)} AS ${identifier(column.name)}`)
  const others = target.catalog.columns
    .filter(({ name }) => !own.has(name))
    .map(({ name, type, fallback }) => `${added(type, fallback)} AS ${identifier(name)}`)
  return `SELECT ${[`${rowNumber} AS ${numberName(target)}`, ...values, ...others].join(', ')} FROM ${stage}`
}

/** A default that is another one for each row would be used up. */
const added = (type: string, fallback: string | null): string =>
  fallback === null || /\w\s*\(/.test(fallback.replace(/^CAST\s*\(/i, ''))
    ? `CAST(NULL AS ${type})`
    : `(${fallback})`
