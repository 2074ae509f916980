/** The module of a model, as a person would write it. */
import type { Notation } from '../core/notation.ts'
import * as types from '../model/columns.ts'
import type { Column, ColumnType } from '../model/columns.ts'
import { type Model, modelOf } from '../model/model.ts'
import { canBeWritten, type TableFacts } from '../model/table.ts'
import type { Inspection } from './inspect.ts'
import { columnOfType } from './profile/written-type.ts'

export interface ModuleColumn {
  readonly name: string
  readonly type: ColumnType
  /** The field, if it has another name. */
  readonly from?: string | undefined
  readonly notNull: boolean
  readonly notation?: Notation | undefined
}

export interface ModelModule {
  readonly table: string
  readonly schema?: string | undefined
  readonly columns: readonly ModuleColumn[]
  readonly primaryKey?: readonly string[]
  /** Lines above the model. */
  readonly comments?: readonly string[]
}

/** TypeScript that exports the model as its default. */
export function moduleText({ table, schema, columns, primaryKey = [], comments = [] }: ModelModule): string {
  const calls = columns.map((column) => ({ column, call: callOf(column.type) }))
  const names = [...new Set(['defineModel', ...calls.flatMap(({ call }) => namesIn(call))])].toSorted()
  const lines = calls.map(
    ({ column, call }) => `    ${nameText(column.name)}: ${callText(call)}${optionsOf(column)},`,
  )
  return [
    `import { ${names.join(', ')} } from 'lading'`,
    '',
    ...comments.map((comment) => `// ${comment}`),
    'export default defineModel({',
    `  table: ${text(table)},`,
    ...(schema === undefined ? [] : [`  schema: ${text(schema)},`]),
    '  columns: {',
    ...lines,
    '  },',
    ...(primaryKey.length === 0 ? [] : [`  primaryKey: [${primaryKey.map(text).join(', ')}],`]),
    '})',
    '',
  ].join('\n')
}

/** Of the columns that a file's values have. */
export const columnsOfInspection = ({ proposal, reading }: Inspection): readonly ModuleColumn[] =>
  proposal.columns.map(({ field, name, type, notNull }) => ({
    name,
    type: columnOfType(type).spec.type,
    from: field === name ? undefined : field,
    notNull,
    notation: notationText(reading.notation, reading.notations?.[field], type.name === 'text'),
  }))

/** A model knows no notation of every field. */
function notationText(
  all: Notation | undefined,
  own: Notation | undefined,
  isText: boolean,
): Notation | undefined {
  const notation = { ...all, ...(isText ? {} : own) }
  return Object.keys(notation).length === 0 ? undefined : notation
}

/** Of the columns that a table has, and that a record can fill. */
export const columnsOfTable = ({ columns }: TableFacts): readonly ModuleColumn[] =>
  columns
    .filter((column) => canBeWritten(column) && column.identity !== 'always')
    .map(({ name, type, notNull, hasDefault, identity }) => ({
      name,
      type,
      notNull: notNull && !hasDefault && identity === undefined,
    }))

/** Of a function that makes a column. */
interface Call {
  readonly name: string
  readonly given: readonly (string | number | object | Call)[]
}

/** Functions of types whose kinds have other names. */
const functions: Readonly<Record<string, string>> = {
  double: 'doublePrecision',
  timeOfDay: 'time',
  bytes: 'bytea',
  exactNumber: 'numeric',
  keptText: 'text',
  keptDate: 'text',
  keptTimestamp: 'text',
}

function callOf(type: ColumnType): Call {
  const { kind, sql = '', values, element } = type
  if (kind === 'array' && element !== undefined) return { name: kind, given: [callOf(element)] }
  if (kind === 'custom' && sql === 'interval') return { name: sql, given: [] }
  return { name: functions[kind] ?? kind, given: values ?? argumentsOf(type) }
}

function argumentsOf({ kind, length = 0, precision, scale = 0, sql = '' }: ColumnType): Call['given'] {
  if (kind === 'varchar') return [length]
  if (kind === 'custom') return [sql]
  return precision === undefined ? [] : [precision, scale]
}

const isCall = (given: Call['given'][number]): given is Call => typeof given === 'object' && 'name' in given

const namesIn = ({ name, given }: Call): readonly string[] => [name, ...given.filter(isCall).flatMap(namesIn)]

const callText = ({ name, given }: Call): string =>
  `${name}(${given.map((each) => (isCall(each) ? callText(each) : literal(each))).join(', ')})`

const literal = (value: string | number | object): string =>
  typeof value === 'string' ? text(value) : typeof value === 'number' ? String(value) : objectText(value)

/** What the call makes; undefined where the types of models have no such function. */
function columnOf({ name, given }: Call): Column | undefined {
  const make = (types as Readonly<Record<string, unknown>>)[name]
  if (typeof make !== 'function') return undefined
  return make(...given.map((each) => (isCall(each) ? columnOf(each) : each))) as Column
}

/**
 * The model that the module exports, without what is stated of its fields; or why there is none, one line for each
 * column whose type no model can state.
 */
export function modelOfModule({ table, schema, columns, primaryKey = [] }: ModelModule): Model | string[] {
  const made = columns.map((column) => ({ ...column, made: columnOf(callOf(column.type)) }))
  const strange = made.filter((each) => each.made === undefined)
  if (strange.length > 0)
    return strange.map(
      ({ name, type }) => `column ${name} is ${type.sql ?? type.kind}, which no type of a model fits`,
    )
  return modelOf({
    table,
    schema,
    primaryKey,
    columns: made.map((each) => ({ name: each.name, ...(each.made as Column).spec, notNull: each.notNull })),
    indexes: [],
    onConflict: 'error',
    version: undefined,
  })
}

const optionsOf = ({ from, notNull, notation }: ModuleColumn): string =>
  [
    notNull ? '.notNull()' : '',
    from === undefined ? '' : `.from(${text(from)})`,
    notation === undefined ? '' : `.written(${objectText(notation)})`,
  ].join('')

const objectText = (value: object): string =>
  `{ ${Object.entries(value)
    .map(
      ([key, each]) =>
        `${key}: ${Array.isArray(each) ? `[${each.map(text).join(', ')}]` : typeof each === 'string' ? text(each) : String(each)}`,
    )
    .join(', ')} }`

const nameText = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name))

/** A literal of TypeScript. */
const text = (value: string): string => {
  const inner = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${inner}'`
}
