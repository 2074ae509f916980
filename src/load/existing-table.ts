/** How the values of the sources are written, where the types of their columns are given by a table. */
import type { Notations } from '../core/notation.ts'
import { withFound } from '../infer/inspect.ts'
import { Forms } from '../infer/profile/forms.ts'
import { type FoundNotation, notationFor, type Target, targetOf } from '../infer/profile/notation-for.ts'
import { elsewhere } from '../infer/profile/number-form.ts'
import { currencyQuestion } from '../infer/profile/questions.ts'
import type { Profile } from '../infer/profile/profile.ts'
import { withColumnNames } from '../infer/sniffed.ts'
import { profileSource } from '../infer/records.ts'
import { type Model, sourceNames } from '../model/model.ts'
import { holds } from '../model/notation/holds.ts'
import { unsuited } from '../model/notation/notation.ts'
import { statedOf } from '../model/notation/stated.ts'
import { dressed, type Head, hintsOf, requireAnswers } from './readings.ts'
import { Profiling } from './profiles.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

export interface FoundNotations {
  readonly heads: readonly Head[]
  readonly decisions: readonly string[]
}

/**
 * The heads, in their order, with the notations that their values need. Files with semicolons between their cells and
 * others come from different programs.
 */
export async function withNotationsFor(
  options: UnmodelledOptions,
  model: Model,
  heads: readonly Head[],
): Promise<FoundNotations> {
  await requireOneCurrency(options, model, heads)
  const found: FoundNotations[] = []
  for (const group of Map.groupBy(heads, hasSemicolons).values())
    found.push(await withNotationsOf(options, model, group))
  const bySource = new Map(found.flatMap((each) => each.heads.map((head) => [head.source, head] as const)))
  return {
    heads: heads.map((head) => bySource.get(head.source) ?? head),
    decisions: [...new Set(found.flatMap(({ decisions }) => decisions))],
  }
}

/** Where options state any currency: a column would lose which one it was, so every record is looked at. */
async function requireOneCurrency(
  options: UnmodelledOptions,
  model: Model,
  heads: readonly Head[],
): Promise<void> {
  const [first] = heads
  const { notation = {}, notations = {} } = first?.reading ?? {}
  if (![notation, ...Object.values(notations)].some(({ money }) => money === true)) return
  const named = heads.map((head) => withNamesOf(model, head))
  const { columns } = await profileOf(options, named)
  const questions = columns.flatMap((column) => {
    const type = columnOf(model, column.field)?.type
    return type !== undefined && holds(type) === 'number' ? (currencyQuestion(column) ?? []) : []
  })
  requireAnswers(pathsOf(heads), questions, {}, options)
}

/**
 * Of files of one kind. What the options state of a field's numbers or times stands. Nothing is looked for where the first records can only be read as they are.
 */
async function withNotationsOf(
  options: UnmodelledOptions,
  model: Model,
  heads: readonly Head[],
): Promise<FoundNotations> {
  const wanted = targetsOf(model, heads)
  const named = heads.map((head) => withNamesOf(model, head))
  const first = await formsOf(named, wanted, options, true)
  if ([...first.fields.values()].every(({ isOwn, isUnclear }) => isOwn && !isUnclear))
    return { heads, decisions: [] }
  const found = await notationsOf(options, named, wanted)
  const questions = [...found.values()].flatMap(({ question }) => question ?? [])
  requireAnswers(pathsOf(heads), questions, {}, options)
  const notations = Object.fromEntries(
    [...found].flatMap(([field, { notation }]) => (notation === undefined ? [] : [[field, notation]])),
  )
  if (Object.keys(notations).length === 0) return { heads, decisions: hintsOf(questions) }
  return {
    heads: heads.map((head) => ({ ...head, reading: withFound(head.reading, notations) })),
    decisions: [
      ...Object.entries(notations).map(([field, each]) => `${field} is written ${JSON.stringify(each)}`),
      ...hintsOf(questions),
    ],
  }
}

/** Columns without names are those of the table, in their order. */
const withNamesOf = ({ columns }: Model, head: Head): Head =>
  head.cells === undefined
    ? head
    : { ...head, reading: withColumnNames(head.reading, columns.flatMap(sourceNames)) }

const columnOf = ({ columns }: Model, field: string) =>
  columns.find((column) => sourceNames(column).includes(field))

type TargetOf = (field: string) => Target | undefined

/** Undefined for fields whose numbers or times an option states, and for those of which nothing can be read in several ways. */
function targetsOf(model: Model, heads: readonly Head[]): TargetOf {
  return (field) => {
    const column = columnOf(model, field)
    const target = column && targetOf(column.type)
    const isStated = target && heads.some(({ reading }) => statesOf(target.held, reading, field))
    return isStated === true ? undefined : target
  }
}

function statesOf(held: Target['held'], notations: Notations, field: string): boolean {
  const { decimal, thousands, percent, pattern, epoch } = statedOf(field, notations) ?? {}
  const parts = held === 'number' ? [decimal, thousands, percent] : [pattern, epoch]
  return parts.some((part) => part !== undefined)
}

/** Of the first records, or of all. */
async function formsOf(
  heads: readonly Head[],
  wanted: TargetOf,
  { signal }: UnmodelledOptions,
  isHead: boolean,
): Promise<Forms> {
  const forms = new Forms(wanted)
  for (const { source, reading } of heads)
    await profileSource(forms, await dressed(source, reading), reading, { isHead, signal })
  return forms
}

/** Of all records. */
async function profileOf(options: UnmodelledOptions, heads: readonly Head[]): Promise<Profile> {
  const sources = heads.map(({ source }) => source)
  await using profiling = await Profiling.of(sources, options)
  for (const head of heads) await profiling.add(head)
  return await profiling.end()
}

/** By field, from all records: of most files their shapes alone say it, and only those of others are counted. */
async function notationsOf(
  options: UnmodelledOptions,
  heads: readonly Head[],
  wanted: TargetOf,
): Promise<ReadonlyMap<string, FoundNotation>> {
  const told = toldOf(await profileOf(options, heads), wanted, heads)
  if (told !== undefined) return told
  const forms = await formsOf(heads, wanted, options, false)
  const fields = [...forms.fields.values()]
  const others = elsewhere(
    fields.map(({ numerals }) => numerals),
    heads.some(hasSemicolons),
  )
  return new Map(fields.map((each) => [each.field, each.found(others)]))
}

function toldOf(
  { columns }: Profile,
  wanted: TargetOf,
  heads: readonly Head[],
): ReadonlyMap<string, FoundNotation> | undefined {
  const targets = columns.flatMap((column) => {
    const target = wanted(column.field)
    return target === undefined ? [] : [{ column, target }]
  })
  const numbers = targets.filter(({ target }) => target.held === 'number')
  const others = elsewhere(
    numbers.map(({ column }) => new Map([[column.numerals, 1]])),
    heads.some(hasSemicolons),
  )
  const found = new Map<string, FoundNotation>()
  for (const { column, target } of targets) {
    const each = notationFor(target, column, others)
    if (each === undefined) return undefined
    found.set(column.field, each)
  }
  return found
}

const pathsOf = (heads: readonly Head[]): string => heads.map(({ source }) => source.path).join(', ')

const hasSemicolons = ({ reading }: Head): boolean => reading.dialect?.delimiter === ';'

/** What is stated of the values of a field and can mean nothing in its column. */
export const withoutEffect = ({ columns }: Model, { notations = {} }: Notations): readonly string[] =>
  Object.entries(notations).flatMap(([field, notation]) =>
    columns
      .filter((column) => sourceNames(column).includes(field))
      .flatMap(({ name, type }) =>
        [...unsuited(notation, type)].map(
          (why) => `what is stated of ${field} has no effect in column ${name} (${type.kind}): ${why}`,
        ),
      ),
  )
