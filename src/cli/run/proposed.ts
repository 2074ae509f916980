/** The command that loads a file as its inspection reads it. */
import type { Question } from '../../infer/decision.ts'
import { type Inspection, proposalFor } from '../../infer/inspect.ts'
import { isText } from '../../infer/profile/found-type.ts'
import type { ProposedColumn } from '../../infer/profile/propose.ts'
import { isStrongNull } from '../../infer/profile/shape.ts'
import { marker, text } from '../../infer/profile/shapes.ts'
import type { Reading } from '../../format/reading.ts'
import { unquoted } from '../settings/hint.ts'
import { quoted } from '../../core/shell.ts'
import { columnSettings, type InspectFlags, inspectFlags } from '../settings/inspect.ts'
import { readingSettings } from '../settings/reading.ts'
import { statedArguments } from '../settings/reading-arguments.ts'

/** Answers may lead to questions in turn: a column that is a number now may end with a total. */
const mostRounds = 4

/**
 * What the file says by itself needs no option. Of a question that must be answered the first answer is
 * proposed; of the others, an answer that is the only one and changes no value of another column.
 */
export async function proposedLoad(
  inspection: Inspection,
  stated: Reading,
  flags: InspectFlags,
): Promise<string> {
  const { source } = inspection
  const given = [
    ...statedArguments(stated),
    ...(flags.types === undefined ? [] : [`--types ${flags.types}`]),
    ...(flags.columns === undefined ? [] : [`--columns ${quoted(flags.columns)}`]),
  ]
  const places = [
    ...(flags.table === undefined ? [] : [`--table ${quoted(flags.table)}`]),
    ...(flags.key === undefined ? [] : [`--key ${quoted(flags.key)}`]),
  ]
  let added: readonly string[] = [...firstAnswers(inspection.questions), ...hintsOf(inspection)]
  let options = merged([...given, ...added])
  for (let round = 0; round < mostRounds && added.length > 0; round++) {
    const all = inspectFlags(unquoted([...options, ...places].join(' ')))
    const { questions } = await proposalFor(source, readingSettings(all), columnSettings(all))
    added = firstAnswers(questions)
    options = merged([...options, ...added])
  }
  return ['lading load', quoted(source.path), ...options, ...places].join(' ')
}

const firstAnswers = (questions: readonly Question[]): readonly string[] =>
  questions.flatMap(({ readings }) => readings.slice(0, 1).map(({ option }) => option))

function hintsOf({ proposal: { columns } }: Inspection): readonly string[] {
  const onlyAnswer = ({ question }: ProposedColumn): string | undefined =>
    question?.otherwise !== undefined && question.readings.length === 1
      ? question.readings[0]?.option
      : undefined
  const found = columns.map(onlyAnswer)
  // Among texts, NA may be a country.
  const hasTexts = columns.some(
    ({ type, profile }, index) =>
      isText(type) && found[index] === undefined && (profile.shapes & (text | marker)) !== 0,
  )
  return found.flatMap((hint) =>
    hint === undefined || hint.includes('--columns') || (hasTexts && !nullsIn(hint).every(isStrongNull))
      ? []
      : [hint],
  )
}

/** The texts of its `--null`. */
const nullsIn = (option: string): readonly string[] =>
  option.split(/ (?=--)/).flatMap((each) =>
    each.startsWith('--null ')
      ? each
          .slice('--null '.length)
          .replace(/^'(.*)'$/, '$1')
          .split(',')
      : [],
  )

/** Each option once, and one `--null` for all its texts. */
function merged(options: readonly string[]): readonly string[] {
  const texts = [...new Set(options.flatMap(nullsIn))]
  const others = options
    .flatMap((each) => each.split(/ (?=--)/))
    .filter((each) => !each.startsWith('--null '))
  return [...new Set(others), ...(texts.length === 0 ? [] : [`--null ${quoted(texts.join(','))}`])]
}
