/** Whether a table that exists keeps the rows of a model exactly as they are, or refuses them aloud. */
import type { ColumnType } from '../../model/columns.ts'
import { changesRows } from '../../model/change.ts'
import type { Model } from '../../model/model.ts'
import type { TableKey } from '../../model/table.ts'
import type { CatalogColumn } from './catalog.ts'
import { sqlType } from './ddl.ts'
import type { Relation } from './relation.ts'
import { type CatalogType, membersOf, typeOf } from './types.ts'

const texts: readonly string[] = ['varchar', 'tinytext', 'text', 'mediumtext', 'longtext']
const strings: readonly string[] = ['varbinary', 'tinyblob', 'blob', 'mediumblob', 'longblob']
/** What takes text and refuses what it does not keep. */
const asText: readonly string[] = [...texts, 'json', 'uuid', 'inet4', 'inet6']

const isSigned = ({ shown }: CatalogType): boolean => !shown.includes('unsigned')

/** Digits before the point that the column has. */
const whole = ({ precision = 0, scale = 0 }: CatalogType): number => precision - scale

type Fits = (column: CatalogType, type: ColumnType) => boolean

/** By the type's kind. What has no line is written as text. */
const fitting: Readonly<Record<string, Fits>> = {
  integer: (column) =>
    (['int', 'bigint'].includes(column.base) && isSigned(column)) ||
    (column.base === 'decimal' && isSigned(column) && whole(column) >= 10),
  bigint: (column) =>
    isSigned(column) && (column.base === 'bigint' || (column.base === 'decimal' && whole(column) >= 19)),
  double: ({ base, scale }) => base === 'double' && scale === undefined,
  numeric: (column, { precision = 65, scale = precision === 65 ? 30 : 0 }) =>
    column.base === 'decimal' &&
    isSigned(column) &&
    (column.scale ?? 0) >= scale &&
    whole(column) >= precision - scale,
  boolean: ({ base, precision }) => base === 'tinyint' || (base === 'bit' && precision === 1),
  date: ({ base }) => base === 'date',
  timestamp: ({ base, fraction }) => base === 'datetime' && fraction === 6,
  timestamptz: ({ base, fraction }) => (base === 'datetime' || base === 'timestamp') && fraction === 6,
  timeOfDay: ({ base, fraction }) => base === 'time' && fraction === 6,
  uuid: ({ base, length = 0 }) => base === 'uuid' || ([...texts, 'char'].includes(base) && length >= 36),
  bytes: ({ base }) => strings.includes(base),
  text: ({ base }) => texts.includes(base),
  varchar: ({ base, length: room = 0 }, { length = Infinity }) => texts.includes(base) && room >= length,
  enumeration: ({ base, length: room = 0, shown }, { length = Infinity, values = [] }) =>
    base === 'enum'
      ? values.every((value) => membersOf(shown).includes(value))
      : texts.includes(base) && room >= length,
  json: ({ base }) => base === 'json' || texts.includes(base),
}

const takesText: Fits = ({ base }) => asText.includes(base)

/** What is wrong with the column, to be read after its name, and what would fit. */
function misfit(type: ColumnType, column: CatalogType): string | undefined {
  if ((fitting[type.kind] ?? takesText)(column, type)) return undefined
  const kept = typeOf(column)
  const isOfModel = kept !== undefined && (fitting[kept.kind] ?? takesText)(column, kept)
  const others = kept === undefined ? '' : ', or load without a model, which looks at each value'
  const cure = isOfModel ? `write ${modelType(column)}` : `leave it out of the model${others}`
  return `is ${column.shown}, the model says ${type.kind} (${sqlType(type)}): it would round, cut or refuse values that the model allows (${cure})`
}

/** How a model writes the column. */
function modelType(column: CatalogType): string {
  const { kind, sql, length, precision, scale, values } = typeOf(column) ?? { kind: 'text' }
  if (kind === 'custom') return `custom('${sql}')`
  if (values !== undefined) return `enumeration(${values.map((value) => `'${value}'`).join(', ')})`
  const size = [length, precision, scale].filter((each) => each !== undefined)
  return `${writtenKinds[kind] ?? kind}(${size.join(', ')})`
}

/** By kind, where the model's function has another name. */
const writtenKinds: Readonly<Record<string, string>> = {
  double: 'doublePrecision',
  timeOfDay: 'time',
  bytes: 'bytea',
}

/** Kinds that are kept as text without being text: 10 would come before 9, and 1 would not be 1.0. */
const isUnordered = (type: ColumnType): boolean =>
  type.kind !== 'text' &&
  type.values === undefined &&
  type.kind !== 'varchar' &&
  sqlType(type).startsWith('LONGTEXT')

export function* orderProblems({ columns, primaryKey, version, origin }: Model): Generator<string> {
  if (origin === 'table') return
  for (const { name, type } of columns) {
    if (!isUnordered(type)) continue
    const what = `column ${name} is ${type.kind}, which is kept and compared as text`
    if (primaryKey.includes(name)) yield `${what}, so it cannot be part of the primaryKey`
    if (version === name) yield `${what}, so it cannot be the version`
  }
}

export interface Table {
  readonly relation: Relation
  readonly columns: readonly CatalogColumn[]
  readonly keys: readonly TableKey[]
}

/** One line each, with what to do about it. */
export function* problemsOf(model: Model, { relation, columns, keys }: Table): Generator<string> {
  yield* orderProblems(model)
  yield* kindProblems(model, relation)
  const byName = new Map(columns.map((column) => [column.name, column]))
  for (const { name, type } of model.columns) {
    const column = byName.get(name)
    if (column === undefined)
      yield `it has no column ${name} (ALTER TABLE ${pasted(model)} ADD COLUMN ${quoted(name)} ${sqlType(type)}, or leave it out of the model)`
    else if (column.computed)
      yield `column ${name} is computed by the table itself (leave it out of the model)`
    else {
      // A type that follows from the column is made for it.
      const isMade = model.origin === 'table' && typeOf(column) !== undefined
      const problem = isMade ? undefined : misfit(type, column)
      if (problem !== undefined) yield `column ${name} ${problem}`
    }
  }
  const known = new Set(model.columns.map(({ name }) => name))
  for (const column of columns)
    if (!known.has(column.name) && isRequired(column))
      yield `column ${column.name} needs a value and is not in the model (write ${column.name}: ${modelType(column)}.notNull(), or give it a DEFAULT)`
  if ((model.onConflict !== 'error' || changesRows(model)) && !hasUniqueKey(model, keys)) {
    const key = model.primaryKey.map(quoted).join(', ')
    yield `onConflict '${model.onConflict}' needs a unique index on exactly (${key}) (ALTER TABLE ${pasted(model)} ADD PRIMARY KEY (${key}), or onConflict: 'error')`
  }
}

/** As a client takes it whose session is not one of ours. */
const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``

const pasted = ({ schema, table }: Model): string =>
  schema === undefined ? quoted(table) : `${quoted(schema)}.${quoted(table)}`

function* kindProblems(model: Model, { kind, engine }: Relation): Generator<string> {
  if (kind === 'view') yield 'it is a view (name the table below it)'
  else if (kind === 'other') yield 'it is not an ordinary table'
  else if (engine !== 'InnoDB')
    yield `its engine is ${engine ?? 'unknown'}, so rows and ledger would not share a transaction (ALTER TABLE ${pasted(model)} ENGINE=InnoDB)`
}

/** A row cannot be inserted without a value for it. */
const isRequired = ({ notNull, hasDefault, counts, computed }: CatalogColumn): boolean =>
  notNull && !hasDefault && !counts && !computed

/** On exactly the primary key of the model. */
const hasUniqueKey = ({ primaryKey }: Model, keys: readonly TableKey[]): boolean =>
  keys.some(
    ({ columns, unfit }) =>
      unfit === undefined &&
      columns.length === primaryKey.length &&
      columns.every((name) => primaryKey.includes(name)),
  )

/** No unique index keeps two rows of the same primary key apart. One on fewer columns refuses more. */
export const isKeyless = ({ primaryKey }: Model, { keys }: Table): boolean =>
  primaryKey.length > 0 &&
  !keys.some(
    ({ columns, unfit }) => unfit === undefined && columns.every((name) => primaryKey.includes(name)),
  )

/** Columns of the model in which the table takes no NULL, although the model does. */
export const refusingNull = (model: Model, { columns }: Table): readonly string[] => {
  const refusing = new Set(
    columns.filter(({ notNull, counts }) => notNull && !counts).map(({ name }) => name),
  )
  return model.columns.filter(({ name, notNull }) => !notNull && refusing.has(name)).map(({ name }) => name)
}
