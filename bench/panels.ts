/** Small charts of one line each, two in a row, as one SVG that is readable on a light and on a dark page. */
import { whole } from './report.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Panel {
  readonly title: string
  /** Of y. A logarithmic one shows a dashed line too: growth in proportion to x from the first point on. */
  readonly scale: 'linear' | 'logarithmic'
  /** By x, which is always logarithmic. */
  readonly points: readonly Point[]
}

/** Pixels. */
const panel = { width: 400, height: 240, left: 56, right: 48, top: 44, bottom: 36 }

/** Of an axis: a value → pixels from its beginning, of so many. */
type Scale = (value: number, pixels: number) => number

export function panels(all: readonly Panel[]): string {
  const shown = all.filter(({ points }) => points.length > 0)
  const rows = Math.ceil(shown.length / 2)
  const groups = shown.map(
    (each, index) =>
      `<g transform="translate(${(index % 2) * panel.width} ${Math.floor(index / 2) * panel.height})">${drawn(each)}</g>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * panel.width} ${rows * panel.height}" font-family="system-ui, sans-serif" font-size="12">
<style>
  text { fill: #57606a } .title { fill: #24292f; font-weight: 600 } .axis { stroke: #d0d7de }
  .line { stroke: #0969da; stroke-width: 2; fill: none } .dot { fill: #0969da } .ideal { stroke: #8c959f; stroke-dasharray: 3 4 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 } .title { fill: #f0f6fc } .axis { stroke: #3d444d }
    .line { stroke: #4493f8 } .dot { fill: #4493f8 } .ideal { stroke: #656c76 }
  }
</style>
${groups.join('\n')}
</svg>
`
}

function drawn({ title, scale, points }: Panel): string {
  const [first, last] = [points[0] as Point, points.at(-1) as Point]
  const proportional = { x: last.x, y: (first.y * last.x) / first.x }
  const across = logarithmic(points.map(({ x }) => x))
  const values = points.map(({ y }) => y)
  const up = scale === 'linear' ? linear(values) : logarithmic([...values, proportional.y])
  const place = ({ x, y }: Point) => ({
    x: Math.round(panel.left + across(x, panel.width - panel.left - panel.right)),
    y: Math.round(panel.height - panel.bottom - up(y, panel.height - panel.top - panel.bottom)),
  })
  const floor = panel.height - panel.bottom + 10
  const ideal = [place(first), place(proportional)] as const
  return [
    `<text class="title" x="${panel.left - 24}" y="18">${title}</text>`,
    `<line class="axis" x1="${panel.left - 24}" y1="${floor}" x2="${panel.width - 16}" y2="${floor}"/>`,
    ...(scale === 'linear'
      ? []
      : [
          `<line class="ideal" x1="${ideal[0].x}" y1="${ideal[0].y}" x2="${ideal[1].x}" y2="${ideal[1].y}"/>`,
        ]),
    `<polyline class="line" points="${points
      .map(place)
      .map(({ x, y }) => `${x},${y}`)
      .join(' ')}"/>`,
    ...points.map((point) => pointDrawn(point, place(point), floor)),
  ].join('\n')
}

const pointDrawn = ({ x, y }: Point, at: Point, floor: number): string =>
  `<circle class="dot" cx="${at.x}" cy="${at.y}" r="4"/>` +
  `<text x="${at.x}" y="${at.y - 10}" text-anchor="middle">${y < 10 ? y.toFixed(1) : whole(y)}</text>` +
  `<text x="${at.x}" y="${floor + 16}" text-anchor="middle">${whole(x)}</text>`

const linear = (values: readonly number[]): Scale => {
  const most = Math.max(...values)
  return (value, pixels) => (value / most) * pixels
}

function logarithmic(values: readonly number[]): Scale {
  const [least, most] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))]
  return (value, pixels) => ((Math.log(value) - least) / (most - least || 1)) * pixels
}
