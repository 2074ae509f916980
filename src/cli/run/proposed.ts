/** The command that loads a file as its inspection reads it. */
import type { Choice } from '../../infer/decision.ts'
import type { Inspection } from '../../infer/inspect.ts'
import { isText } from '../../infer/profile/found-type.ts'
import type { ProposedColumn } from '../../infer/profile/propose.ts'
import { isStrongNull } from '../../infer/profile/shape.ts'
import { marker, text } from '../../infer/profile/shapes.ts'
import type { Reading } from '../../format/reading.ts'
import { quoted } from '../settings/hint.ts'
import type { InspectFlags } from '../settings/inspect.ts'
import { statedArguments } from '../settings/reading-arguments.ts'

/**
 * What the file says by itself needs no option. Of a question that must be answered the first answer is
 * proposed; of the others, an answer that is the only one and changes no value of another column.
 */
export function proposedLoad(inspection: Inspection, stated: Reading, flags: InspectFlags): string {
  const { source, questions, proposal } = inspection
  const answers = questions.flatMap(({ readings }) => readings.slice(0, 1))
  const onlyAnswer = ({ question }: ProposedColumn): Choice | undefined =>
    question?.otherwise !== undefined && question.readings.length === 1 ? question.readings[0] : undefined
  const found = proposal.columns.map(onlyAnswer)
  // Among texts, NA may be a country.
  const hasTexts = proposal.columns.some(
    ({ type, profile }, index) =>
      isText(type) && found[index] === undefined && (profile.shapes & (text | marker)) !== 0,
  )
  const hints = found.flatMap((hint) =>
    hint === undefined || (hasTexts && !nullsIn(hint.option).every(isStrongNull)) ? [] : [hint],
  )
  const options = [
    ...statedArguments(stated),
    ...merged([...answers, ...hints.filter(({ option }) => !option.includes('--columns'))]),
    ...(flags.types === undefined ? [] : [`--types ${flags.types}`]),
    ...(flags.columns === undefined ? [] : [`--columns ${quoted(flags.columns)}`]),
    ...(flags.table === undefined ? [] : [`--table ${quoted(flags.table)}`]),
    ...(flags.key === undefined ? [] : [`--key ${quoted(flags.key)}`]),
  ]
  return ['lading load', quoted(source.path), ...new Set(options)].join(' ')
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

/** One `--null` for all its texts. */
function merged(choices: readonly Choice[]): readonly string[] {
  const texts = choices.flatMap(({ option }) => nullsIn(option))
  const nulls = texts.length === 0 ? [] : [`--null ${quoted([...new Set(texts)].join(','))}`]
  const options = choices.flatMap(({ option }) => option.split(/ (?=--)/))
  return [...options.filter((option) => !option.startsWith('--null ')), ...nulls]
}
