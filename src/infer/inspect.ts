/**
 * What a file says of itself, without a database: how it is written, the columns of a table for it, and what
 * its values are. It is read twice: once for the types, and once as a load with these types would read it.
 */
import { posix } from 'node:path'
import { count } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import type { Abortable } from '../core/wait.ts'
import type { Notation } from '../core/notation.ts'
import type { Reading } from '../format/reading.ts'
import { requireFields } from '../model/fields.ts'
import { type Model, modelOf as modelOfColumns } from '../model/model.ts'
import { readAs, type ReadSource } from '../producer/reading.ts'
import type { Source } from '../source/source.ts'
import { decodeSource, type Outcome } from './decoded.ts'
import type { Decision, Question } from './decision.ts'
import { openQuestions } from './open-questions.ts'
import { columnOfType } from './profile/written-type.ts'
import { Forms } from './profile/forms.ts'
import { Profile } from './profile/profile.ts'
import { mixedFields, propose, type Proposal, type StatedTypes } from './profile/propose.ts'
import { profileSource } from './records.ts'
import { sniffSource, withColumnNames } from './sniffed.ts'
import { ColumnStatistics, Memory, type Statistics } from './statistics.ts'

export interface InspectOptions extends StatedTypes, Abortable {
  /** Columns that identify a record, by the names of the table. */
  readonly key?: readonly string[] | undefined
}

export interface Inspection {
  readonly source: Source
  /** Of the structure. */
  readonly decisions: readonly Decision[]
  /** Without an answer, the file cannot be loaded. */
  readonly questions: readonly Question[]
  /** Of the structure, with what is done while no option answers them. */
  readonly hints: readonly Question[]
  readonly reading: Reading
  readonly proposal: Proposal
  readonly model: Model
  readonly outcome: Outcome
  /** Of each column, in the order of the proposal. */
  readonly statistics: readonly Statistics[]
  /** A column that has a value in every record and the same one in none. */
  readonly key: { readonly column: string; readonly because: string } | undefined
}

/** Of a file, without its suffixes. */
export const stemOf = ({ name }: Pick<Source, 'name'>): string =>
  posix.basename(name).replace(/(\.[a-z]\w{0,6})+$/i, '')

/** `table`: the name of the table that is proposed. */
export async function inspect(
  source: Source,
  stated: Reading,
  table: string,
  options: InspectOptions = {},
): Promise<Inspection> {
  const { proposal, reading, ...found } = await proposalFor(source, stated, options)
  const model = modelOf(table, proposal, options.key)
  const memory = new Memory()
  const statistics = model.columns.map(({ type }) => new ColumnStatistics(memory, isNumber(type.kind)))
  const onRow = (values: readonly unknown[]): void => {
    for (let column = 0; column < statistics.length; column++)
      statistics[column]?.add((values[column] ?? null) as never)
  }
  const outcome = await decodeSource(await asRead(source, reading), model, {
    ...options,
    namesColumns: true,
    onRow,
  })
  const results = statistics.map(({ result }) => result)
  return {
    source,
    ...found,
    reading,
    proposal,
    model,
    outcome,
    statistics: results,
    key: keyOf(proposal, results),
  }
}

type Proposed = Pick<Inspection, 'decisions' | 'questions' | 'hints' | 'proposal' | 'reading'>

/** What the source says of itself and asks, from every record. */
export async function proposalFor(
  source: Source,
  stated: Reading,
  options: InspectOptions = {},
): Promise<Proposed> {
  const { decisions, questions, fields, ...found } = await sniffSource(source, stated)
  const sniffed = withColumnNames(found, fields)
  const profile = new Profile()
  await profileSource(profile, await asRead(source, sniffed), sniffed, options)
  const forms = await mixedForms(profile, [{ source, reading: sniffed }], options)
  const proposal = propose(profile, options, forms)
  requireColumns(source.path, proposal)
  requireFields(
    stated,
    proposal.columns.map(({ field }) => field),
  )
  return {
    decisions,
    questions: openQuestions([...questions, ...proposal.questions], options, stated),
    hints: questions.filter(({ otherwise }) => otherwise !== undefined),
    proposal,
    reading: withNotations(sniffed, proposal),
  }
}

/** Counts the forms of fields that are mixed; undefined where there is none. */
export async function mixedForms(
  profile: Profile,
  heads: readonly { readonly source: Source; readonly reading: Reading }[],
  options: InspectOptions,
): Promise<Forms | undefined> {
  const mixed = mixedFields(profile, options)
  if (mixed.size === 0) return undefined
  const forms = new Forms((field) => mixed.get(field))
  for (const { source, reading } of heads)
    await profileSource(forms, await asRead(source, reading), reading, { signal: options.signal })
  return forms
}

const asRead = (source: Source, reading: Reading): Promise<ReadSource> =>
  readAs(source, { readingOf: async () => reading })

/** Throws `HEADER_MISMATCH`. */
export function requireColumns(path: string, { columns }: Proposal): void {
  if (columns.length > 0) return
  throw new LadingError('HEADER_MISMATCH', `${path} has neither a header nor a record to make a table of`)
}

/** What holds whatever the values of a field look like. */
const generalKeys: readonly (keyof Notation)[] = ['trim', 'nulls', 'excelText', 'round']

/**
 * The reading with the notation of each field. What is stated for every field holds for those whose values are
 * written so; what it says of texts, and of rounding, holds for every field.
 */
export function withNotations(reading: Reading, { columns }: Proposal): Reading {
  const { notation, notations: _, ...others } = reading
  const general = Object.fromEntries(
    Object.entries(notation ?? {}).filter(([key]) => generalKeys.includes(key as keyof Notation)),
  ) as Notation
  const found = columns.flatMap(({ field, type }) =>
    type.notation === undefined ? [] : [[field, type.notation] as const],
  )
  const all = withFound(reading, Object.fromEntries(found)).notations
  return {
    ...others,
    ...(Object.keys(general).length > 0 && { notation: general }),
    ...(all !== undefined && { notations: all }),
  }
}

const numbers: ReadonlySet<string> = new Set(['numeric', 'doublePrecision'])
const indifferent: ReadonlySet<string> = new Set(['integer', 'bigint', 'boolean', 'uuid', 'json', 'text'])
const times: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz', 'time'])

/** Whether no sign that is stated changes a value; those of JSON are its own. */
function isIndifferent({ type: { name }, profile: { statedUses } }: Proposal['columns'][number]): boolean {
  return indifferent.has(name) || (numbers.has(name) && !statedUses.numbers && !statedUses.plainNumbers)
}

/**
 * The reading with what is stated for every field, and beside it what was found of times, where nothing is stated of
 * them; undefined unless every column is written so.
 */
export function asStated(reading: Reading, { columns }: Proposal): Reading | undefined {
  const { notation = {}, notations } = reading
  if (notations !== undefined) return undefined
  const key = (each: Notation = {}) => JSON.stringify(Object.entries(each).toSorted())
  const saysTimes = notation.pattern !== undefined || notation.epoch !== undefined
  const isOwn = ({ type }: Proposal['columns'][number]) => !saysTimes && times.has(type.name)
  const isRight = columns.every(
    (column) =>
      isOwn(column) ||
      (column.type.notation === undefined && isIndifferent(column)) ||
      key(column.type.notation) === key(notation),
  )
  if (!isRight) return undefined
  const own = columns.flatMap((column) =>
    isOwn(column) && column.type.notation ? [[column.field, column.type.notation] as const] : [],
  )
  return withFound(reading, Object.fromEntries(own))
}

/** The reading with what was found of fields, beside what is stated of them. */
export function withFound(reading: Reading, found: Readonly<Record<string, Notation>>): Reading {
  if (Object.keys(found).length === 0) return reading
  const notations = new Map(Object.entries(reading.notations ?? {}))
  for (const [field, notation] of Object.entries(found)) {
    const stated = notations.get(field)
    // A field's own null markers replace those of every field.
    const nulls = notation.nulls && [...(stated?.nulls ?? reading.notation?.nulls ?? []), ...notation.nulls]
    notations.set(field, { ...stated, ...notation, ...(nulls && { nulls: [...new Set(nulls)] }) })
  }
  return { ...reading, notations: Object.fromEntries(notations) }
}

/**
 * The model of a new table. Its columns may be NULL unless they are the key: that no value is missing in one
 * file says nothing about the next one. `key` may name columns or their fields. Throws `MODEL_INVALID`, and
 * `USAGE` for a key that is no column.
 */
export function modelOf(
  table: string,
  { columns }: Proposal,
  key: readonly string[] = [],
  schema?: string,
): Model {
  const primaryKey = key.map((name) => columnName(columns, name))
  const declared = columns.map(({ field, name, type }) => {
    const plain = columnOfType(type)
    const named = field === name ? plain : plain.from(field)
    return { name, ...(primaryKey.includes(name) ? named.notNull() : named).spec }
  })
  const model = modelOfColumns({
    table,
    schema,
    columns: declared,
    primaryKey,
    indexes: [],
    onConflict: 'error',
    version: undefined,
  })
  return { ...model, origin: 'inferred' }
}

const mostNamed = 20

function columnName(columns: Proposal['columns'], stated: string): string {
  const found = columns.find(({ name, field }) => name === stated || field === stated)
  if (found !== undefined) return found.name
  const names = columns.map(({ name }) => name)
  throw new LadingError('USAGE', `--key ${stated} is no column of the new table: ${listed(names, mostNamed)}`)
}

const isNumber = (kind: string): boolean => ['integer', 'bigint', 'numeric', 'double'].includes(kind)

const keyTypes = new Set(['integer', 'bigint', 'uuid', 'text'])
const keyName = /(^|_)(id|key|code|no|nr|number|uuid|sku|ean|isbn)$|^id/

/** The first column that may identify a record; one whose name says so comes first. */
function keyOf({ columns }: Proposal, statistics: readonly Statistics[]): Inspection['key'] {
  const unique = columns.filter(
    ({ type, notNull }, index) =>
      notNull &&
      keyTypes.has(type.name) &&
      statistics[index]?.isUnique === true &&
      statistics[index].records > 1,
  )
  const named =
    unique.find(({ name }) => keyName.test(name)) ?? unique.find((column) => column === columns[0])
  if (named === undefined) return undefined
  const { records = 0 } = statistics[columns.indexOf(named)] ?? {}
  const because = `each of its ${count(records)} records has a different value in it`
  return { column: named.name, because }
}
