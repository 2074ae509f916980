/** A load without a model: its sources and the table that they go to say what a record is. */
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import type { Reading } from '../format/reading.ts'
import { type Match, matchFields } from '../model/match.ts'
import { requireFields, sourceFields } from '../model/fields.ts'
import type { Model } from '../model/model.ts'
import { modelInZone, modelOfTable, type StatedChoices } from '../model/of-table.ts'
import {
  canBeWritten,
  nameOf,
  shownTable,
  type TableColumn,
  type TableFacts,
  type TableName,
} from '../model/table.ts'
import { defaultStatePath } from '../producer/options.ts'
import { type ReadingOptions, statedReading } from '../producer/reading.ts'
import { findFiles, openSources } from '../producer/sources.ts'
import { type Derivation, requireModel } from '../sink/derive.ts'
import { requireChanges } from '../sink/table.ts'
import { readAhead } from '../source/ahead.ts'
import { type FoundFiles, Held, standardInput } from '../source/registry.ts'
import type { Source } from '../source/source.ts'
import { withNotationsFor, withoutEffect } from './existing-table.ts'
import { makeTable, type NewTable, newTable, requireRoom, withNames } from './new-table.ts'
import { type Head, heardStop, namesIn, shownNotes, sniffedHead } from './readings.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'
import { Profiling } from './profiles.ts'
import type { Profile } from '../infer/profile/profile.ts'
import { areUsual } from './usual.ts'
import { hasTable, wantedTable } from './wanted-table.ts'

/** Disposed of, it removes the copy of standard input. */
export interface Unmodelled extends AsyncDisposable {
  readonly model: Model
  /** How the model is derived again; undefined where it is the usual one. */
  readonly derivation: Derivation | undefined
  /** What the layout of the loads keeps of it. */
  readonly ofTable: StatedChoices | undefined
  /** How each source is written. */
  readonly readingOf: NonNullable<ReadingOptions['readingOf']>
  /** All but standard input, as they were found. */
  readonly files: FoundFiles
  /** Small files, as they were read; the load that follows need not ask for them again. */
  readonly held: Held
  /** The copy of standard input, if that is among the sources. */
  readonly input: Source | undefined
  /** What was decided and a person did not state, one line each. */
  readonly decisions: readonly string[]
}

type Decided = Omit<Unmodelled, 'input' | 'files' | 'held' | 'readingOf' | keyof AsyncDisposable>

export async function unmodelled(given: UnmodelledOptions): Promise<Unmodelled> {
  const { paths, append, ended, statePath = defaultStatePath, held = new Held(), onEvent } = given
  const options = append === true && ended !== true ? { ...given, grows: true as const } : given
  await using kept = new AsyncDisposableStack()
  const stated = statedReading(options)
  const sources: Source[] = []
  const warn = (message: string) => onEvent?.({ type: 'warning', message })
  const files = given.files ?? (await findFiles(options, warn))
  await openSources({
    ...options,
    files,
    held,
    readingOf: async (source) => {
      sources.push(source)
      return stated
    },
  })
  const input = paths.includes('-') ? kept.use(await standardInput(statePath, options)).source : undefined
  if (input !== undefined) sources.push(input)
  const { heads, ...decided } = await decide(options, sources)
  const readings = new Map(heads.map(({ source, reading }) => [source.location, reading]))
  const copies = kept.move()
  return {
    ...decided,
    input,
    files,
    held,
    readingOf: async ({ location }) => readings.get(location) ?? stated,
    [Symbol.asyncDispose]: () => copies.disposeAsync(),
  }
}

interface DecidedHeads extends Decided {
  readonly heads: readonly Head[]
}

/** The sources are as they are stored. */
async function decide(options: UnmodelledOptions, sources: readonly Source[]): Promise<DecidedHeads> {
  const { usual, table, types = {} } = options
  const stated = statedReading(options)
  const ofUsual = {
    model: usual as Model,
    derivation: undefined,
    ofTable: undefined,
    decisions: [],
    heads: [],
  }
  const mayBeUsual = usual !== undefined && table === undefined && Object.keys(types).length === 0
  const isUsual = mayBeUsual && (await areUsual(sources, usual, options))
  if (isUsual === true) requireFields(stated, sourceFields(usual as Model))
  if (isUsual === true) return ofUsual
  const namesTable = sources.length === 1 && !options.paths.includes('-')
  // Empty files are of the table that has their name, or else of the usual one: none is made of them.
  const isOfUsual = async () =>
    isUsual === undefined && usual !== undefined && (await hasTable(options, usual))
  if (!namesTable && (await isOfUsual())) return ofUsual
  requireChanges(options.sink, { onConflict: options.choices?.onConflict ?? 'error' })
  const { name, facts, ...wanted } = await wantedTable(options, sources)
  if (facts === undefined && (await isOfUsual())) return ofUsual
  const certain = facts?.isDraft === false ? facts : undefined
  await using profiling = await Profiling.of(certain === undefined ? sources : [], options)
  const heads = []
  for await (const source of readAhead(sources)) {
    await heardStop(source, options)
    const sniffed = await sniffedHead(source, stated, types, facts)
    const head = certain === undefined ? withNames(sniffed) : sniffed
    // Before every record is looked at.
    if (certain === undefined) requireRoom(options, source.path, head.fields?.length ?? 0)
    heads.push(head)
    if (certain === undefined) await profiling.add(head)
  }
  const profile = certain === undefined ? await profiling.end() : undefined
  // A header alone says nothing of types, and corrects none.
  const existing = certain ?? (profile?.records === 0 ? facts : undefined)
  const decisions = [...shownNotes(heads), ...wanted.decisions]
  if (existing !== undefined) {
    const named = await withFields(heads, existing)
    const found = ofTable(options, existing, named)
    requireFieldsOf(found.model, existing, stated)
    const noted = await withNotationsFor(options, found.model, named)
    const ignored = Object.keys(types).map(
      (option) =>
        `table ${shownTable(existing)} exists, and its columns have its types: --${option} is of a new table`,
    )
    const useless = withoutEffect(found.model, stated)
    const all = [...decisions, ...found.decisions, ...noted.decisions, ...ignored, ...useless]
    return { ...found, heads: noted.heads, decisions: all }
  }
  const made = await newTable(options, name, heads, profile as Profile)
  const all = [...decisions, ...made.decisions]
  requireSameColumns(options, made)
  if (options.isDry === true)
    return {
      model: modelInZone(made.model, options.choices?.zone),
      derivation: undefined,
      ofTable: undefined,
      heads: made.heads,
      decisions: all,
    }
  await makeTable(options, made.model)
  const { facts: own } = await wantedTable({ ...options, table: name }, sources)
  const found = ofTable(options, own as TableFacts, withoutUsualFields(made.heads, own as TableFacts))
  return { ...found, heads: made.heads, decisions: all }
}

/** As `withFields` has them of the same sources when the table is there, or a load that was begun could not go on. */
function withoutUsualFields(heads: readonly Head[], { columns }: TableFacts): readonly Head[] {
  const names = new Set(columns.map(({ name }) => name))
  const isUsual = (head: Head) => !isNamed(head) && head.fields?.every((field) => names.has(field)) === true
  return heads.map((head) => (isUsual(head) ? { ...head, fields: undefined } : head))
}

/** Later files may have fields that these lack, where the table has a column for them. */
function requireFieldsOf(model: Model, facts: TableFacts, stated: Reading): void {
  const columns = unfilled(
    facts,
    model.columns.map(({ name: column }) => ({ column })),
  )
  const isLater = (field: string) =>
    matchFields([field], { columns }, { ignoreExtra: true }).matched.length > 0
  requireFields(stated, [...sourceFields(model), ...Object.keys(stated.notations ?? {}).filter(isLater)])
}

const mostNamed = 5

/** There is a head at least. */
function ofTable(options: UnmodelledOptions, facts: TableFacts, heads: readonly Head[]): Decided {
  const derived = (head: Head) => {
    const fields = fieldsOf(head, facts)
    const found = modelOfTable(facts, fields, options.choices)
    return { head, fields, found, model: requireModel(facts, found, head.source.path) }
  }
  const [head, ...more] = heads
  const first = derived(head as Head)
  const others = more.filter((each) => derived(each).model.fingerprint !== first.model.fingerprint)
  if (others.length > 0) throw otherColumns(facts, first.head, others)
  const stated = options.choices ?? {}
  return {
    model: first.model,
    derivation: { ...stated, table: nameOf(facts), fields: first.fields },
    // The layout of records that name their own fields has none.
    ofTable: isNamed(first.head) || first.fields === undefined ? stated : { ...stated, fields: first.fields },
    decisions: decisionsOf(facts, first.found),
  }
}

const otherColumns = (table: TableName, first: Head, others: readonly Head[]): LadingError =>
  new LadingError(
    'HEADER_MISMATCH',
    `the fields of ${listed(
      others.map(({ source }) => source.path),
      mostNamed,
    )} fill other columns of table ${shownTable(table)} than those of ${first.source.path}: load them with commands of their own`,
  )

/** Before the table is made, and in a dry run: `ofTable` would refuse the sources. */
function requireSameColumns({ choices }: UnmodelledOptions, { model, heads }: NewTable): void {
  const columns = model.columns.map(({ name, type }) => ({
    name,
    type,
    shown: '',
    notNull: false,
    hasDefault: false,
    generated: false,
  }))
  const filled = ({ fields = [] }: Head): string => {
    const { matched } = matchFields(fields, { columns }, choices ?? {})
    return matched
      .map(({ field, column }) => JSON.stringify([column, field]))
      .sort()
      .join()
  }
  const [first, ...others] = heads.filter((head) => isNamed(head) && head.fields?.length !== 0)
  const differing = first && others.filter((head) => filled(head) !== filled(first))
  if (first !== undefined && differing !== undefined && differing.length > 0)
    throw otherColumns(model, first, differing)
}

/** Whether the fields have their names in the head of the source, or from an option. */
const isNamed = ({ reading: { format = 'csv' } }: Head): boolean => format === 'csv' || format === 'tsv'

/**
 * Records that name their own fields may name some otherwise than the table names its columns. Columns that
 * no field of the first records fills are fields by their own name. Those that the table has a value for
 * itself are so only where some record has them: a record without the field would take it away. All records
 * are looked at where that is needed.
 */
async function withFields(heads: readonly Head[], facts: TableFacts): Promise<readonly Head[]> {
  if (heads.every(({ fields }) => fields !== undefined)) return heads
  const first = matchFields(await namesIn(heads, true), facts, { ignoreExtra: true }).matched
  const hasOwnValue = ({ hasDefault, identity }: TableColumn) => hasDefault || identity !== undefined
  // Where names differ, later ones may as well.
  const mayDiffer = first.some(({ isExact }) => !isExact)
  const isLacking = unfilled(facts, first).some((column) => mayDiffer || hasOwnValue(column))
  const matched = isLacking
    ? matchFields(await namesIn(heads, false), facts, { ignoreExtra: true }).matched
    : first
  const others = unfilled(facts, matched).filter((column) => !hasOwnValue(column))
  if (!isLacking && matched.every(({ isExact }) => isExact)) return heads
  const fields = [...matched.map(({ field }) => field), ...others.map(({ name }) => name)]
  return heads.map((head) => ({ ...head, fields: head.fields ?? fields }))
}

function unfilled(
  { columns }: TableFacts,
  matched: readonly Pick<Match, 'column'>[],
): readonly TableColumn[] {
  const filled = new Set(matched.map(({ column }) => column))
  return columns.filter((column) => canBeWritten(column) && !filled.has(column.name))
}

/** Columns without names are those of the table, in their order. */
function fieldsOf(
  { fields, cells, source }: Head,
  { columns, ...facts }: TableFacts,
): readonly string[] | undefined {
  const names = columns.filter(({ generated }) => !generated).map(({ name }) => name)
  // An empty file has no header, and no record either.
  const isEmpty = cells === undefined && fields?.length === 0
  if (isEmpty || cells === names.length) return names
  if (cells === undefined) return fields
  throw new LadingError(
    'HEADER_MISMATCH',
    `${source.path} has ${cells} columns without names, and table ${shownTable(facts)} has ${names.length}: write a line above the records with the names of their columns`,
  )
}

function decisionsOf(facts: TableFacts, { matched }: ReturnType<typeof modelOfTable>): string[] {
  const renamed = matched.filter(({ isExact }) => !isExact).map(({ field, column }) => `${field} → ${column}`)
  return renamed.length === 0
    ? []
    : [`fields and their columns in table ${shownTable(facts)}: ${renamed.join(', ')}`]
}
