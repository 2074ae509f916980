/** Which questions keep a source from being loaded. */
import type { Reading } from '../format/reading.ts'
import type { Question } from './decision.ts'
import type { StatedTypes } from './profile/propose.ts'

/** Options that say which lines are records, and whether they are stated. */
const ofLines: Readonly<Record<string, (stated: Reading) => boolean>> = {
  '--footer-lines': ({ footerLines }) => footerLines !== undefined,
  '--header-rows': ({ dialect }) => dialect?.headerRows !== undefined,
  '--comment': ({ dialect }) => dialect?.comment !== undefined,
  '--skip-when': ({ skipWhen }) => skipWhen !== undefined,
}

/**
 * Those that nothing answers, one for each option. Where all columns are text, a line that is none of the
 * others' kind costs nothing, and is a record.
 */
export function openQuestions(
  questions: readonly Question[],
  { types }: StatedTypes,
  stated: Reading,
): readonly Question[] {
  const asked = new Set<string>()
  return questions.filter(({ readings, otherwise }) => {
    if (otherwise !== undefined) return false
    const option = readings[0]?.option.split(' ')[0] ?? ''
    if (!Object.hasOwn(ofLines, option)) return true
    if (types === 'text' || ofLines[option]?.(stated) === true || asked.has(option)) return false
    asked.add(option)
    return true
  })
}
