/**
 * Records that are left out on purpose: those of which a field has one of its texts. The empty text also
 * stands for no value.
 */
export type SkipWhen = Readonly<Record<string, string | readonly string[]>>

/** What is wrong with what may come from outside, as a layout does; undefined where nothing is. */
export function skipProblem(skipWhen: unknown): string | undefined {
  if (skipWhen === undefined) return undefined
  if (typeof skipWhen !== 'object' || skipWhen === null || Array.isArray(skipWhen))
    return 'skipWhen must have a text, or a list of texts, for each field'
  const isText = (value: unknown): boolean => typeof value === 'string'
  const wrong = Object.entries(skipWhen).find(
    ([, texts]) => !isText(texts) && !(Array.isArray(texts) && texts.length > 0 && texts.every(isText)),
  )
  return wrong && `skipWhen of ${wrong[0]} must be a text or a list of texts`
}
