import { LadingError } from '../../core/errors.ts'
import type { Layout } from '../../core/load.ts'

/**
 * How a file is written. Every optional key is absent where it has its default, so that layouts and plans of
 * version 0.1.0 stay what they are.
 */
export interface Dialect extends RecordDialect {
  /** Whether the first record holds the names of the columns. */
  readonly header: boolean
  /** Lines above the header that are left out, whatever is in them. */
  readonly skipLines?: number
  /** Records that the header takes, 1 by default. The names in one column are joined by a space. */
  readonly headerRows?: number
  /** Names of the columns, where there is no header or in place of it. */
  readonly names?: readonly string[]
}

/** What reading one record needs to know. It travels in message headers, so it is plain JSON. */
export interface RecordDialect {
  /** One ASCII character. */
  readonly delimiter: string
  /** One ASCII character; the empty text where no character quotes. */
  readonly quote: string
  /**
   * The byte behind a backslash is data, in quotes and without: a quote, a delimiter, a line end, a backslash.
   * The letters n, r and t stand for LF, CR and tab there, and a cell `\N` without quotes has no value.
   */
  readonly escape?: '\\'
  /** One ASCII character. Lines that begin with it are left out, and empty lines with them. */
  readonly comment?: string
  /**
   * What becomes of records with another number of cells, which are refused by default. `trim` drops cells
   * beyond the last column that are empty and not quoted; `pad` does, too, and fills short records with no
   * value.
   */
  readonly ragged?: 'trim' | 'pad'
  /** Spaces and tabs around cells, also around their quotes, are no part of them. */
  readonly trim?: true
  /**
   * No cell goes on in the next line: a quote that its own line does not close is a fault of that record alone.
   */
  readonly multiline?: false
  /** In records of several cells, empty lines are left out and counted; a fault of their own by default. */
  readonly blankLines?: 'skip'
}

/**
 * As options state it: what is stated wins over what is found in a file, what is usual anyway too. Keys that
 * are not there may be found.
 */
export interface StatedDialect extends Omit<
  Partial<Dialect>,
  'escape' | 'ragged' | 'trim' | 'multiline' | 'blankLines'
> {
  /** The empty text where nothing escapes. */
  readonly escape?: '\\' | ''
  readonly ragged?: 'reject' | 'trim' | 'pad'
  readonly trim?: boolean
  readonly multiline?: boolean
  readonly blankLines?: 'reject' | 'skip'
}

/** Without what is usual anyway. */
export function plainDialect(stated: StatedDialect): Partial<Dialect> {
  const usual: Readonly<Record<string, unknown>> = {
    escape: '',
    ragged: 'reject',
    trim: false,
    multiline: true,
    blankLines: 'reject',
  }
  const unusual = Object.entries(stated).filter(([key, value]) => value !== undefined && value !== usual[key])
  return Object.fromEntries(unusual)
}

export const defaultDialect: Dialect = { delimiter: ',', quote: '"', header: true }

/** The layout of a load of CSV. */
export interface CsvLayout extends Layout, RecordDialect {
  readonly delimiter: string
  readonly quote: string
}

/** Whether records are written as RFC 4180 has them, with any delimiter and quote. */
export function isPlain(dialect: RecordDialect): boolean {
  // Empty lines are read in the same way, whatever becomes of them.
  const keys = Object.keys(recordDialect(dialect)).filter((key) => key !== 'blankLines')
  return keys.length === 2 && dialect.quote !== ''
}

/** The keys of the dialect that a layout holds, those with their default left out. */
export function recordDialect(dialect: RecordDialect): RecordDialect {
  const { delimiter, quote, escape, comment, ragged, trim, multiline, blankLines } = dialect
  return {
    delimiter,
    quote,
    ...(escape !== undefined && { escape }),
    ...(comment !== undefined && { comment }),
    ...(ragged !== undefined && { ragged }),
    ...(trim !== undefined && { trim }),
    ...(multiline !== undefined && { multiline }),
    ...(blankLines !== undefined && { blankLines }),
  }
}

/** The dialect, for what records of any number of cells have in common. */
export function withoutRagged(dialect: RecordDialect): RecordDialect {
  const { ragged, ...record } = recordDialect(dialect)
  return ragged === undefined ? dialect : record
}

/**
 * Throws `USAGE` for a dialect that cannot be read; it may come from outside, so the types are not trusted.
 */
export function validateDialect(dialect: Dialect): void {
  const { skipLines, headerRows, names, header } = dialect
  const problem = recordProblem(dialect)
  if (problem !== undefined) throw new LadingError('USAGE', problem)
  if (typeof header !== 'boolean') throw new LadingError('USAGE', 'header must be true or false')
  requireCount('skipLines', skipLines, 0)
  requireCount('headerRows', headerRows, 1)
  if (names === undefined) return
  if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== 'string'))
    throw new LadingError('USAGE', 'names must be the names of the columns')
  if (new Set(names).size < names.length) throw new LadingError('USAGE', 'names must name no column twice')
}

function requireCount(key: string, value: unknown, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return
  throw new LadingError('USAGE', `${key} must be a whole number of ${least} or more`)
}

const isCharacter = (value: unknown): boolean =>
  typeof value === 'string' && /^[^\n\r]$/.test(value) && value.charCodeAt(0) < 128

/** What is wrong with how records are written. */
function recordProblem(dialect: { readonly [Key in keyof RecordDialect]: unknown }): string | undefined {
  const { delimiter, quote, escape, comment, ragged, trim, multiline, blankLines } = dialect
  const character = (name: string, value: unknown) =>
    `the ${name} must be one ASCII character that ends no line, not ${JSON.stringify(value)}`
  if (!isCharacter(delimiter)) return character('delimiter', delimiter)
  if (quote !== '' && !isCharacter(quote)) return character('quote', quote)
  if (escape !== undefined && escape !== '\\')
    return `the escape must be a backslash, not ${JSON.stringify(escape)}; a doubled quote needs none`
  if (comment !== undefined && !isCharacter(comment)) return character('comment', comment)
  if (ragged !== undefined && ragged !== 'trim' && ragged !== 'pad')
    return `ragged must be trim or pad, not ${JSON.stringify(ragged)}`
  if (trim !== undefined && trim !== true) return 'trim must be true or left out'
  if (multiline !== undefined && multiline !== false) return 'multiline must be false or left out'
  if (blankLines !== undefined && blankLines !== 'skip') return 'blankLines must be skip or left out'
  const marks = { delimiter, quote, escape, comment }
  const letter = Object.entries(marks).find(([, mark]) => typeof mark === 'string' && /[nrtN]/.test(mark))
  if (escape !== undefined && letter !== undefined)
    return `the ${letter[0]} must not be ${JSON.stringify(letter[1])}, which has a meaning behind a backslash`
  const given = Object.entries(marks).filter(([, mark]) => mark !== undefined && mark !== '')
  for (const [index, [name, mark]] of given.entries()) {
    const other = given.slice(index + 1).find(([, each]) => each === mark)
    if (other !== undefined) return `${name} and ${other[0]} are the same character: ${JSON.stringify(mark)}`
  }
  return undefined
}

const layoutKeys: ReadonlySet<string> = new Set([
  'format',
  'fields',
  'delimiter',
  'quote',
  'escape',
  'comment',
  'ragged',
  'trim',
  'multiline',
  'blankLines',
  'notation',
  'notations',
  'skipWhen',
  'ofTable',
])

/** A layout with a key that is not known belongs to a newer version, and is not read without it. */
export const isCsvLayout = (layout: Layout): layout is CsvLayout =>
  layout.fields.length > 0 &&
  Object.keys(layout).every((key) => layoutKeys.has(key)) &&
  recordProblem(layout as CsvLayout) === undefined
