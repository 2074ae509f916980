/** How the sources of a load without a model are written, and what they ask. */
import { setImmediate } from 'node:timers/promises'
import { counted } from '../core/counted.ts'
import { LadingError } from '../core/errors.ts'
import { listed } from '../core/listed.ts'
import type { Abortable } from '../core/wait.ts'
import type { Reading } from '../format/reading.ts'
import {
  type Decision,
  decisionText,
  type Question,
  questionText,
  placedText,
  undecided,
} from '../infer/decision.ts'
import { openQuestions } from '../infer/open-questions.ts'
import { Profile } from '../infer/profile/profile.ts'
import type { StatedTypes } from '../infer/profile/propose.ts'
import { profileSource } from '../infer/records.ts'
import { sniffSource } from '../infer/sniffed.ts'
import type { TableFacts } from '../model/table.ts'
import { WholeLines } from '../producer/growing.ts'
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

/** Something that was decided of a source, or may be answered. */
export interface Note {
  /** Notes of one kind differ at most in their reason. */
  readonly kind: string
  readonly text: string
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
): Promise<Head & { readonly notes: readonly Note[] }> {
  const { grows } = stated
  const seen = grows === true ? new WholeLines(source) : source
  const { fields, decisions, questions, ...found } = await sniffSource(seen, stated, table, true)
  const reading = { ...found, ...(grows && { grows, format: stated.format ?? growingFormat(found.format) }) }
  requireAnswers(source.path, questions, types, stated)
  const isCsv = reading.format === 'csv'
  const isNamed = reading.dialect?.header !== false || reading.dialect.names !== undefined
  return {
    source,
    reading,
    fields: isCsv ? fields : undefined,
    cells: isCsv && !isNamed ? fields.length : undefined,
    notes: [
      ...decisions.filter((decision) => !isUsual(decision)).map(noteOf),
      ...questions
        .filter(({ otherwise }) => otherwise !== undefined)
        .map((question) => ({ kind: question.about, text: placedText(question) })),
    ],
  }
}

/** A single object is the first line of those that are added. */
const growingFormat = (format = 'csv'): string => (format === 'json' ? 'ndjson' : format)

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

const noteOf = (decision: Decision): Note => ({
  kind: `${decision.about}: ${decision.chosen}`,
  text: decisionText(decision),
})

/** One line for each kind, however many sources have it. */
export function shownNotes(
  heads: readonly { readonly source: Source; readonly notes: readonly Note[] }[],
): string[] {
  const all = heads.flatMap(({ source, notes }) => notes.map((note) => ({ ...note, source })))
  return [...Map.groupBy(all, ({ kind }) => kind).values()].map(([first, ...others]) => {
    const { source, text } = first as (typeof all)[number]
    return `${source.name}${others.length === 0 ? '' : ` and ${counted(others.length, 'more file')}`}: ${text}`
  })
}

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
