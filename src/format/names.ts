/** Names of columns where a header has none for some, or one for several. */

export interface UniqueNames {
  readonly fields: readonly string[]
  /** Those that are not in the header. */
  readonly made: readonly string[]
}

/** `column_3` for a third column without a name, `_2` behind a name that stands there a second time. */
export function uniqueNames(names: readonly string[]): UniqueNames {
  const taken = new Set(names)
  const seen = new Set<string>()
  /** By name: the suffix to go on with, because a name may stand there a hundred thousand times. */
  const nexts = new Map<string, number>()
  const made: string[] = []
  const fields = names.map((name, index) => {
    if (name !== '' && !seen.has(name)) {
      seen.add(name)
      return name
    }
    const stem = name === '' ? `column_${index + 1}` : name
    let nth = nexts.get(stem) ?? 2
    let unique = name === '' ? stem : `${stem}_${nth++}`
    while (taken.has(unique)) unique = `${stem}_${nth++}`
    nexts.set(stem, nth)
    taken.add(unique)
    made.push(unique)
    return unique
  })
  return { fields, made }
}
