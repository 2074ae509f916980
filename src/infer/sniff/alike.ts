/**
 * A file whose lines are all alike is known by its first and last ones: every line has the same number of
 * cells, and none holds a mark that can be read in another way. Most large files are such.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { cr, hash, lf, space } from '../../core/bytes.ts'
import { counted } from '../../core/counted.ts'
import { nextBelow, viewOf } from '../../core/words.ts'
import type { Reading } from '../../format/reading.ts'
import { isText } from '../../format/text.ts'
import { mayTrim, strong } from './dialects.ts'
import { type Around, mostSeen, sniff, type Sniffed } from './sniff.ts'

/** As many as decide what the columns hold and what stands above them. */
const firstLines = 300
/** As many as decide the encoding. */
const leastBytes = 4096
/** Of the last lines. */
const lastBytes = 4096

/** What says how the file is read. */
const deciding = ['dialect', 'records', 'unwrap', 'encoding', 'lineEnd', 'footerLines'] as const

/**
 * What `sniff` finds, without a count of the lines. Undefined where the lines are not alike, where
 * the file has anything to decide but names in its first line, and where too few lines are spared.
 */
export function sniffAlike(
  head: Buffer,
  tail: Buffer | undefined,
  stated: Reading,
  around: Around = {},
): Sniffed | undefined {
  if (deciding.some((key) => stated[key] !== undefined)) return undefined
  const first = endOfLines(head)
  if (first < leastBytes || first * 2 > head.length) return undefined
  const lines = tail === undefined ? head : head.subarray(0, head.lastIndexOf(lf) + 1)
  if (!isUtf8(lines) || hasLoneCr(lines)) return undefined
  const found = sniff(head.subarray(0, first), (tail ?? head).subarray(-lastBytes), stated, around)
  const { dialect: { delimiter = '', quote, header, ...more } = {}, fields } = found
  const isUsual =
    found.questions.length === 0 &&
    found.encoding === undefined &&
    found.lineEnd === undefined &&
    strong.includes(delimiter) &&
    quote === '"' &&
    header === true &&
    Object.keys(more).length === 0
  if (!isUsual || mayTrim(head.toString('utf8', 0, first), delimiter, quote)) return undefined
  const seen = tail === undefined ? lines : lines.subarray(0, seenOf(lines))
  if (around.goal !== undefined && nullTexts.some((each) => seen.includes(each))) return undefined
  const mark = delimiter.charCodeAt(0)
  if (!areAlike(seen, mark, fields.length)) return undefined
  if (tail !== undefined && !areAlike(tail.subarray(tail.indexOf(lf) + 1), mark, fields.length))
    return undefined
  const because = `each line has ${counted(fields.length, 'cell')}`
  const decisions = found.decisions.map((each) => (each.about === 'delimiter' ? { ...each, because } : each))
  return { ...found, decisions }
}

/** Index behind the first lines; 0 where there are fewer. */
function endOfLines(head: Buffer): number {
  let end = 0
  for (let line = 0; line < firstLines; line++) {
    end = head.indexOf(lf, end) + 1
    if (end === 0) return 0
  }
  return end
}

const aboveCr = Math.imul(cr + 1, 0x01010101)

function hasLoneCr(bytes: Buffer): boolean {
  const view = viewOf(bytes)
  for (let at = 0; at < bytes.length; at++) {
    at = nextBelow(view, at, bytes.length, aboveCr)
    if (bytes[at] === cr && bytes[at + 1] !== lf) return true
  }
  return false
}

/** Index behind the lines of a larger file that `sniff` looks at; characters beyond ASCII have several bytes. */
const seenOf = (lines: Buffer): number =>
  isAscii(lines.subarray(0, mostSeen)) ? lines.lastIndexOf(lf, mostSeen) + 1 : lines.length

/** Of texts that often mean no value, which are asked about where there is a table. */
const nullTexts = ['NULL', 'null', '#N/']

/** Marks that can be read in another way than as the delimiter and line ends. */
const marks = [...strong, '"', "'", '\\'].map((each) => each.charCodeAt(0))

/** Of whole lines; the last one may have no line end. */
function areAlike(bytes: Buffer, delimiter: number, width: number): boolean {
  if (!isText(bytes) || marks.some((mark) => mark !== delimiter && bytes.includes(mark))) return false
  const { length } = bytes
  const view = viewOf(bytes)
  const above = Math.imul(Math.max(delimiter, lf) + 1, 0x01010101)
  let start = 0
  let cells = 1
  for (let at = 0; at < length; at++) {
    at = nextBelow(view, at, length, above)
    if (bytes[at] === delimiter) cells++
    else if (bytes[at] === lf) {
      if (cells !== width || !isRecord(bytes, start, at, delimiter)) return false
      start = at + 1
      cells = 1
    }
  }
  return start === length || (cells === width && isRecord(bytes, start, length, delimiter))
}

/** Whether a line is no remark and holds more than delimiters and blanks. Some characters beyond ASCII are blanks. */
function isRecord(bytes: Buffer, start: number, end: number, delimiter: number): boolean {
  if (bytes[start] === hash) return false
  let at = start
  while (at < end && !isInk(bytes[at] as number, delimiter)) at++
  return at < end
}

const isInk = (byte: number, delimiter: number): boolean =>
  byte > space && byte < 0x7f && byte !== delimiter && byte !== hash
