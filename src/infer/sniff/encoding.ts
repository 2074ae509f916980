/** From bytes to text: which encoding a file has, and which line ends. */
import { isUtf8 } from 'node:buffer'
import { cr, lf } from '../../core/bytes.ts'
import type { Encoding } from '../../core/encoding.ts'
import type { Reading } from '../../format/reading.ts'
import { counted } from '../../core/counted.ts'
import type { Findings } from './findings.ts'

/** The text of a file's head and tail, with LF or CR LF as line ends. */
export interface Texts {
  readonly head: string
  /** From the first line that begins in it. */
  readonly tail: string | undefined
}

type Written = Pick<Reading, 'encoding' | 'lineEnd'>

export function textsOf(
  head: Buffer,
  tail: Buffer | undefined,
  stated: Written,
  found: Findings,
): { texts: Texts; written: Written } {
  const encoding = stated.encoding ?? encodingOf(head, tail !== undefined, found)
  const decoder = new TextDecoder(encoding ?? 'utf-8')
  const whole = decoder.decode(head)
  const lineEnd = stated.lineEnd ?? lineEndOf(whole, found)
  const lines = (text: string) => (lineEnd === 'cr' ? text.replace(/\r{1,2}\n|\r/g, '\n') : text)
  const texts = {
    head: tail === undefined ? lines(whole) : untilLastLine(lines(whole)),
    tail:
      tail === undefined
        ? undefined
        : fromFirstLine(lines(new TextDecoder(encoding).decode(evenly(tail, encoding)))),
  }
  const written = { ...(encoding !== undefined && { encoding }), ...(lineEnd !== undefined && { lineEnd }) }
  return { texts, written }
}

/** Undefined for UTF-8, and where a mark says what it is. */
function encodingOf(head: Buffer, isCut: boolean, found: Findings): Encoding | undefined {
  const marked = encodingByMark(head)
  if (marked !== undefined) {
    found.decide('encoding', marked.toUpperCase(), 'a byte order mark says so', 1)
    return marked === 'utf-8' ? undefined : marked
  }
  const wide = encodingByNuls(head)
  if (wide !== undefined) {
    found.decide('encoding', wide.toUpperCase(), 'every other byte of its beginning is a NUL', 1)
    return wide
  }
  if (isUtf8(head) || (isCut && isUtf8UpToCut(head))) return undefined
  askForEncoding(head, found)
  return 'windows-1252'
}

/** The last character may be cut. */
const isUtf8UpToCut = (head: Buffer): boolean => [1, 2, 3].some((cut) => isUtf8(head.subarray(0, -cut)))

function encodingByMark(head: Buffer): Encoding | undefined {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  return undefined
}

/** Bytes that are looked at for NULs. */
const beginning = 4096
/** A share of NULs at odd or even places that only UTF-16 has; text beyond Latin has fewer of them. */
const wideShare = 0.4

function encodingByNuls(head: Buffer): Encoding | undefined {
  // The ASCII that a file begins with shows it at once.
  if (head.length > 1 && (head[0] === 0) !== (head[1] === 0)) return head[0] === 0 ? 'utf-16be' : 'utf-16le'
  const start = head.subarray(0, beginning)
  const half = start.length / 2
  if (half < 2 || !start.includes(0)) return undefined
  let even = 0
  let odd = 0
  for (const [at, byte] of start.entries()) {
    if (byte !== 0) continue
    if (at % 2 === 0) even++
    else odd++
  }
  if (odd > half * wideShare && even < half * 0.05) return 'utf-16le'
  if (even > half * wideShare && odd < half * 0.05) return 'utf-16be'
  return undefined
}

/** Shows one line that is not UTF-8 as Windows-1252 reads it. */
function askForEncoding(head: Buffer, found: Findings): void {
  let line = 1
  for (let start = 0; start < head.length; line++) {
    const next = head.indexOf(lf, start)
    const end = next === -1 ? head.length : next
    const bytes = head.subarray(start, end)
    if (!isUtf8(bytes)) return found.ask('this line is not UTF-8', line, encodingReadings(bytes))
    start = end + 1
  }
}

/** Characters shown of a word. */
const mostShown = 40

function encodingReadings(line: Buffer) {
  const word = (encoding: string) => {
    const text = new TextDecoder(encoding).decode(line)
    const at = text.search(/[^ -~\t]/)
    const start = Math.max(text.slice(0, at).search(/(?<![^\s,;|"'])[^\s,;|"']*$/), at - mostShown / 2)
    return (/^[^\s,;|"']*/.exec(text.slice(start))?.[0] ?? '').slice(0, mostShown)
  }
  return [
    { option: '--encoding windows-1252', meaning: `reads ${JSON.stringify(word('windows-1252'))}` },
    { option: '--encoding utf-8', meaning: 'rejects such records' },
  ]
}

/** `cr` where most lines end with CR alone, or with CR CR LF. */
function lineEndOf(text: string, found: Findings): 'cr' | undefined {
  if (!text.includes('\r') || !/\r(?!\n)/.test(text)) return undefined
  let alone = 0
  let feeds = 0
  let doubled = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) isQuoted = !isQuoted
    else if (isQuoted) continue
    else if (code === lf) feeds++
    else if (code === cr && text.charCodeAt(at + 1) !== lf) {
      alone++
      if (text.startsWith('\r\n', at + 1)) doubled++
    }
  }
  if (doubled * 2 > feeds) {
    found.decide('line end', 'CR CR LF', `it ends ${doubled} of ${counted(feeds, 'line')}`, 1)
    return 'cr'
  }
  if (alone <= feeds) return undefined
  if (feeds === 0 && !/\r[^\r\n]/.test(text)) return undefined
  const lines = feeds === 0 ? 'no line ends with LF' : `CR alone ends ${alone} lines and LF ${feeds}`
  found.decide('line end', 'CR alone', lines, 1)
  return 'cr'
}

const untilLastLine = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1) || text
const fromFirstLine = (text: string): string => text.slice(text.indexOf('\n') + 1)

/** Two bytes a character: a tail begins between two of them if the file's length is odd, which it never is. */
const evenly = (tail: Buffer, encoding: string | undefined): Buffer =>
  encoding?.startsWith('utf-16') && tail.length % 2 === 1 ? tail.subarray(1) : tail
