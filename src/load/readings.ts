/** How the sources of a load without a model are written, and what they ask. */
import { setImmediate } from 'node:timers/promises'
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import type { Abortable } from '../core/wait.ts'
import type { Reading } from '../format/reading.ts'
import { type Decision, decisionText, type Question, questionText, undecided } from '../infer/decision.ts'
import { openQuestions } from '../infer/open-questions.ts'
import { Profile } from '../infer/profile/profile.ts'
import type { StatedTypes } from '../infer/profile/propose.ts'
import { profileSource } from '../infer/records.ts'
import { sniffSource } from '../infer/sniffed.ts'
import type { TableFacts } from '../model/table.ts'
import { readAs, type ReadSource } from '../producer/reading.ts'
import type { Source } from '../source/source.ts'

/** What the head of a source says before there is a model: how it is written, and which fields it has. */
export interface Head {
  readonly source: Source
  readonly reading: Reading
  /** Undefined where each record names its own. */
  readonly fields: readonly string[] | undefined
  /** Cells of the first record, where the file has no header; undefined where it has one. */
  readonly cells: number | undefined
}

/**
 * The head of a source, which is as it is stored, as its bytes say it, and the table that it goes to, if there
 * is one; throws `SOURCE_UNDECIDED` for what they do not say.
 */
export async function sniffedHead(
  source: Source,
  stated: Reading,
  types: StatedTypes,
  table: TableFacts | undefined,
): Promise<Head & { readonly decisions: readonly string[] }> {
  const { fields, decisions, questions, ...reading } = await sniffSource(source, stated, table, true)
  requireAnswers(source.path, questions, types, stated)
  const isCsv = reading.format === 'csv'
  const isNamed = reading.dialect?.header !== false || reading.dialect.names !== undefined
  return {
    source,
    reading,
    fields: isCsv ? fields : undefined,
    cells: isCsv && !isNamed ? fields.length : undefined,
    decisions: decisions.filter((decision) => !isUsual(decision)).map((decision) => said(source, decision)),
  }
}

/** The names of fields in the records of sources whose records name their own; in the first ones alone. */
export async function namesIn(
  heads: readonly Omit<Head, 'cells'>[],
  isHead: boolean,
): Promise<readonly string[]> {
  const profile = new Profile()
  for (const { source, reading, fields } of heads)
    if (fields === undefined)
      await profileSource(profile, await dressed(source, reading), reading, { isHead })
  return profile.columns.map(({ field }) => field)
}

/** Throws `ABORTED` where a stop has come. Small sources are read without a pause in which one could. */
export async function heardStop({ path }: Source, { signal }: Abortable): Promise<void> {
  await setImmediate()
  if (signal?.aborted) throw new LadingError('ABORTED', `stopped while reading ${path}`)
}

/** A source that is as it is stored, read in this way. */
export const dressed = (source: Source, reading: Reading): Promise<ReadSource> =>
  readAs(source, { readingOf: async () => reading })

const said = ({ name }: Source, decision: Decision): string => `${name}: ${decisionText(decision)}`

/** What a person expects of CSV anyway. */
const isUsual = ({ about, chosen }: Decision): boolean =>
  (about === 'delimiter' && chosen === 'comma') ||
  (about === 'header' && chosen === 'line 1') ||
  (about === 'quote' && chosen === '"') ||
  about === 'format'

/** Throws `SOURCE_UNDECIDED`. */
export function requireAnswers(
  path: string,
  questions: readonly Question[],
  types: StatedTypes,
  stated: Reading,
): void {
  const open = openQuestions(questions, types, stated)
  if (open.length > 0) throw undecided(path, open)
}

const mostHints = 10

/** Questions that keep nothing from being loaded. */
export function hintsOf(questions: readonly (Question | undefined)[]): readonly string[] {
  const hints = questions.flatMap((question) =>
    question?.otherwise === undefined ? [] : [questionText(question)],
  )
  return hints.length > mostHints ? [listed(hints, mostHints, '; ')] : hints
}
