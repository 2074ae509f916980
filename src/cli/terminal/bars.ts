/** Lines of progress for so many columns: text from numbers, without a terminal or a clock. */
import type { Extent } from '../../observe/progress.ts'
import { count, counted, visible, withoutSecrets } from './output.ts'
import { cutEnd, cutMiddle, padEnd, padStart, widthOf } from './width.ts'

export interface Bar extends Extent {
  readonly name: string
  /** Records that there will be, and whether that is a guess; undefined where it is unknown. */
  readonly expected?: number | undefined
  readonly isEstimate?: boolean
}

/** Makes text coloured, or leaves it as it is: no meaning is in the colour alone. */
export type Paint = (style: 'green' | 'yellow' | 'dim', text: string) => string

/** From so many columns on, numbers are written out. */
const roomy = 120
const gap = '  '
/** Of a name, at a terminal of the usual width, and at less. */
const [shortName, shortestName, narrow] = [14, 8, 60]
const longestName = 48
const shortestTrack = 6
const longestTrack = 40
/** A terminal that goes on in the next line when the last column is filled would be a line off. */
const margin = 1

const columnNames = ['percent', 'records', 'bytes', 'rate', 'left', 'bad'] as const
type Column = (typeof columnNames)[number]
/** What a narrow terminal does without, the first one first. */
const dispensable: readonly (Column | 'track')[] = [
  'bytes',
  'rate',
  'records',
  'track',
  'left',
  'bad',
  'percent',
]

/** A line for each bar, its columns under those of the others, none wider than the terminal. */
export function barLines(bars: readonly Bar[], columns: number, paint: Paint): string[] {
  const width = columns - margin
  const rows = bars.map((bar) => ({
    bar,
    name: visible(withoutSecrets(bar.name)),
    cells: cellsOf(bar, columns >= roomy),
  }))
  const hasTrack = bars.some(({ expected }) => expected !== undefined)
  const widthOfColumn = (column: Column) => Math.max(0, ...rows.map(({ cells }) => widthOf(cells[column])))
  let kept: readonly (Column | 'track')[] = [
    ...(hasTrack ? (['track'] as const) : []),
    ...columnNames.filter(widthOfColumn),
  ]
  const longest = Math.max(0, ...rows.map(({ name }) => widthOf(name)))
  const least = columns < narrow ? shortestName : Math.max(shortestName, Math.min(shortName, longest))
  const taken = () =>
    kept.reduce(
      (sum, column) => sum + gap.length + (column === 'track' ? shortestTrack + 2 : widthOfColumn(column)),
      least,
    )
  for (const column of dispensable) if (taken() > width) kept = kept.filter((each) => each !== column)
  const spare = Math.max(0, width - taken())
  const nameWidth = Math.min(
    Math.max(least, longest),
    longestName,
    least + spare,
    Math.max(least, Math.floor(width / 4)),
  )
  const track = Math.min(longestTrack, shortestTrack + spare - (nameWidth - least))
  return rows.map(({ bar, name, cells }) => {
    const parts = kept.map((column) => {
      if (column === 'track') return trackOf(bar, track, paint)
      const cell = padStart(cells[column], widthOfColumn(column))
      return column === 'bad' && cell.trim() !== '' ? paint('yellow', cell) : cell
    })
    const line = [padEnd(cutMiddle(name, nameWidth), nameWidth), ...parts].join(gap)
    return kept.length === 0 ? cutEnd(name, Math.max(0, width)) : line
  })
}

/** A line that says what is going on, cut to the width. */
export const noteLine = (text: string, columns: number): string =>
  cutEnd(visible(withoutSecrets(text)), Math.max(0, columns - margin))

function cellsOf(bar: Bar, isRoomy: boolean): Readonly<Record<Column, string>> {
  const { done, rejected, dead, bytes, bytesDone, rate, expected, isEstimate } = bar
  const number = isRoomy ? count : shortCount
  const all = `${isEstimate === true ? '~' : ''}${number(expected ?? 0)}`
  return {
    percent: percentOf(bar) ?? '',
    records:
      expected === undefined
        ? counted(done, 'record')
        : isRoomy
          ? `${number(done)} of ${all}`
          : `${number(done)}/${all}`,
    bytes: bytesDone === 0 && bytes === 0 ? '' : byteCount(bytesDone),
    rate: rate < 1 || done === expected ? '' : `${number(Math.round(rate))}/s`,
    left: remaining(bar),
    bad: badOf(rejected, dead, number),
  }
}

/** Between 0 and 1; done where there is nothing to do. */
function shareOf({ done, expected, isEstimate }: Bar): number | undefined {
  if (expected === undefined) return undefined
  // What is guessed may be less than what there is.
  return expected === 0 ? 1 : Math.min(isEstimate === true ? 0.99 : 1, done / expected)
}

export function percentOf(bar: Bar): string | undefined {
  const share = shareOf(bar)
  return share === undefined ? undefined : `${Math.floor(share * 100)} %`
}

function trackOf(bar: Bar, length: number, paint: Paint): string {
  const share = shareOf(bar)
  if (share === undefined) return ' '.repeat(length + 2)
  const full = Math.floor(share * length)
  return `[${paint('green', '#'.repeat(full))}${paint('dim', '-'.repeat(length - full))}]`
}

export function remaining({ done, expected, rate }: Bar): string {
  if (expected === undefined || done >= expected || rate < 1) return ''
  return `${duration(((expected - done) / rate) * 1000)} left`
}

export function badOf(rejected: number, dead: number, number: (value: number) => string = count): string {
  return [
    ...(rejected > 0 ? [`${number(rejected)} rejected`] : []),
    ...(dead > 0 ? [`${number(dead)} dead`] : []),
  ].join(', ')
}

/** `9,999`, `12.3k`, `4.56M`. */
export function shortCount(value: number): string {
  if (value < 10_000) return count(value)
  const [size, unit] = value < 999_950 ? [1e3, 'k'] : value < 999_950_000 ? [1e6, 'M'] : [1e9, 'G']
  return `${threeDigits(value / size)}${unit}`
}

/** `999 B`, `12.3 MiB`. */
export function byteCount(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let [value, unit] = [bytes, 0]
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1024
  return `${unit === 0 ? String(value) : threeDigits(value)} ${units[unit]}`
}

const threeDigits = (value: number): string => value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)

/** `0:07`, `12:34`, `1:02:03`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0
    ? `${count(hours)}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`
}
