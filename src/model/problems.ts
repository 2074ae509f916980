import { skipProblem } from '../core/skip.ts'
import { nearest } from '../core/nearest.ts'
import { fieldPath } from '../core/path.ts'
import type { ColumnType, Generated } from './columns.ts'
import { type Model, type ModelColumn, sourceNames } from './declared.ts'
import { hasHooks } from './hooks.ts'
import { notationProblems, unsuited } from './notation/notation.ts'
import { maxNameBytes } from './table.ts'
import type { RowWriter } from './writer.ts'
import { zoneProblem } from './zones.ts'

/** Everything that is wrong with a declaration. */
export function* problemsOf(model: Omit<Model, 'fingerprint'>): Generator<string> {
  const names = new Set(model.columns.map((column) => column.name))
  yield* identifierProblems([model.table, ...(model.schema === undefined ? [] : [model.schema]), ...names])
  if (names.size === 0) yield 'it has no columns'
  for (const column of model.columns) yield* columnProblems(column)
  yield* sharedMaskProblems(model.columns)
  const skipping = skipProblem(model.skipWhen)
  if (skipping !== undefined) yield skipping
  const used = [
    ...model.primaryKey,
    ...model.indexes.flatMap((each) => each.columns),
    ...(model.version === undefined ? [] : [model.version]),
  ]
  for (const name of new Set(used))
    if (!names.has(name)) yield `there is no column ${name}${guess(name, names)}`
  if (new Set(model.primaryKey).size < model.primaryKey.length) yield 'the primaryKey names a column twice'
  if (model.indexes.some((each) => each.columns.length === 0)) yield 'an index has no columns'
  // An expression may have a value where a column has none, and a partial index compares not every row.
  for (const name of model.arbiter === undefined ? model.primaryKey : []) {
    if (!model.columns.find((column) => column.name === name)?.notNull)
      yield `the key column ${name} must be notNull()`
  }
  if (model.onConflict !== 'error' && model.primaryKey.length === 0)
    yield `onConflict: '${model.onConflict}' needs a primaryKey`
  if (model.version !== undefined && model.onConflict !== 'update') yield "version needs onConflict: 'update'"
  if (model.onConflict === 'merge' && hasHooks(model))
    yield "derive and validate see whole records, and onConflict: 'merge' takes parts of them"
  if (model.arbiter !== undefined && model.onConflict === 'merge')
    yield "onConflict: 'merge' finds a row by the columns of its key, and not by an expression or a part of an index"
}

function guess(name: string, names: Iterable<string>): string {
  const near = nearest(name, names)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}

function* identifierProblems(names: readonly string[]): Generator<string> {
  for (const name of names) {
    if (name === '' || name.includes('\0') || Buffer.byteLength(name) > maxNameBytes)
      yield `'${name}' is not a usable name (1 to ${maxNameBytes} bytes, no NUL)`
  }
}

/** PostgreSQL's limit for varchar. */
const mostCharacters = 10_485_760

function* columnProblems(column: ModelColumn): Generator<string> {
  let sound = true
  for (const problem of typeProblems(column)) {
    sound = false
    yield problem
  }
  if (sound && column.fallback !== undefined)
    yield* defaultProblems(column.name, column.type, column.fallback)
  yield* writtenProblems(column)
  yield* maskProblems(column)
  yield* generatedProblems(column)
}

function* writtenProblems({ name, type, written }: ModelColumn): Generator<string> {
  if (written === undefined) return
  const problems = [...notationProblems(written)]
  for (const problem of problems.length > 0 ? problems : unsuited(written, type))
    yield `${name}: written: ${problem}`
}

/** With a transform, the order of the two would be unclear, and what a reject may show if one fails. */
function* maskProblems({ name, type, mask, transform, from }: ModelColumn): Generator<string> {
  if (mask === undefined) return
  if (type.kind !== 'text' && type.kind !== 'varchar')
    yield `${name}: only text and varchar columns can be masked`
  if (transform !== undefined) yield `${name}: mask and transform do not go together`
  // What is kept of a record keeps its fields apart, and could not hold the mask of them together.
  if (typeof from === 'object') yield `${name}: a column of several fields cannot be masked`
}

/** A value that one column masks must not appear in another, by itself or within an object. */
function* sharedMaskProblems(columns: readonly ModelColumn[]): Generator<string> {
  for (const column of columns) {
    const { name, mask } = column
    if (mask === undefined) continue
    const [field = name] = sourceNames(column)
    const other = columns.find(
      (each) =>
        each.name !== name &&
        each.generated === undefined &&
        sourceNames(each).some((own) => overlap(own, field)),
    )
    if (other !== undefined) yield `${name}: its field ${field} is masked, and read by ${other.name} too`
  }
}

/** Whether one field is the other, or may hold it. */
function overlap(one: string, other: string): boolean {
  const [a, b] = [one, other].map((field) => fieldPath(field) ?? [field]) as [
    readonly string[],
    readonly string[],
  ]
  return (
    one === other ||
    a.every((step, index) => b[index] === step) ||
    b.every((step, index) => a[index] === step)
  )
}

const generatedTypes: Readonly<Record<Exclude<Generated['value'], 'derived'>, readonly string[]>> = {
  recordKey: ['text', 'varchar'],
  processedAt: ['timestamptz'],
  processedOn: ['date'],
}

function* generatedProblems(column: ModelColumn): Generator<string> {
  const { name, type, generated } = column
  if (generated === undefined) return
  if (generated.value === 'derived') {
    if (typeof generated.by !== 'function') yield `${name}: what derives it is not a function`
  } else {
    const types = generatedTypes[generated.value]
    if (!types.includes(type.kind)) yield `${name}: ${generated.value} needs ${types.join(' or ')}`
  }
  const zone = generated.value === 'processedOn' ? zoneProblem(generated.zone) : undefined
  if (zone !== undefined) yield `${name}: ${zone}`
  const { from, fallback, nullIf, written, transform, mask } = column
  if ([from, fallback, written, transform, mask].some((each) => each !== undefined) || nullIf.length > 0) {
    yield `${name}: a generated value has no field, default, nullIf, notation, transform or mask`
  }
}

/** The default is decoded for each record without a value, so an invalid one would reject them all. */
function* defaultProblems(name: string, type: ColumnType, fallback: string): Generator<string> {
  const bytes = Buffer.from(fallback)
  const fault = type.decoder()(bytes, 0, bytes.length, nowhere)
  if (fault !== undefined) yield `${name}: the default: ${fault.detail}`
  if (fallback.includes('\0') || !fallback.isWellFormed())
    yield `${name}: the default is not text that a database takes`
}

/** Discards every value. */
const nowhere = new Proxy({}, { get: () => () => undefined }) as RowWriter

function* typeProblems(column: ModelColumn): Generator<string> {
  const { name, type } = column
  if (type.kind === 'varchar' && !isBetween(type.length, 1, mostCharacters))
    yield `${name}: varchar needs a length of 1 to ${mostCharacters}`
  if (type.kind === 'numeric') {
    const { precision, scale } = type
    if (precision === undefined && scale !== undefined)
      yield `${name}: numeric needs a precision where it has a scale`
    else if (
      precision !== undefined &&
      !(isBetween(precision, 1, 1000) && isBetween(scale ?? 0, 0, precision))
    ) {
      yield `${name}: numeric(${precision}, ${scale ?? 0}) is not possible`
    }
  }
  const zone = type.kind === 'timestamptz' && type.zone !== undefined ? zoneProblem(type.zone) : undefined
  if (zone !== undefined) yield `${name}: ${zone}`
  if (type.sql !== undefined && !typeName.test(type.sql)) yield `${name}: '${type.sql}' is not a type name`
  if (type.element !== undefined) yield* typeProblems({ ...column, type: type.element })
  const problem = type.problem?.()
  if (problem !== undefined) yield `${name}: ${problem}`
}

/**
 * What PostgreSQL's format_type writes: words, quoted names, lengths and precisions, brackets. Nothing in it
 * can end the name, because what is quoted stays within its quotes.
 */
const typeName = /^(?=[a-z_"])(?:[\w$ .,()[\]]|(?<=[(,])-(?=\d)|"(?:[^"\0]|"")+"(?!"))+$/i

const isBetween = (value: number | undefined, least: number, most: number): boolean =>
  value !== undefined && Number.isInteger(value) && value >= least && value <= most
