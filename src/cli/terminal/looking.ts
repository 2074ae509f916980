/** Says on standard error what `lading doctor` looks at, until its findings are printed. */
import type { Subject } from '../../core/finding.ts'
import { duration, noteLine } from './bars.ts'
import { isForPeople, say, writeThrough } from './log.ts'
import { isTerminal } from './progress.ts'
import { Region, sizeOf } from './region.ts'

export interface Looking extends Disposable {
  at(subject: Subject): void
}

const sentences: Readonly<Record<Subject, string>> = {
  machine: 'looking at this machine',
  queue: 'looking at the queue',
  database: 'looking at the database',
  files: 'looking at the files',
  table: 'looking at the table, and measuring how fast it takes records',
}

/** Without a terminal, what is over sooner needs no word. */
const silentMs = 2_000
const drawEveryMs = 1_000

export const looking = (): Looking =>
  isTerminal(process.stderr) && isForPeople('info') ? new Line(process.stderr) : new Words()

/** A line that moves, and goes when all is done. */
class Line implements Looking {
  readonly #terminal: NodeJS.WriteStream
  readonly #region: Region
  readonly #timer: NodeJS.Timeout
  readonly #since = performance.now()
  #sentence = ''

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal
    this.#region = new Region(terminal)
    this.#timer = setInterval(() => this.#draw(), drawEveryMs).unref()
    writeThrough((text) => this.#region.above(text))
  }

  at(subject: Subject): void {
    this.#sentence = sentences[subject]
    this.#draw()
  }

  #draw(): void {
    const line = `${this.#sentence} (${duration(performance.now() - this.#since)})`
    this.#region.draw([noteLine(line, sizeOf(this.#terminal).columns)])
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#region.draw([])
    writeThrough(undefined)
  }
}

/** One line of the log for each subject, from when it takes long on. */
class Words implements Looking {
  readonly #timer: NodeJS.Timeout
  readonly #since = performance.now()
  #subject: Subject | undefined

  constructor() {
    this.#timer = setTimeout(() => this.#say(), silentMs).unref()
  }

  at(subject: Subject): void {
    this.#subject = subject
    if (performance.now() - this.#since >= silentMs) this.#say()
  }

  #say(): void {
    clearTimeout(this.#timer)
    if (this.#subject !== undefined) say('info', 'looking', { at: this.#subject }, sentences[this.#subject])
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
