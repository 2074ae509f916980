import type { Measured, Run } from './rounds.ts'

export interface Figures {
  readonly way: string
  readonly rowsPerSecond: { readonly median: number; readonly min: number; readonly max: number }
  /** Median of the ratios to the first way, each within its round; the machine's mood between rounds cancels out. */
  readonly ratio: number
  readonly clientCpuSeconds: number
  readonly serverCpuSeconds: number | undefined
  readonly peakMiB: number | undefined
}

export function figuresOf({ runs }: Measured, records: number): Figures[] {
  const [base = []] = runs.values()
  return [...runs].map(([way, each]) => {
    const rates = each.map(({ seconds }) => records / seconds)
    return {
      way,
      rowsPerSecond: { median: median(rates), min: Math.min(...rates), max: Math.max(...rates) },
      ratio: median(each.map(({ seconds }, round) => (base[round]?.seconds ?? Number.NaN) / seconds)),
      clientCpuSeconds: median(each.map(({ cpuSeconds }) => cpuSeconds)),
      serverCpuSeconds: medianOf(each, (run) => run.serverCpuSeconds),
      peakMiB: medianOf(each, (run) => run.peakMiB),
    }
  })
}

function medianOf(runs: readonly Run[], pick: (run: Run) => number | undefined): number | undefined {
  const values = runs.map(pick).filter((value) => value !== undefined)
  return values.length === 0 ? undefined : median(values)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

const headings = ['way', 'rows/s, median (min–max)', 'ratio', 'client CPU s', 'server CPU s', 'peak MiB of a process']

export function tableText(title: string, figures: readonly Figures[]): string {
  const lines = [headings, ...figures.map(cells)]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const rows = lines.map((line) =>
    line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '),
  )
  return [`\n${title}; ratio to ${figures[0]?.way}`, ...rows].join('\n')
}

function cells({ way, rowsPerSecond, ratio, clientCpuSeconds, serverCpuSeconds, peakMiB }: Figures): string[] {
  const { median: middle, min, max } = rowsPerSecond
  return [
    way,
    `${whole(middle)} (${whole(min)}–${whole(max)})`,
    ratio.toFixed(2),
    clientCpuSeconds.toFixed(1),
    serverCpuSeconds?.toFixed(1) ?? '-',
    peakMiB?.toFixed(0) ?? '-',
  ]
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
