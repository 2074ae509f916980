/** The table that a load without a model is for: named by an option, or by its file. */
import { LadingError } from '../core/errors.ts'
import { ignoreEvents } from '../core/events.ts'
import { retrying } from '../core/retry.ts'
import { stemOf } from '../infer/inspect.ts'
import { sqlName } from '../model/match.ts'
import { nameOf, shownTable, type TableFacts, type TableName, type WantedTable } from '../model/table.ts'
import type { Source } from '../source/source.ts'
import type { UnmodelledOptions } from './unmodelled-options.ts'

export interface FoundTable {
  /** Of a new table, where there is none yet. */
  readonly name: TableName
  readonly facts: TableFacts | undefined
  readonly decisions: readonly string[]
}

export async function wantedTable(
  options: UnmodelledOptions,
  sources: readonly Source[],
): Promise<FoundTable> {
  const names = namesOf(options, sources)
  for (const name of names) {
    const facts = await factsOf(options, name)
    if (facts === undefined) continue
    const shown = shownTable(facts)
    const decisions =
      shownTable(name) === shown
        ? []
        : [`table ${shownTable(name)} is ${shown}, whose name differs in case alone`]
    return { name: nameOf(facts), facts, decisions }
  }
  return { name: nameOf(names.at(-1) as TableName), facts: undefined, decisions: [] }
}

export const hasTable = async (options: UnmodelledOptions, name: WantedTable): Promise<boolean> =>
  (await factsOf(options, name)) !== undefined

function factsOf(
  { sink, signal, onEvent = ignoreEvents, startTimeoutMs: deadlineMs = 30_000 }: UnmodelledOptions,
  name: WantedTable,
): Promise<TableFacts | undefined> {
  const find = async (connectMs: number) => sink.table?.(name, { signal, connectMs })
  return retrying(find, { signal, onEvent, deadlineMs })
}

/** Where no option names it: as the first file is named, or else in snake case. */
function namesOf({ table, paths }: UnmodelledOptions, sources: readonly Source[]): readonly WantedTable[] {
  if (table !== undefined) return [table]
  const [source, ...others] = sources
  if (source === undefined || others.length > 0 || paths.includes('-'))
    throw new LadingError(
      'USAGE',
      `${paths.includes('-') ? 'standard input names no table' : `there are ${sources.length} files`}: name the table with --table [schema.]name, or the model with --model`,
    )
  const stem = stemOf(source)
  const name = sqlName(stem)
  if (name === '')
    throw new LadingError('USAGE', `${source.path} names no table: name it with --table [schema.]name`)
  const exact = [...new Set([stem, name])].map((each) => ({ table: each }))
  return [...exact, ...exact.map((each) => ({ ...each, anyCase: true }))]
}
