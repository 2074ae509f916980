/** How the values of the sources are written, where the types of their columns are given by a table. */
import { holds } from '../model/notation/notation.ts'
import { withFound } from '../infer/inspect.ts'
import { withColumnNames } from '../infer/sniffed.ts'
import { decodeSource } from '../infer/decoded.ts'
import type { ColumnProfile } from '../infer/profile/column.ts'
import { notationFor } from '../infer/profile/notation-for.ts'
import { type Model, sourceNames } from '../model/model.ts'
import { dressed, type Head, hintsOf, requireAnswers } from './readings.ts'
import { Profiling } from './profiles.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

export interface FoundNotations {
  readonly heads: readonly Head[]
  readonly decisions: readonly string[]
}

/**
 * The heads with the notations that their values need. What the options state of a field's numbers or times
 * stands. Nothing is looked for where the first records can be loaded as they are.
 */
export async function withNotationsFor(
  options: UnmodelledOptions,
  model: Model,
  heads: readonly Head[],
): Promise<FoundNotations> {
  if (await arePlain(options, model, heads)) return { heads, decisions: [] }
  const sources = heads.map(({ source }) => source)
  await using profiling = await Profiling.of(sources, options)
  for (const head of heads) await profiling.add(withNamesOf(model, head))
  const profile = await profiling.end()
  const found = profile.columns.map((column) => ({ column, ...foundFor(model, column) }))
  const questions = found.flatMap(({ question }) => question ?? [])
  requireAnswers(heads.map(({ source }) => source.path).join(', '), questions, {}, options)
  const notations = Object.fromEntries(
    found.flatMap(({ column, notation }) => (notation === undefined ? [] : [[column.field, notation]])),
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

/** Whether the first records of all sources are rows of the model as they are. */
async function arePlain(
  { choices, signal }: UnmodelledOptions,
  model: Model,
  heads: readonly Head[],
): Promise<boolean> {
  for (const { source, reading } of heads) {
    const { ignoreExtra } = choices ?? {}
    const options = { ignoreExtra, namesColumns: true, isHead: true, signal }
    const { codes } = await decodeSource(await dressed(source, reading), model, options)
    if (Object.keys(codes).some((code) => valueCodes.has(code))) return false
  }
  return true
}

/** What a notation may cure. */
const valueCodes: ReadonlySet<string> = new Set([
  'BAD_INTEGER',
  'BAD_NUMBER',
  'BAD_DATE',
  'BAD_TIME',
  'BAD_TIMESTAMP',
  'OUT_OF_RANGE',
])

function foundFor(model: Model, column: ColumnProfile): ReturnType<typeof notationFor> {
  const target = model.columns.find((each) => sourceNames(each).includes(column.field))
  if (target === undefined) return {}
  const held = holds(target.type)
  const { numbers, times } = column.stated ?? {}
  return (held === 'number' ? numbers : times) === undefined ? notationFor(held, column) : {}
}
