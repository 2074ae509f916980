/** The module of a model, as a person would write it. */
import type { Notation } from '../core/notation.ts'
import type { ColumnType } from '../model/columns.ts'
import type { TableFacts } from '../model/table.ts'
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
  const names = [...new Set(['defineModel', ...calls.flatMap(({ call }) => call.names)])].toSorted()
  const lines = calls.map(
    ({ column, call }) => `    ${nameText(column.name)}: ${call.text}${optionsOf(column)},`,
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
    .filter(({ generated, identity }) => !generated && identity !== 'always')
    .map(({ name, type, notNull, hasDefault, identity }) => ({
      name,
      type,
      notNull: notNull && !hasDefault && identity === undefined,
    }))

interface Call {
  readonly text: string
  /** What it imports. */
  readonly names: readonly string[]
}

/** Functions of types whose kinds have other names. */
const functions: Readonly<Record<string, string>> = {
  double: 'doublePrecision',
  timeOfDay: 'time',
  bytes: 'bytea',
  exactNumber: 'numeric',
  keptText: 'text',
}

function callOf({ kind, length, precision, scale, zone, sql = '', values, element }: ColumnType): Call {
  if (kind === 'array' && element !== undefined) {
    const inner = callOf(element)
    return { text: `array(${inner.text})`, names: ['array', ...inner.names] }
  }
  if (kind === 'custom' && sql === 'interval') return { text: 'interval()', names: ['interval'] }
  const name = functions[kind] ?? kind
  const given = values?.map(text) ?? argumentsOf(kind, { length, precision, scale, zone, sql })
  return { text: `${name}(${given.join(', ')})`, names: [name] }
}

function argumentsOf(
  kind: string,
  { length, precision, scale, zone, sql }: Omit<Partial<ColumnType>, 'kind'>,
): readonly string[] {
  if (kind === 'varchar') return [String(length)]
  if (kind === 'custom') return [text(sql ?? '')]
  if (kind === 'timestamptz' && zone !== undefined) return [`{ zone: ${text(zone)} }`]
  return precision === undefined ? [] : [String(precision), String(scale ?? 0)]
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
