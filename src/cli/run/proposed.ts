/** The command that loads a file as its inspection reads it. */
import type { Choice } from '../../infer/decision.ts'
import type { Inspection } from '../../infer/inspect.ts'
import type { Reading } from '../../format/reading.ts'
import { quoted } from '../settings/hint.ts'
import type { InspectFlags } from '../settings/inspect.ts'
import { readingArguments } from '../settings/reading-arguments.ts'

/**
 * What the file says by itself needs no option. Of a question that must be answered the first answer is
 * proposed; of the others, an answer that is the only one and changes no value.
 */
export function proposedLoad(inspection: Inspection, stated: Reading, flags: InspectFlags): string {
  const { source, questions, proposal } = inspection
  const answers = questions.flatMap(({ readings }) => readings.slice(0, 1))
  const hints = proposal.columns.flatMap(({ question }) =>
    question?.otherwise !== undefined && question.readings.length === 1 ? question.readings : [],
  )
  const options = [
    ...readingArguments(inspection.reading, stated, false),
    ...merged([...answers, ...hints.filter(({ option }) => !option.includes('--columns'))]),
    ...(flags.types === undefined ? [] : [`--types ${flags.types}`]),
    ...(flags.columns === undefined ? [] : [`--columns ${quoted(flags.columns)}`]),
    ...(flags.table === undefined ? [] : [`--table ${quoted(flags.table)}`]),
    ...(flags.key === undefined ? [] : [`--key ${quoted(flags.key)}`]),
  ]
  return ['lading load', quoted(source.path), ...new Set(options)].join(' ')
}

/** One `--null` for all its texts. */
function merged(choices: readonly Choice[]): readonly string[] {
  const options = choices.flatMap(({ option }) => option.split(/ (?=--)/))
  const isNull = (option: string): boolean => option.startsWith('--null ')
  const texts = options.filter(isNull).flatMap((option) =>
    option
      .slice('--null '.length)
      .replace(/^'(.*)'$/, '$1')
      .split(','),
  )
  const nulls = texts.length === 0 ? [] : [`--null ${quoted([...new Set(texts)].join(','))}`]
  return [...options.filter((option) => !isNull(option)), ...nulls]
}
