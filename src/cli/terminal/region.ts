/**
 * Redraws the last lines of a terminal, while other lines scroll above them. The cursor stays visible at the
 * beginning of the line below, so that the terminal is intact however the process ends.
 */
import { stripVTControlCharacters } from 'node:util'
import { widthOf } from './width.ts'

export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): unknown
}

/** Some terminals do not report their size. */
export const sizeOf = ({ columns, rows }: Pick<Terminal, 'columns' | 'rows'>) => ({
  columns: columns || 80,
  rows: rows || 24,
})

const escape = '\u001b['
const clearLine = `${escape}K`
const clearBelow = `${escape}J`

export class Region {
  readonly #terminal: Terminal
  #lines: readonly string[] = []

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** No line may be wider than the terminal. Lines beyond its height are left out, the last ones first. */
  draw(lines: readonly string[]): void {
    // Terminals that rewrap lines when they become narrower drop trailing blanks.
    const fitting = lines.slice(0, Math.max(1, sizeOf(this.#terminal).rows - 1)).map((line) => line.trimEnd())
    if (fitting.length === this.#lines.length && fitting.every((line, index) => line === this.#lines[index]))
      return
    const start = this.#start()
    this.#lines = fitting
    // Overwriting flickers less than clearing first.
    this.#terminal.write(`${start}${fitting.map((line) => `${line}${clearLine}\n`).join('')}${clearBelow}`)
  }

  /** Writes whole lines above the drawing. */
  above(text: string): void {
    if (this.#lines.length === 0) return void this.#terminal.write(text)
    this.#terminal.write(
      `${this.#start()}${clearBelow}${text}${this.#lines.map((line) => `${line}\n`).join('')}`,
    )
  }

  /** Moves to the start of the first line, also after a narrower terminal has wrapped the lines. */
  #start(): string {
    const { columns, rows: most } = sizeOf(this.#terminal)
    const rows = this.#lines.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(widthOf(stripVTControlCharacters(line)) / columns)),
      0,
    )
    return rows === 0 ? '' : `\r${escape}${Math.min(rows, most)}A`
  }
}
