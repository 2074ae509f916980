/** Shows a reject like a compiler error: the place, and the row with the fault marked. */
import { lf } from '../../core/bytes.ts'
import { styleText } from 'node:util'
import { codes } from '../../core/errors.ts'
import { formatOf } from '../../format/registry.ts'
import type { StoredReject } from '../../sink/ledger.ts'
import { hint } from '../settings/hint.ts'
import { count, shortId, visible } from './output.ts'
import { cutEnd, cutStart, widthOf, wrapped } from './width.ts'

/** Lines to show of a record without a known place. */
const mostLines = 3

/** A physical line of a record: the marked part, and the text before and after it. */
interface MarkedLine {
  readonly line: number
  readonly before: Buffer
  readonly marked: Buffer
  readonly after: Buffer
}

/**
 * `file:line:column`, as editors and terminals use it; the column is 1-based, in characters, and left out
 * where the record may begin in the middle of its line.
 */
export function placeOf(reject: StoredReject): string {
  const place = placeIn(reject)
  const { source, line, layout } = reject
  if (place === undefined) return `${visible(source)}:${line}`
  const beginsLine = layout === undefined || formatOf(layout)?.beginsLine?.(layout) !== false
  if (place.line === line && !beginsLine) return `${visible(source)}:${line}`
  return `${visible(source)}:${place.line}:${[...place.before.toString('utf8')].length + 1}`
}

export interface Beside {
  /** How a person loads the record once it is correct. */
  readonly replay: string
  /** How many other records of the load failed in the same way, and the command that lists them. */
  readonly others: { readonly count: number; readonly command: string }
}

export function diagnostic(reject: StoredReject, width: number, { replay, others }: Beside): string[] {
  const { code, detail, record, byte, loadId, state, edited } = reject
  const { advice } = codes[code]
  const load = loadId === undefined ? '' : `, load ${shortId(loadId)}`
  return [
    ...headOf(reject, width),
    ...rowsOf(reject, width),
    ...wrapped(visible(detail), width, '  '),
    ...wrapped(`help: ${advice}`, width, '  '),
    // Do not wrap commands: they are for pasting.
    ...(state === 'open'
      ? [`  edit the record: ${hint('rejects edit', reject.id)}`, `  then ${replay}`]
      : []),
    ...(edited === undefined ? [] : ['  shows the corrected record; rejects export has the original']),
    ...(others.count === 0
      ? []
      : [
          `  ${count(others.count)} ${others.count === 1 ? 'other' : 'others'} failed the same way: ${visible(others.command)}`,
        ]),
    `  reject ${reject.id}, ${state}: record ${count(record)}, at byte ${count(byte)} of the source${load}`,
  ]
}

function headOf(reject: StoredReject, width: number): string[] {
  const { code, column } = reject
  const { meaning } = codes[code]
  const place = placeOf(reject)
  const of = column === undefined ? '' : ` in ${visible(column)}`
  const what = `${code}${of}: ${meaning}`
  if (widthOf(`${place}: ${what}`) > width) return [`${paint('bold', place)}:`, ...wrapped(what, width, '  ')]
  return [`${paint('bold', place)}: ${paint('red', code)}${of}: ${meaning}`]
}

function rowsOf(reject: StoredReject, width: number): string[] {
  const place = placeIn(reject)
  const shown = place === undefined ? firstLines(reject) : [place]
  const gutter = String(shown.at(-1)?.line).length
  const room = Math.max(20, width - gutter - 5)
  const rows = shown.flatMap((each) => {
    const { row, indent, length } = fit(each, room)
    const head = `  ${String(each.line).padStart(gutter)} | ${row}`.trimEnd()
    return place === undefined
      ? [head]
      : [head, `  ${' '.repeat(gutter)} | ${' '.repeat(indent)}${paint('red', '^'.repeat(length))}`]
  })
  return rows
}

/** The line where the span begins; a span over several lines is marked only there. */
function placeIn({ raw, edited, span, line }: StoredReject): MarkedLine | undefined {
  if (span === undefined) return undefined
  const text = Buffer.from(edited ?? raw)
  const { start } = span
  const lineStart = start === 0 ? 0 : text.lastIndexOf(lf, start - 1) + 1
  const lineEnd = endOfLine(text, start)
  const end = Math.min(Math.max(start, span.end), lineEnd)
  return {
    line: line + countLines(text.subarray(0, lineStart)),
    before: text.subarray(lineStart, start),
    marked: text.subarray(start, end),
    after: text.subarray(end, lineEnd),
  }
}

function firstLines({ raw, edited, line }: StoredReject): MarkedLine[] {
  const text = Buffer.from(edited ?? raw)
  const lines: MarkedLine[] = []
  for (let start = 0; start <= text.length && lines.length < mostLines;) {
    const end = endOfLine(text, start)
    lines.push({
      line: line + lines.length,
      before: Buffer.alloc(0),
      marked: Buffer.alloc(0),
      after: text.subarray(start, end),
    })
    start = end + 1
  }
  return lines
}

function endOfLine(text: Buffer, from: number): number {
  const end = text.indexOf(lf, from)
  return end < 0 ? text.length : end
}

const countLines = (text: Buffer): number => text.reduce((lines, byte) => lines + (byte === lf ? 1 : 0), 0)

/**
 * Fits a line into `room` columns around the marked cell; returns the text and the caret's column and length.
 */
function fit(
  { before, marked, after }: MarkedLine,
  room: number,
): { row: string; indent: number; length: number } {
  const [left, middle, right] = [before, marked, after].map(shownText) as [string, string, string]
  const cell = cutEnd(middle, Math.floor(room * 0.6))
  const spare = room - widthOf(cell)
  const kept = cutStart(left, Math.max(spare - widthOf(right), Math.floor(spare / 2)))
  const row = kept + cell + cutEnd(right, Math.max(1, spare - widthOf(kept)))
  return { row, indent: widthOf(kept), length: Math.max(1, widthOf(cell)) }
}

const shownText = (bytes: Buffer): string => visible(bytes.toString('utf8').replaceAll('\t', '    '))

/** Colours only on a terminal, and not with NO_COLOR. */
const paint = (style: 'bold' | 'red', text: string): string =>
  styleText(style, text, { stream: process.stdout })
