/** Where the statements of a source file begin, by its own text. What a comment excuses (`v8 ignore`) is not among them. */
import { stripTypeScriptTypes } from 'node:module'
import toIstanbul from 'ast-v8-to-istanbul'
import { parseAst } from 'rolldown/parseAst'

export interface Place {
  readonly line: number
  readonly column: number
}

export async function statementsOf(text: string): Promise<Place[]> {
  // Blanks take the place of types, so nothing moves.
  const code = stripTypeScriptTypes(text)
  const ast = parseAst(code) as Parameters<typeof toIstanbul>[0]['ast']
  const [file] = Object.values(
    await toIstanbul({ code, ast, coverage: { url: 'file:///source.ts', functions: [] } }),
  )
  const lines = text.split('\n')
  return Object.values(file?.statementMap ?? {}).map(({ start }) => behindBrackets(lines, start))
}

/** A value in brackets begins with them or behind them, as the compiler has it. */
export function behindBrackets(lines: readonly string[], { line, column }: Place): Place {
  const [brackets = ''] = /^\(*/.exec(lines[line - 1]?.slice(column) ?? '') ?? []
  return { line, column: column + brackets.length }
}

/** Of a whole file, as `statementsOf` sees it if nothing is excused. */
export const withoutExcuses = (text: string): string => text.replaceAll('v8 ignore', 'is untested')

const excuse = /^\s*\/\/ v8 ignore (next|start|if|else|stop)(?: -- \S.*)?$/

/** Numbers of the lines whose excuse gives no reason, or is not written as all others are. */
export const excusesWithoutReason = (text: string): number[] =>
  text.split('\n').flatMap((line, index) => {
    if (!line.includes('v8 ignore')) return []
    const [, word] = excuse.exec(line) ?? []
    const hasReason = line.includes(' -- ')
    return word !== undefined && hasReason === (word !== 'stop') ? [] : [index + 1]
  })
