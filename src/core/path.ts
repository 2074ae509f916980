/**
 * Paths into JSON: names that are separated by points, `a.b`. A name with a point, a quote or a bracket in
 * it stands in quotes as JSON writes it, `"a.b".c`. In a path to records `[]` is every element of an array,
 * `data[]`.
 */

/** A name, or null for every element of an array. */
export type Path = readonly (string | null)[]

const step = /\.?(?:"((?:[^"\\]|\\.)*)"|([^."[\]]+)|(\[\]))/y

/** Undefined for a text that is no path. */
export function parsePath(text: string): Path | undefined {
  const path: (string | null)[] = []
  step.lastIndex = 0
  while (step.lastIndex < text.length) {
    const at = step.lastIndex
    const found = step.exec(text)
    if (found === null) return undefined
    const [, quoted, plain, elements] = found
    // A point stands between a name and what precedes it, and nowhere else.
    if ((text[at] === '.') !== (at > 0 && elements === undefined)) return undefined
    const name = quoted === undefined ? plain : unquoted(quoted)
    if (elements === undefined && name === undefined) return undefined
    path.push(name ?? null)
  }
  return path.length === 0 ? undefined : path
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return undefined
  }
}

/**
 * The names that lead to a field in nested objects; undefined where the text can only be the name of a field
 * itself.
 */
export function fieldPath(text: string): readonly string[] | undefined {
  const path = parsePath(text)
  if (path === undefined || path.includes(null) || (path.length === 1 && path[0] === text)) return undefined
  return path as readonly string[]
}

const isPlain = /^[^."[\]\\]+$/

/** The text of a path, in the one form that `parsePath` reads as it. */
export const pathText = (path: Path): string =>
  path
    .map((name, index) => {
      if (name === null) return '[]'
      return `${index === 0 ? '' : '.'}${isPlain.test(name) ? name : JSON.stringify(name)}`
    })
    .join('')
