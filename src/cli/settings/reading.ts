/** Options that say how files are written. */
import { Option } from 'commander'
import type { Reading } from '../../format/reading.ts'
import { type FormatName, formatNames, type StatedDialect } from '../../format/registry.ts'
import { type NotationFlags, notationOptions, notationSettings } from './notation.ts'
import { type InsideFlags, insideOptions, insideSettings, whole } from './options.ts'

export const readingOptions = () => [
  new Option(
    '--format <name>',
    'format of the files (default: by the suffix of each file, else csv)',
  ).choices(formatNames),
  ...insideOptions(),
  new Option(
    '--encoding <name>',
    'encoding of the files, such as windows-1252 (default: UTF-8, or what a byte order mark says)',
  ),
  new Option('--line-end <which>', 'cr: lines end with CR alone; lf: with LF or CR LF (default)').choices([
    'cr',
    'lf',
  ]),
  new Option('--skip-lines <n>', 'lines above the header to leave out').argParser(whole(0)),
  new Option('--footer-lines <n>', 'lines at the end to leave out').argParser(whole(0)),
  new Option(
    '--comment <character>',
    "leave out CSV lines that begin with it, for example '#', and empty lines",
  ),
  new Option('--delimiter <character>', "character between CSV cells (default: ','); '\\t' is a tab"),
  new Option('--quote <character>', "character around CSV cells (default: '\"'), or none"),
  new Option('--multiline', 'a CSV cell in quotes may go on in the next line (default)'),
  new Option(
    '--no-multiline',
    'CSV cells end with their line: a quote that it does not close is a fault of that record alone',
  ),
  new Option(
    '--escape <character>',
    "'\\': a backslash makes the next character of a CSV cell data; or none",
  ),
  new Option('--trim', 'spaces and tabs around CSV cells and their quotes are no part of them'),
  new Option('--no-trim', 'they are'),
  new Option(
    '--ragged <how>',
    'CSV records with another number of cells: reject them, trim empty cells at the end, or pad short ones too (default: reject)',
  ).choices(['reject', 'trim', 'pad']),
  new Option(
    '--blank-lines <how>',
    'empty lines between CSV records of several cells: reject them, or skip them, which counts them as skipped (default: reject)',
  ).choices(['reject', 'skip']),
  new Option(
    '--header-rows <n>',
    'rows of the CSV header; the names in one column are joined by a space (default: 1)',
  ).argParser(whole(0)),
  new Option('--no-header', "the files have no header; cells are in the order of the model's columns"),
  ...notationOptions(),
]

export interface ReadingFlags extends InsideFlags, NotationFlags {
  readonly format?: FormatName
  readonly encoding?: string
  readonly lineEnd?: 'cr' | 'lf'
  readonly skipLines?: number
  readonly footerLines?: number
  readonly comment?: string
  readonly delimiter?: string
  readonly quote?: string
  readonly multiline?: boolean
  readonly escape?: string
  readonly trim?: boolean
  readonly ragged?: 'reject' | 'trim' | 'pad'
  readonly blankLines?: 'reject' | 'skip'
  readonly headerRows?: number
  readonly header: boolean
}

/** What the flags say of every file; what they do not say is absent. */
export const readingSettings = (flags: ReadingFlags): Reading => ({
  ...(flags.format && { format: flags.format }),
  ...insideSettings(flags),
  ...(flags.encoding !== undefined && { encoding: flags.encoding }),
  ...(flags.lineEnd && { lineEnd: flags.lineEnd }),
  ...(flags.footerLines !== undefined && { footerLines: flags.footerLines }),
  dialect: dialectOf(flags),
  ...notationSettings(flags),
})

/** In double quotes, a shell may leave two backslashes. */
const escapes: Readonly<Record<string, string>> = { '\\\\': '\\', none: '' }

function dialectOf(flags: ReadingFlags): StatedDialect {
  const { skipLines, comment, delimiter, quote, multiline, escape, trim } = flags
  const { ragged, blankLines, headerRows, header } = flags
  return {
    ...(delimiter !== undefined && { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
    ...(quote !== undefined && { quote: quote === 'none' ? '' : quote }),
    ...(multiline !== undefined && { multiline }),
    ...(escape !== undefined && { escape: (escapes[escape] ?? escape) as '\\' }),
    ...(comment !== undefined && { comment }),
    ...(trim !== undefined && { trim }),
    ...(ragged !== undefined && { ragged }),
    ...(blankLines !== undefined && { blankLines }),
    ...(skipLines !== undefined && { skipLines }),
    ...(headerRows !== undefined && headerRows > 0 && { headerRows }),
    ...((!header || headerRows === 0) && { header: false }),
  }
}
