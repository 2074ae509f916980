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

interface Node {
  readonly type: string
  readonly start: number
  readonly body?: unknown
  readonly declarations?: readonly { readonly init: { readonly start: number } | null }[]
}

/** Declarations, each with the statement behind it: whoever has come to that has made what is declared. */
export function declarationsOf(text: string): (readonly [declared: Place, next: Place])[] {
  const code = stripTypeScriptTypes(text)
  const lines = text.split('\n')
  const found: (readonly [Place, Place])[] = []
  const placeOf = (offset: number): Place => {
    const before = code.slice(0, offset).split('\n')
    return behindBrackets(lines, { line: before.length, column: before.at(-1)?.length ?? 0 })
  }
  const lookAt = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { body } = value as Partial<Node>
    if (Array.isArray(body))
      for (const [index, { declarations = [] }] of (body as Node[]).entries()) {
        const next = body[index + 1] as Node | undefined
        const behind = next?.declarations === undefined ? next : next.declarations[0]?.init
        for (const { init } of declarations)
          if (init && behind) found.push([placeOf(init.start), placeOf(behind.start)])
      }
    Object.values(value).forEach(lookAt)
  }
  lookAt(parseAst(code))
  return found
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
