/**
 * A file whose lines are all alike is known by its first and last ones: every line has the same number of
 * cells, and none holds a mark that can be read in another way. Most large files are such.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { cr, hash, lf, space } from '../../core/bytes.ts'
import { counted } from '../../core/counted.ts'
import type { RecordReader } from '../../format/format.ts'
import { formatOf } from '../../format/registry.ts'
import type { Reading } from '../../format/reading.ts'
import { mayTrim, strong } from './dialects.ts'
import { type HeaderTable, mostSeen, sniff, type Sniffed } from './sniff.ts'

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
  goal?: HeaderTable,
): Sniffed | undefined {
  if (deciding.some((key) => stated[key] !== undefined)) return undefined
  const first = endOfLines(head)
  if (first < leastBytes || first * 2 > head.length) return undefined
  const lines = tail === undefined ? head : head.subarray(0, head.lastIndexOf(lf) + 1)
  if (!isUtf8(lines) || hasLoneCr(lines)) return undefined
  const found = sniff(head.subarray(0, first), (tail ?? head).subarray(-lastBytes), stated, goal)
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
  if (!areAlike(seen, delimiter, fields.length)) return undefined
  if (tail !== undefined && !areAlike(tail.subarray(tail.indexOf(lf) + 1), delimiter, fields.length))
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

function hasLoneCr(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(cr); at !== -1; at = bytes.indexOf(cr, at + 1))
    if (bytes[at + 1] !== lf) return true
  return false
}

/** Index behind the lines of a larger file that `sniff` looks at; characters beyond ASCII have several bytes. */
const seenOf = (lines: Buffer): number =>
  isAscii(lines.subarray(0, mostSeen)) ? lines.lastIndexOf(lf, mostSeen) + 1 : lines.length

/** Marks that can be read in another way than as the delimiter and line ends. */
const marks = [...strong, '"', "'"].map((each) => each.charCodeAt(0))

/** Of whole lines; the last one may have no line end. */
function areAlike(bytes: Buffer, delimiter: string, width: number): boolean {
  if (marks.some((mark) => mark !== delimiter.charCodeAt(0) && bytes.includes(mark))) return false
  const layout = { fields: Array.from({ length: width }, String), delimiter, quote: '"' }
  const reader = formatOf(layout)?.reader(layout, [], false) as RecordReader
  reader.open(bytes)
  while (reader.next())
    if (
      reader.fault !== undefined ||
      !isRecord(bytes, reader.recordStart, reader.recordEnd, delimiter.charCodeAt(0))
    )
      return false
  return true
}

/** Whether a line is no remark and holds more than delimiters and blanks. Some characters beyond ASCII are blanks. */
function isRecord(bytes: Buffer, start: number, end: number, delimiter: number): boolean {
  const isInk = (byte: number) => byte > space && byte < 0x7f && byte !== delimiter && byte !== hash
  return isInk(bytes[start] as number) || (bytes[start] !== hash && bytes.subarray(start, end).some(isInk))
}
