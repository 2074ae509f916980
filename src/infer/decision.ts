/** What inference decided, and what it cannot decide: every one names its reason, and its line if it has one. */
import { LadingError } from '../core/errors.ts'

/** Something that was decided, because it can only be so. */
export interface Decision {
  /** What was decided: `delimiter`, `header`, or a column. */
  readonly about: string
  readonly chosen: string
  /** The reason, as what stands behind "because". */
  readonly because: string
  /** 1-based physical line that decided it. */
  readonly line?: number
}

/** One way to read what has several readings, and the option that chooses it. */
export interface Choice {
  readonly option: string
  readonly meaning: string
}

/** Something that can be read in several ways: it is not guessed. */
export interface Question {
  /** What is unclear, as a sentence without its end. */
  readonly about: string
  readonly line?: number
  readonly readings: readonly Choice[]
  /**
   * What is done while no option answers it, because that loses nothing. Without it the source cannot be
   * loaded.
   */
  readonly otherwise?: string
}

export const decisionText = ({ about, chosen, because }: Decision): string =>
  `${about}: ${chosen}, because ${because}`

export function questionText({ about, readings, otherwise }: Question): string {
  const choices = readings.map(({ option, meaning }) => `${option} (${meaning})`)
  const all = [...(otherwise === undefined ? [] : [otherwise]), ...choices].join(' or ')
  return all === '' ? about : `${about}: ${all}`
}

/** With the line, in a text that names the file. */
export const placedText = (question: Question): string =>
  `${question.line === undefined ? '' : `line ${question.line}: `}${questionText(question)}`

/** Most questions that an error lists. */
const mostListed = 4

/** The error of a source, named by its path, that cannot be loaded before its questions are answered. */
export function undecided(path: string, questions: readonly Question[]): LadingError {
  const shown = questions.slice(0, mostListed).map(placedText)
  const more = questions.length > mostListed ? [`and ${questions.length - mostListed} more`] : []
  return new LadingError('SOURCE_UNDECIDED', `${path}: ${[...shown, ...more].join('; ')}`)
}
