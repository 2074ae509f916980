/** A source without its last lines. */
import { lf } from '../../core/bytes.ts'
import { LadingError } from '../../core/errors.ts'
import { maxRecordBytes } from '../../core/load.ts'

/**
 * Holds back `lines` lines, which must not have more than 16 MiB, and drops them at the end. A line end ends
 * the line before it and begins none. Throws where a source that is not empty has fewer lines.
 */
export async function* withoutFooter(pieces: AsyncIterable<Buffer>, lines: number): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  let isAnyGiven = false
  for await (const piece of pieces) {
    const bytes = Buffer.concat([held, piece])
    const end = endBefore(bytes, lines + 1)
    held = Buffer.from(bytes.subarray(end))
    if (held.length > maxRecordBytes) {
      const limit = `${maxRecordBytes / 1024 / 1024} MiB`
      throw new LadingError('RECORD_TOO_LARGE', `${lines} lines of the footer have more than ${limit}`)
    }
    isAnyGiven ||= end > 0
    if (end > 0) yield bytes.subarray(0, end)
  }
  const isWhole = held.at(-1) === lf
  const end = endBefore(held, isWhole ? lines + 1 : lines)
  if (end > 0) yield held.subarray(0, end)
  else if (!isAnyGiven && held.length > 0 && linesOf(held) < lines)
    throw new LadingError(
      'SOURCE_MALFORMED',
      `it has ${linesOf(held)} lines, and --footer-lines ${lines} leaves out more`,
    )
}

/** Index after the `nth` LF from the end; 0 where there are fewer. */
function endBefore(bytes: Buffer, nth: number): number {
  let at = bytes.length
  for (let found = 0; found < nth; found++) {
    at = at === 0 ? -1 : bytes.lastIndexOf(lf, at - 1)
    if (at < 0) return 0
  }
  return at + 1
}

function linesOf(bytes: Buffer): number {
  let lines = bytes.at(-1) === lf ? 0 : 1
  for (const byte of bytes) if (byte === lf) lines++
  return lines
}
