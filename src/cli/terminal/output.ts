/** Prints results to standard output, as tables or JSON. The log is in log.ts. */
import { count, counted } from '../../core/counted.ts'
import { codes, exits } from '../../core/errors.ts'
import type { LeftOut } from '../../core/load.ts'
import { secretName } from '../../core/url.ts'
import type { Account } from '../../sink/account.ts'
import { balance } from '../../sink/receipt.ts'
import type { Ledger, MessageCounts, Receipt } from '../../sink/ledger.ts'
import type { MissingIndexes } from '../../sink/sink.ts'
import { hint } from '../settings/hint.ts'
import { cutEnd, cutMiddle, padEnd, padStart, widthOf } from './width.ts'

/**
 * Removes user and password from URLs, which may be anywhere, for example in place of a path, and what their parameters
 * keep secret.
 */
export const withoutSecrets = (text: string): string =>
  text.replaceAll(/\S+/g, (word) => withoutUser(word).replaceAll(parameter, hidden))

const parameter = /(?<=[?&])([^=?&]+)=[^?&]*/g
const hidden = (given: string, name: string): string => (secretName.test(name) ? `${name}=***` : given)

function withoutUser(word: string): string {
  const scheme = /[a-z0-9+.-]:\/+/i.exec(word)
  const start = scheme === null ? word.length : scheme.index + scheme[0].length
  const end = word.lastIndexOf('@') + 1
  return end <= start ? word : word.slice(0, start) + word.slice(end)
}

/** Control characters, invisible characters, and those that change the text direction. */
// oxlint-disable-next-line no-control-regex
const steering = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** Escapes such characters: data from a file or queue must not control a terminal. */
export function visible(text: string, keep = ''): string {
  return text.replaceAll(steering, (character) => {
    if (keep.includes(character) && character !== '') return character
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

// oxlint-disable-next-line no-control-regex
const colour = /(\u001b\[[\d;]*m)/

/** Whatever a line is made of, it steers a terminal by no more than its colours. */
export const print = (line: string): void => {
  const parts = line.split(colour).map((part, index) => (index % 2 === 1 ? part : visible(part, '\n\t')))
  process.stdout.write(`${parts.join('')}\n`)
}

/** The escapes of `visible` are valid JSON too. */
export const printJson = (value: unknown): void => print(visible(JSON.stringify(value, jsonValue, 2), '\n'))

/** Bytes as text if they are text, for people; base64 otherwise. */
function jsonValue(_: string, value: unknown): unknown {
  if (
    value !== null &&
    typeof value === 'object' &&
    'type' in value &&
    value.type === 'Buffer' &&
    'data' in value
  ) {
    return bytesAsText(Buffer.from(value.data as number[]))
  }
  return value instanceof Uint8Array ? bytesAsText(Buffer.from(value)) : value
}

export function bytesAsText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : `base64:${bytes.toString('base64')}`
}

export { count, counted }

/** `2 lines above the header, 1 comment or empty line`. */
export const leftOutText = ({ preamble, comments, footer }: LeftOut): string =>
  [
    preamble > 0 ? `${counted(preamble, 'line')} above the header` : '',
    comments > 0 ? counted(comments, 'comment or empty line') : '',
    footer > 0 ? `${counted(footer, 'line')} at the end` : '',
  ]
    .filter((part) => part !== '')
    .join(', ')

/** ` in 0.4 s`, ` in 12.3 s (52,000 records/s)`; no rate for short runs, where it would measure the start. */
export function paceOf(records: number, ms: number): string {
  const pace = records > 0 && ms >= 1000 ? ` (${count(Math.round((records / ms) * 1000))} records/s)` : ''
  return ` in ${(ms / 1000).toFixed(1)} s${pace}`
}

/** Width of the terminal in columns; 80 if the output is not a terminal. */
export const outputWidth = (): number => process.stdout.columns ?? 80

/** How to shorten the columns of a table that is wider than the terminal. */
type Shorten = Readonly<Record<string, (text: string, columns: number) => string>>

/** A narrower text would be useless. */
const leastWidth = 8

/** Lines of a table with aligned columns; numbers are right-aligned. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  shorten: Shorten = {},
): string[] {
  const lines = [head, ...rows].map((row) =>
    row.map((cell) => (typeof cell === 'number' ? count(cell) : visible(cell))),
  )
  const widths = head.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))))
  const flexible = head.flatMap((name, column) => (shorten[name] === undefined ? [] : [column]))
  const all = () => widths.reduce((sum, width) => sum + width + gap.length, -gap.length)
  while (all() > outputWidth()) {
    const widest = flexible.reduce((most, column) => Math.max(most, widths[column] as number), 0)
    if (widest <= leastWidth) break
    widths[flexible.find((column) => widths[column] === widest) as number] = widest - 1
  }
  for (const line of lines.slice(1)) {
    for (const column of flexible)
      line[column] = shorten[head[column] as string]?.(line[column] ?? '', widths[column] as number) ?? ''
  }
  const right = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'),
  )
  return lines.map((line) =>
    line
      .map((cell, column) => (right[column] ? padStart : padEnd)(cell, widths[column] as number))
      .join(gap)
      .trimEnd(),
  )
}

const gap = '  '

/** The part of a load's id to show; `--load` accepts it. */
export const shortId = (loadId: string): string => loadId.slice(0, 8)

const columns = ['records', 'loaded', 'rejected', 'skipped', 'dead'] as const

/** A receipt as JSON, with the open records and any problems. */
export const receiptJson = (receipt: Receipt) => ({ ...receipt, ...balance(receipt) })

const numbersOf = (receipt: Receipt): number[] => [
  ...columns.map((name) => receipt[name]),
  balance(receipt).open,
]

export function printReceipts({ totals, first, needy }: Account): void {
  const isAll = totals.loads === first.length
  const shown = isAll ? first : needy
  const more = totals.loads - shown.length
  const sums = [...columns, 'open' as const].map((name) => totals[name])
  const rows = shown.map((receipt) => [shortId(receipt.loadId), receipt.source, ...numbersOf(receipt)])
  if (more > 0) {
    const shownSums = shown.map(numbersOf)
    const left = sums.map((sum, column) =>
      shownSums.reduce((rest, row) => rest - (row[column] as number), sum),
    )
    rows.push(['…', `${count(more)} more`, ...left])
  }
  if (totals.loads > 1) rows.push(['', 'all', ...sums])
  for (const line of table(['load', 'source', ...columns, 'open'], rows, { source: cutMiddle })) print(line)
  for (const receipt of shown) {
    for (const problem of balance(receipt).problems)
      print(`${shortId(receipt.loadId)}: DOES NOT ADD UP: ${problem}`)
  }
  if (more > 0) print(`${lookAt(shown.length, totals.needy)}; --json shows every load`)
}

function lookAt(shown: number, wanted: number): string {
  if (shown < wanted) return `${count(shown)} of ${count(wanted)} loads that need attention are shown`
  return wanted === 0
    ? 'no load needs attention'
    : `${counted(wanted, 'load')} ${wanted === 1 ? 'needs' : 'need'} attention`
}

export const noMessages: MessageCounts = { rejects: 0, openRejects: 0, deadLetters: 0, openDeadLetters: 0 }

/** The exit code for receipts, and for messages that belong to no load. Discarded entries do not count. */
export function receiptsExit(
  account: Account,
  allowRejects: boolean,
  {
    messages = noMessages,
    withheld = 0,
  }: { readonly messages?: MessageCounts; readonly withheld?: number } = {},
): number {
  const { totals } = account
  const isOver = withheld > 0 ? totals.open === withheld : account.isComplete
  if (!isOver || totals.wrong > 0) return exits.unbalanced
  const left = [totals, messages].some(
    ({ openRejects, openDeadLetters }) => openRejects > 0 || openDeadLetters > 0,
  )
  return left && !allowRejects ? exits.rejects : exits.ok
}

/** Without its indexes, a table may contain a row twice, which no receipt shows. */
export const missingLines = (missing: readonly MissingIndexes[]): string[] =>
  missing.map(
    ({ table: name, indexes }) =>
      `table ${visible(name)} LACKS ${count(indexes)} ${indexes === 1 ? 'index' : 'indexes'} that a load deferred to its end, and may contain duplicate rows: run that load again to build them, or to see why it cannot`,
  )

export interface Verdict {
  readonly missing?: readonly MissingIndexes[]
  /** Records that a limit leaves to a later run. */
  readonly withheld?: number
  /** Of no load, to which a dead letter belongs whose bytes were not kept. */
  readonly messages?: MessageCounts
}

/** Explains the numbers, and which commands show more. */
export function printVerdict(
  { totals, first }: Account,
  { missing = [], withheld = 0, messages = noMessages }: Verdict = {},
): void {
  const { loads, wrong, filtered } = totals
  const open = totals.open - withheld - totals.gathered
  if (wrong > 0) print(`${count(wrong)} of ${counted(loads, 'load')} DO NOT ADD UP`)
  const orDead = messages.openDeadLetters > 0 ? ', or a message is a dead letter' : ''
  if (open > 0)
    print(
      `${counted(open, 'record')} without a verdict yet: let consumers run; if a queue was lost${orDead}: ${hint('verify', '--republish-missing')}`,
    )
  if (totals.gathered > 0)
    print(
      `${counted(totals.gathered, 'record')} gathered to replace the rows of a table, which has none of them yet: a load --replace is at work, or was stopped and has to be run again`,
    )
  missingLines(missing).forEach(print)
  if (wrong === 0 && open + totals.gathered <= 0 && missing.length === 0 && loads > 0)
    print(withheld > 0 ? 'every load adds up, as far as it goes' : 'every load is complete and adds up')
  if (withheld > 0)
    print(`${counted(withheld, 'record')} left by --limit: the same command without it loads them`)
  if (filtered > 0)
    print(
      `${counted(filtered, 'record')} of the skipped left out on purpose, as the model, --skip-when, --blank-lines, a later --replace or an abandon says`,
    )
  // With one load, the command lists only its rejects.
  const only = first[0] !== undefined && loads === 1 ? ['--load', shortId(first[0].loadId)] : []
  const rejects = { all: totals.rejectRows, open: totals.openRejects }
  if (totals.rejected > 0)
    print(`${counted(totals.rejected, 'record')} rejected${decided(rejects, hint('rejects list', ...only))}`)
  const letters = { all: totals.deadLetters, open: totals.openDeadLetters }
  if (totals.dead > 0)
    print(`${counted(totals.dead, 'record')} in dead letters${decided(letters, hint('dead list'))}`)
}

/** What was not loaded from messages that belong to no load. */
export function messageLines({
  rejects,
  openRejects,
  deadLetters,
  openDeadLetters,
}: MessageCounts): string[] {
  const records = `${counted(rejects, 'record')} of messages rejected${decided({ all: rejects, open: openRejects }, hint('rejects list'))}`
  const letters = `${counted(deadLetters, 'message')} in dead letters${decided({ all: deadLetters, open: openDeadLetters }, hint('dead list'))}`
  return [...(rejects > 0 ? [records] : []), ...(deadLetters > 0 ? [letters] : [])]
}

/** Discarded entries count, but need no attention. */
function decided({ all, open }: { readonly all: number; readonly open: number }, command: string): string {
  if (open === 0 && all > 0) return ', and discarded'
  return `${open < all ? ` (${count(all - open)} discarded)` : ''}: ${command}`
}

const mostRejects = 3
const leastName = 12

/** Shows the first rejects, without the content of records. */
export async function printFirstRejects({ withRejects }: Account, ledger: Ledger): Promise<void> {
  let left = mostRejects
  for (const { loadId } of withRejects) {
    if (left === 0) return
    for (const { source, line, column, code } of await ledger.rejects({ loadId, limit: left })) {
      const what = `:${line}: ${code}${column === undefined ? '' : ` in ${visible(column)}`}: ${codes[code].meaning}`
      const name = cutMiddle(visible(source), Math.max(leastName, outputWidth() - 2 - widthOf(what)))
      print(cutEnd(`  ${name}${what}`, outputWidth()))
      left--
    }
  }
}
