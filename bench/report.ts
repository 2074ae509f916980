/** Tables of figures, for a terminal and in Markdown. */
import { type Figures, figuresOf } from './figures.ts'
import type { StoredTable } from './results.ts'

export function tableText(table: StoredTable): string {
  const lines = cellsOf(table)
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  )
  const rows = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
  return [`\n${table.title}; ratio to ${table.ways[0]?.name ?? 'nothing'}`, ...rows].join('\n')
}

export function tableMarkdown(table: StoredTable): string {
  const [headings = [], ...rows] = cellsOf(table)
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  return [line(headings), `|${'---|'.repeat(headings.length)}`, ...rows.map(line)].join('\n')
}

function cellsOf(table: StoredTable): string[][] {
  const figures = figuresOf(table)
  const servers = [...new Set(figures.flatMap(({ serverCpuSeconds }) => Object.keys(serverCpuSeconds)))]
  const hasPeaks = figures.some(({ peaks }) => Object.keys(peaks).length > 0)
  const headings = [
    'way',
    `${table.unit}/s (min–max)`,
    'ratio',
    'client CPU s',
    ...servers.map((server) => `${server} CPU s`),
    ...(hasPeaks ? ['largest process, MiB'] : []),
  ]
  const most = Math.max(...table.ways.map(({ records }) => records))
  return [headings, ...figures.map((each) => cells(each, { servers, hasPeaks, most, unit: table.unit }))]
}

interface Shape {
  readonly servers: readonly string[]
  readonly hasPeaks: boolean
  /** Records of most ways; fewer are told. */
  readonly most: number
  readonly unit: string
}

function cells(
  { way, rate, ratio, clientCpuSeconds, serverCpuSeconds, peaks }: Figures,
  { servers, hasPeaks, most, unit }: Shape,
): string[] {
  const shownRatio = times(ratio)
  return [
    way.records < most ? `${way.name} (${whole(way.records)} ${unit})` : way.name,
    `${few(rate.median)} (${few(rate.min)}–${few(rate.max)})`,
    way.isLading ? `**${shownRatio}**` : shownRatio,
    clientCpuSeconds.toFixed(1),
    ...servers.map((server) => serverCpuSeconds[server]?.toFixed(1) ?? '-'),
    ...(hasPeaks ? [shownPeaks(peaks)] : []),
  ]
}

/** The role is told where a way has several. */
function shownPeaks(peaks: Readonly<Record<string, number>>): string {
  const entries = Object.entries(peaks)
  if (entries.length < 2) return entries[0]?.[1].toFixed(0) ?? '-'
  return entries.map(([role, mib]) => `${role} ${mib.toFixed(0)}`).join(', ')
}

export const times = (ratio: number): string => (ratio < 0.095 ? ratio.toFixed(3) : ratio.toFixed(2))

/** Of what takes a tenth of a second, tenths count. */
const few = (value: number): string => (value < 100 ? value.toFixed(1) : whole(value))

export const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
