/**
 * Shows how a run goes: bars at a terminal, a line now and then elsewhere. observe/progress.ts counts what is
 * shown; bars.ts and region.ts draw it.
 */
import { styleText } from 'node:util'
import { type Listener, tellAll } from '../../core/events.ts'
import { Progress, type ProgressSnapshot } from '../../observe/progress.ts'
import {
  type Bar,
  badOf,
  barLines,
  byteCount,
  duration,
  noteLine,
  type Paint,
  percentOf,
  remaining,
} from './bars.ts'
import { isForPeople, say, writeThrough } from './log.ts'
import { count, counted } from './output.ts'
import { Region, sizeOf } from './region.ts'
import { reporter } from './report.ts'

export type Shown = 'load' | 'produce' | 'consume' | 'verify'

export interface Reporting extends Disposable {
  readonly onEvent: Listener
  /** Shows what goes on when there is no event for it. */
  note(text: string): void
}

/** As fast as an eye follows. */
const drawEveryMs = 100
/** Without bars: seldom enough for a mail of cron, and often enough to see that the run is alive. */
const sayEveryMs = 30_000
/** Bars of single loads, below the one of all. */
const mostBars = 5

/**
 * Logs events and shows progress until it is disposed; then a last picture stays, and results may be printed.
 */
export function reporting(shown: Shown): Reporting {
  const progress = new Progress(shown === 'load' || shown === 'consume' ? 'verdict' : 'queue')
  const display =
    isTerminal(process.stderr) && isForPeople('info')
      ? new Bars(shown, progress, process.stderr)
      : new Lines(shown, progress)
  const onEvent = tellAll(progress.tell, reporter(display instanceof Bars))
  return { onEvent, note: (text) => display.note(text), [Symbol.dispose]: () => display[Symbol.dispose]() }
}

export const isTerminal = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY && process.env['TERM'] !== 'dumb'

/** Colours where the stream has them, and neither `NO_COLOR` nor a pipe forbids them. */
export const paintOn =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream })

/** Bars on standard error. */
class Bars implements Disposable {
  readonly #shown: Shown
  readonly #progress: Progress
  readonly #terminal: NodeJS.WriteStream
  readonly #region: Region
  readonly #timer: NodeJS.Timeout
  #note = ''
  #state: 'new' | 'drawn' | 'over' = 'new'

  constructor(shown: Shown, progress: Progress, terminal: NodeJS.WriteStream) {
    this.#shown = shown
    this.#progress = progress
    this.#terminal = terminal
    this.#region = new Region(terminal)
    this.#timer = setInterval(() => this.#draw(), drawEveryMs).unref()
    writeThrough((text) => this.#region.above(text))
  }

  note(text: string): void {
    this.#note = text
  }

  #draw(isOver = false): void {
    this.#state = isOver ? 'over' : 'drawn'
    const { columns, rows } = sizeOf(this.#terminal)
    const view = {
      shown: this.#shown,
      note: this.#note,
      columns,
      rows,
      paint: paintOn(this.#terminal),
      isOver,
    }
    this.#region.draw(progressLines(this.#progress, view))
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    // What was over at once needs no picture; and below the last one there may be results already.
    if (this.#state === 'drawn') this.#draw(true)
    writeThrough(undefined)
  }
}

/** A line now and then. */
class Lines implements Disposable {
  readonly #timer: NodeJS.Timeout
  #note = ''

  constructor(shown: Shown, progress: Progress) {
    let batches = 0
    this.#timer = setInterval(() => {
      const snapshot = progress.snapshot()
      // A consumer that has nothing to do has nothing to say.
      if (shown === 'consume' && snapshot.batches === batches) return
      batches = snapshot.batches
      sayProgress(snapshot, shown, this.#note)
    }, sayEveryMs).unref()
  }

  note(text: string): void {
    this.#note = text
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

export interface View {
  readonly shown: Shown
  readonly note: string
  readonly columns: number
  readonly rows: number
  readonly paint: Paint
  /** The run has ended: nothing goes on any more. */
  readonly isOver: boolean
}

export function progressLines(
  progress: Progress,
  { shown, note, columns, rows, paint, isOver }: View,
): string[] {
  const snapshot = progress.snapshot()
  const { found } = snapshot.files
  const notes = isOver ? [] : notesOf(snapshot, shown, note)
  const most = Math.max(0, Math.min(mostBars, rows - 2 - notes.length))
  const loads = found > 0 && found <= mostBars ? progress.loads() : progress.atWork(most)
  const single = loads.slice(0, most).map((load) => ({ ...load, name: load.source, expected: load.records }))
  const overall = overallBar(snapshot, shown)
  const bars = [...(overall === undefined || (found === 1 && single.length > 0) ? [] : [overall]), ...single]
  return [...barLines(bars, columns, paint), ...notes.map((text) => paint('yellow', noteLine(text, columns)))]
}

function overallBar({ all, expected, files, batches }: ProgressSnapshot, shown: Shown): Bar | undefined {
  if (files.found === 0) {
    if (all.done + all.rejected + all.dead + batches === 0) return undefined
    return {
      ...all,
      name: shown === 'consume' ? `${count(batches)} ${batches === 1 ? 'batch' : 'batches'}` : 'published',
    }
  }
  if (files.planned === 0) return undefined
  const isKnown = expected.records > 0 || files.planned === files.found
  const name = `${count(files.done)} of ${counted(files.found, 'file')}`
  return { ...all, name, expected: isKnown ? expected.records : undefined, isEstimate: expected.isEstimate }
}

/** What goes on beside the bars, the most important first. */
function notesOf(
  { files, planning, building, waiting, batches, elapsedMs }: ProgressSnapshot,
  shown: Shown,
  note: string,
): string[] {
  const notes: string[] = []
  if (waiting !== undefined)
    notes.push(`waiting for ${duration(waiting.ms)}: ${waiting.code}: ${waiting.message}`)
  if (building !== undefined)
    notes.push(`building the indexes of ${building.table} (${duration(building.ms)})`)
  if (planning !== undefined && (planning.bytes > 0 || files.planned === 0)) {
    const { source, bytes, size } = planning
    const whole = bytes > 0 && bytes <= size && !/\.(gz|zst)$/i.test(source) ? ` of ${byteCount(size)}` : ''
    notes.push(`reading and checking ${source}${bytes > 0 ? `: ${byteCount(bytes)}${whole}` : ''}`)
  }
  if (note !== '') notes.push(`${note} (${duration(elapsedMs)})`)
  else if (notes.length === 0 && shown === 'consume' && batches === 0)
    notes.push(`no message yet (${duration(elapsedMs)})`)
  else if (notes.length === 0 && shown !== 'consume' && files.found === 0)
    notes.push(`starting (${duration(elapsedMs)})`)
  return notes
}

/** The same in one line, for a log. */
export function sayProgress(snapshot: ProgressSnapshot, shown: Shown, note = ''): void {
  const { all, expected, files, batches } = snapshot
  const { done, rejected, dead, rate, bytesDone } = all
  const bar = overallBar(snapshot, shown)
  const share = bar === undefined ? undefined : percentOf(bar)
  const total =
    share === undefined ? '' : ` of ${expected.isEstimate ? '~' : ''}${count(expected.records)} (${share})`
  const parts = [
    bar === undefined ? '' : `${counted(done, 'record')}${total}`,
    files.found > 1 ? `${count(files.done)} of ${count(files.found)} files` : '',
    bar === undefined || rate < 1 ? '' : `${count(Math.round(rate))}/s`,
    badOf(rejected, dead),
    bar === undefined ? '' : remaining(bar),
    ...notesOf(snapshot, shown, note),
  ]
  const fields = {
    done,
    rejected,
    dead,
    bytes: bytesDone,
    rate: Math.round(rate),
    batches,
    expected: expected.records,
    files,
  }
  say('info', 'progress', fields, `progress: ${parts.filter((part) => part !== '').join(', ')}`)
}
