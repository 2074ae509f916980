/** What the text of CREATE INDEX says, for catalogues that keep nothing but the text. */
import { asPattern } from '../../core/text.ts'

/** A quoted text or name, a comment, or one character. */
const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[^]*?\*\/|[^]/g

/** What CREATE INDEX … ON t (compared, …) WHERE predicate says, in its own words. */
export function partsOf(sql: string): {
  readonly compared: readonly string[]
  readonly predicate: string | undefined
} {
  const compared: string[] = []
  let depth = 0
  let part = ''
  let isPast = false
  for (const [found] of sql.matchAll(token)) {
    // A comment would hide what follows it in a statement.
    const piece = /^(--|\/\*)/.test(found) ? ' ' : found
    if (isPast) part += piece
    else if (piece === '(' && depth++ === 0) part = ''
    else if (piece === ')' && --depth === 0) {
      compared.push(part.trim())
      part = ''
      isPast = true
    } else if (piece === ',' && depth === 1) {
      compared.push(part.trim())
      part = ''
    } else part += piece
  }
  const [, predicate] = /^\s*WHERE\s+(.+)$/is.exec(isPast ? part : '') ?? []
  return { compared, predicate: predicate?.trim() }
}

/** Whether an expression names the column. */
export const mentions = (expression: string, column: string): boolean =>
  new RegExp(`(^|[^\\w$])${asPattern(column)}([^\\w$]|$)`, 'i').test(expression)
