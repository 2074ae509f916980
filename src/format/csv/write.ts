/** Writes a text as a cell that reads as this text again. */
import type { RecordDialect } from './dialect.ts'

/**
 * The text as cell number `cell` of a record. Undefined where the dialect has no way to write it: without
 * quotes and backslashes, a cell cannot hold a delimiter or a line end, and where no cell goes on in the next
 * line, none can hold a line end.
 */
export function writeCell(
  text: string,
  dialect: RecordDialect,
  cell: number,
  inQuotes: boolean,
): string | undefined {
  const isLiteral = isLiteralText(text, dialect, cell)
  if (isLiteral && !inQuotes) return text
  if (dialect.multiline === false && text.includes('\n')) return undefined
  if (dialect.quote !== '') return quotedText(text, dialect)
  return dialect.escape === undefined ? undefined : escapedText(text, dialect, cell)
}

/** Whether the text may stand as it is, without quotes. */
function isLiteralText(text: string, dialect: RecordDialect, cell: number): boolean {
  const { delimiter, quote, escape, comment, ragged, trim } = dialect
  // Alone in its record, it would be a line without anything.
  if (text === '' && cell === 0 && ragged === 'pad') return quote === ''
  if (text.includes(delimiter) || /[\r\n]/.test(text)) return false
  if (quote !== '' && text.includes(quote)) return false
  if (escape !== undefined && text.includes(escape)) return false
  if (comment !== undefined && cell === 0 && text.startsWith(comment)) return false
  return trim === undefined || !/^[ \t]|[ \t]$/.test(text)
}

function quotedText(text: string, { quote, escape }: RecordDialect): string {
  const content =
    escape === undefined
      ? text.replaceAll(quote, quote + quote)
      : text.replaceAll(escape, escape + escape).replaceAll(quote, escape + quote)
  return `${quote}${content}${quote}`
}

const letters: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escapedText(text: string, { delimiter, comment, trim }: RecordDialect, cell: number): string {
  const escaped = Array.from(text, (character, index) => {
    const isEdge = index === 0 || index === text.length - 1
    const mustBe =
      character === delimiter ||
      character === '\\' ||
      (character === comment && cell === 0 && index === 0) ||
      (trim === true && isEdge && /[ \t]/.test(character))
    return letters[character] ?? (mustBe ? `\\${character}` : character)
  })
  return escaped.join('')
}
