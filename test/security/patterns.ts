/**
 * Whether the time that a regular expression takes grows with the square of the text, or faster. The texts are made
 * of what the expression itself names, repeated, with something behind that it does not match: what a sender would
 * write who wants to keep a consumer busy.
 */
import vm from 'node:vm'
import { parseAst } from 'vitest/node'

export interface Pattern {
  readonly source: string
  readonly flags: string
  /** `src/file.ts:12` */
  readonly place: string
}

/** Every regular expression that is written in the file. */
export function patternsIn(path: string, text: string): Pattern[] {
  const found: Pattern[] = []
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return
    if ('regex' in node && 'start' in node) {
      const { pattern, flags } = node.regex as { pattern: string; flags: string }
      const line = text.slice(0, node.start as number).split('\n').length
      found.push({ source: pattern, flags, place: `${path}:${line}` })
    }
    for (const value of Object.values(node)) visit(value)
  }
  visit(parseAst(text, { lang: 'ts' }, path))
  return found
}

/** So long that one pass takes a fraction of a millisecond, and one for each character a fifth of a second. */
const length = 20_000
/** Processor time of one attempt, in milliseconds: hundreds of passes. */
const mostMs = 50
/** What takes more is not waited for: it may be exponential. */
const hangsMs = 500
const mostUnits = 10

/** The text that takes the expression too long; undefined where none was found. */
export function hangingText({ source, flags }: Pick<Pattern, 'source' | 'flags'>): string | undefined {
  // Without repetition there is nothing to repeat.
  if (!/[*+]|,\}/.test(source)) return undefined
  const expression = new RegExp(source, flags.replace('g', ''))
  const units = unitsOf(source)
  const texts = [...units, ...units.flatMap((one) => units.map((other) => one + other))].map((unit) => ({
    unit,
    text: `\0${unit.repeat(Math.ceil(length / unit.length))}\0`,
  }))
  if (!areSlow(expression, texts)) return undefined
  // Twice, because memory may be tidied up at any time.
  return texts.find((each) => areSlow(expression, [each]) && areSlow(expression, [each]))?.unit
}

const context = vm.createContext({ expression: /a/, texts: [] })
const attempt = new vm.Script(
  'for (const { text } of texts) for (const from of [0, 1]) { expression.lastIndex = 0; expression.test(text.slice(from)) }',
)

function areSlow(expression: RegExp, texts: readonly { readonly text: string }[]): boolean {
  Object.assign(context, { expression, texts })
  const before = process.cpuUsage()
  try {
    attempt.runInContext(context, { timeout: hangsMs })
  } catch {
    return true
  }
  return process.cpuUsage(before).user > mostMs * 1000
}

const classes: Readonly<Record<string, string>> = {
  d: '0',
  w: 'a',
  s: ' ',
  S: 'a',
  D: 'a',
  W: ' ',
  t: '\t',
  n: '\n',
  r: '\r',
}

/** Words and characters that the expression names, the words first. */
function unitsOf(source: string): readonly string[] {
  const words = [...source.matchAll(/[a-z' ]{3,}/gi)].map(([word]) => word)
  const characters = [...source.matchAll(/\\(.)|([^\\])/gs)].flatMap(([, escaped, character = '']) => {
    if (escaped !== undefined) return classes[escaped] ?? (/\w/.test(escaped) ? [] : [escaped])
    return /[()[\]{}?*+|^$<>!-]/.test(character) ? [] : [character]
  })
  return [...new Set([...words.slice(0, 3), ' ', 'a', ...characters])].slice(0, mostUnits)
}
