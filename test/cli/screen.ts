/**
 * What a terminal of so many columns and rows shows of what was written to it: the few codes that are used,
 * and wrapping.
 */
import { widthOf } from '../../src/cli/terminal/width.ts'

// oxlint-disable-next-line no-control-regex
const token = /\u001b\[\??(\d*)([A-Za-z])|[^]/gu

export class Screen {
  readonly columns: number
  readonly rows: number
  /** Everything from the first line on, what has scrolled away too. */
  readonly lines: string[] = ['']
  readonly unknown: string[] = []
  #row = 0
  #column = 0

  constructor(columns: number, rows = 24) {
    this.columns = columns
    this.rows = rows
  }

  write(text: string): void {
    for (const [whole, number, code] of text.matchAll(token)) {
      if (code === undefined) this.#put(whole)
      else this.#obey(Number(number === '' ? 1 : number), code, whole)
    }
  }

  /** What stands there, without the empty line of the cursor. */
  get text(): string[] {
    return this.lines
      .map((line) => line.trimEnd())
      .filter((line, index) => line !== '' || index < this.lines.length - 1)
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0
    else if (character === '\n') this.#newLine()
    else {
      const width = widthOf(character)
      if (this.#column + width > this.columns) this.#newLine()
      const line = (this.lines[this.#row] ?? '').padEnd(this.#column)
      this.lines[this.#row] =
        line.slice(0, this.#column) + character + line.slice(this.#column + character.length)
      this.#column += width
    }
  }

  #newLine(): void {
    this.#column = 0
    this.#row++
    while (this.lines.length <= this.#row) this.lines.push('')
  }

  #obey(number: number, code: string, whole: string): void {
    const top = Math.max(0, this.lines.length - this.rows)
    if (code === 'A') this.#row = Math.max(top, this.#row - number)
    else if (code === 'K') this.lines[this.#row] = (this.lines[this.#row] ?? '').slice(0, this.#column)
    else if (code === 'J') {
      this.lines[this.#row] = (this.lines[this.#row] ?? '').slice(0, this.#column)
      this.lines.length = this.#row + 1
    } else if (code !== 'm') this.unknown.push(whole)
  }
}
