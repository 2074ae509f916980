/**
 * A file whose lines are all alike is known by its first and last ones: every line has the same number of
 * cells, and none holds a mark that can be read in another way. Most large files are such.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { cr, lf } from '../../core/bytes.ts'
import { counted } from '../../core/counted.ts'
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
  const kinds = kindsOf(delimiter)
  const seen = tail === undefined ? lines : lines.subarray(0, seenOf(lines))
  if (!areAlike(seen, kinds, fields.length)) return undefined
  if (tail !== undefined && !areAlike(tail.subarray(tail.indexOf(lf) + 1), kinds, fields.length))
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

/** What a byte says of its line: `mark` and what follows it is looked at. */
const [ink, blank, hash, mark, odd] = [0, 1, 2, 3, 4]

function kindsOf(delimiter: string): Uint8Array {
  const kinds = new Uint8Array(256)
  kinds.fill(blank, 0, 0x21)
  // Some characters beyond ASCII are blanks.
  kinds.fill(blank, 0x7f)
  kinds[0x23] = hash
  for (const each of [...strong, '"', "'"]) kinds[each.charCodeAt(0)] = odd
  kinds[delimiter.charCodeAt(0)] = mark
  kinds[lf] = mark
  return kinds
}

/** Of whole lines; the last one may have no line end. */
function areAlike(bytes: Buffer, kinds: Uint8Array, width: number): boolean {
  let start = 0
  let cells = 1
  for (let at = 0; at < bytes.length; at++) {
    const kind = kinds[bytes[at] as number] as number
    if (kind < mark) continue
    if (kind === odd) return false
    if (bytes[at] !== lf) cells++
    else {
      if (cells !== width || !isRecord(bytes, start, at, kinds)) return false
      cells = 1
      start = at + 1
    }
  }
  return start === bytes.length || (cells === width && isRecord(bytes, start, bytes.length, kinds))
}

/** Whether a line is no remark and holds more than blanks. */
function isRecord(bytes: Buffer, start: number, end: number, kinds: Uint8Array): boolean {
  const kind = kinds[bytes[start] as number]
  return kind === ink || (kind !== hash && bytes.subarray(start, end).some((byte) => kinds[byte] === ink))
}
