/** A load without a model: its sources and the table that they go to say what a record is. */
import { posix } from 'node:path'
import { LadingError } from '../core/errors.ts'
import { ignoreEvents } from '../core/events.ts'
import { listed } from '../core/listed.ts'
import { retrying } from '../core/retry.ts'
import { fieldProblems } from '../model/fields.ts'
import { snakeCase } from '../model/match.ts'
import type { Model } from '../model/model.ts'
import { modelOfTable, type StatedChoices, type TableChoices } from '../model/of-table.ts'
import { shownTable, type TableFacts, type TableName } from '../model/table.ts'
import { type Head, headOf } from '../producer/heads.ts'
import { defaultStatePath } from '../producer/options.ts'
import { readAs, type ReadingOptions } from '../producer/reading.ts'
import { openSources } from '../producer/sources.ts'
import { type Derivation, requireModel } from '../sink/derive.ts'
import { standardInput } from '../source/registry.ts'
import type { Source } from '../source/source.ts'
import type { LoadOptions } from './options.ts'

export interface UnmodelledOptions extends Pick<
  LoadOptions,
  | 'paths'
  | keyof ReadingOptions
  | 'carry'
  | 'root'
  | 'stdin'
  | 'stdinName'
  | 'statePath'
  | 'sink'
  | 'signal'
  | 'onEvent'
  | 'startTimeoutMs'
> {
  /** By default the name of the file says it. */
  readonly table?: TableName | undefined
  readonly choices?: TableChoices | undefined
  /** The model that is taken where no table is named and the heads of all sources fit it exactly. */
  readonly usual?: Model | undefined
}

/** Disposed of, it removes the copy of standard input. */
export interface Unmodelled extends AsyncDisposable {
  readonly model: Model
  /** How the model is derived again; undefined where it is the usual one. */
  readonly derivation: Derivation | undefined
  /** What the layout of the loads keeps of it. */
  readonly ofTable: StatedChoices | undefined
  /** How each source is written. */
  readonly readingOf: NonNullable<ReadingOptions['readingOf']>
  /** The copy of standard input, if that is among the sources. */
  readonly input: Source | undefined
  /** What was decided and a person did not state, one line each. */
  readonly decisions: readonly string[]
}

type Decided = Omit<Unmodelled, 'input' | 'readingOf' | keyof AsyncDisposable>

export async function unmodelled(options: UnmodelledOptions): Promise<Unmodelled> {
  const { paths, statePath = defaultStatePath } = options
  await using kept = new AsyncDisposableStack()
  const sources = await openSources(options)
  const input = paths.includes('-') ? kept.use(await standardInput(statePath, options)).source : undefined
  const heads: Head[] = []
  for (const source of [...sources, ...(input === undefined ? [] : [await readAs(input, options)])])
    heads.push(await headOf(source))
  const decided = await decide(options, heads)
  const readings = new Map(heads.map(({ source, reading }) => [source.location, reading]))
  const copies = kept.move()
  return {
    ...decided,
    input,
    readingOf: async ({ location }) => readings.get(location) ?? {},
    [Symbol.asyncDispose]: () => copies.disposeAsync(),
  }
}

async function decide(options: UnmodelledOptions, heads: readonly Head[]): Promise<Decided> {
  const { usual, table } = options
  if (usual !== undefined && table === undefined && heads.every((head) => fits(head, usual, options)))
    return { model: usual, derivation: undefined, ofTable: undefined, decisions: [] }
  const facts = await findTable(options, tableNames(options, heads))
  return ofTable(options, facts, heads)
}

/** Columns without names fit in number alone. An empty file fits, and so do records that name their own fields. */
function fits({ fields, cells }: Head, usual: Model, { choices }: UnmodelledOptions): boolean {
  if (cells !== undefined) return cells === usual.columns.length
  if (fields === undefined || fields.length === 0) return true
  return fieldProblems(usual, fields, choices?.ignoreExtra).next().done === true
}

/** The names that the table may have: as the first file is named, or else in snake case. */
function tableNames({ table, paths }: UnmodelledOptions, heads: readonly Head[]): readonly TableName[] {
  if (table !== undefined) return [table]
  const [head, ...others] = heads
  if (head === undefined || others.length > 0 || paths.includes('-'))
    throw new LadingError(
      'USAGE',
      `${paths.includes('-') ? 'standard input names no table' : `there are ${heads.length} files`}: name the table with --table [schema.]name, or the model with --model`,
    )
  const stem = posix.basename(head.source.name).replace(/(\.[a-z]\w{0,6})+$/i, '')
  return [...new Set([stem, snakeCase(stem)])].filter((name) => name !== '').map((name) => ({ table: name }))
}

async function findTable(options: UnmodelledOptions, names: readonly TableName[]): Promise<TableFacts> {
  const { sink, signal, onEvent = ignoreEvents, startTimeoutMs: deadlineMs = 30_000 } = options
  for (const name of names) {
    const find = async (connectMs: number) => sink.table?.(name, { signal, connectMs })
    const facts = await retrying(find, { signal, onEvent, deadlineMs })
    if (facts !== undefined) return facts
  }
  const name = names.map(shownTable).at(-1) ?? ''
  throw new LadingError(
    'SCHEMA_MISMATCH',
    `there is no table ${name}: create it, name another with --table [schema.]name, or give a model with --model`,
  )
}

const mostNamed = 5

function ofTable(options: UnmodelledOptions, facts: TableFacts, heads: readonly Head[]): Decided {
  const models = heads.map((head) => {
    const fields = fieldsOf(head, facts)
    const found = modelOfTable(facts, fields, options.choices)
    return { head, fields, found, model: requireModel(facts, found, head.source.path) }
  })
  const [first] = models
  if (first === undefined) throw new LadingError('SOURCE_MISSING', 'there is no file to load')
  const others = models.filter(({ model }) => model.fingerprint !== first.model.fingerprint)
  if (others.length > 0) {
    const paths = others.map(({ head }) => head.source.path)
    throw new LadingError(
      'HEADER_MISMATCH',
      `the fields of ${listed(paths, mostNamed)} fill other columns of table ${shownTable(facts)} than those of ${first.head.source.path}: load them with commands of their own`,
    )
  }
  const stated = options.choices ?? {}
  return {
    model: first.model,
    derivation: { ...stated, table: nameOf(facts), fields: first.fields },
    ofTable: stated,
    decisions: decisionsOf(facts, first.found),
  }
}

const nameOf = ({ schema, table }: TableFacts): TableName => ({
  ...(schema !== undefined && { schema }),
  table,
})

/** Columns without names are those of the table, in their order. */
function fieldsOf(
  { fields, cells, source }: Head,
  { columns, ...facts }: TableFacts,
): readonly string[] | undefined {
  if (cells === undefined) return fields
  const names = columns.filter(({ generated }) => !generated).map(({ name }) => name)
  if (cells === names.length) return names
  throw new LadingError(
    'HEADER_MISMATCH',
    `${source.path} has ${cells} columns without names, and table ${shownTable(facts)} has ${names.length}`,
  )
}

function decisionsOf(facts: TableFacts, { matched }: ReturnType<typeof modelOfTable>): string[] {
  const renamed = matched.filter(({ isExact }) => !isExact).map(({ field, column }) => `${field} → ${column}`)
  return renamed.length === 0
    ? []
    : [`fields and their columns in table ${shownTable(facts)}: ${renamed.join(', ')}`]
}
