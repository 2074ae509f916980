/** Line charts of the last ten minutes, without a library: stretching paths, and fixed texts. */
import { count, h, setText, svg, time } from './dom.js'

const width = 600
const height = 120
/** Shortest time range of a chart, in milliseconds, for a run that has just begun. */
const least = 20_000

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} tone class of line and key
 * @property {boolean} [area]
 * @property {readonly (readonly [at: number, value: number | undefined])[]} points undefined makes a gap
 */

/**
 * @param {HTMLElement} figure
 * @param {string} title
 * @param {(value: number) => string} [format]
 * @returns {(lines: readonly Line[], from: number, to: number) => void}
 */
export function keepChart(figure, title, format = count) {
  const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img' })
  const keys = h('ul', { class: 'keys' })
  const [top, left, right] = [h('span'), h('span'), h('span', {}, 'now')]
  figure.append(
    h('figcaption', {}, h('h2', {}, title), keys),
    h('p', { class: 'scale', 'aria-hidden': 'true' }, top),
    drawing,
    h('p', { class: 'scale', 'aria-hidden': 'true' }, left, right),
  )
  return (lines, began, to) => {
    const from = Math.max(to - 600_000, Math.min(began, to - least))
    const highest = Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value ?? 0)))
    const ceiling = roundUp(highest)
    /** @param {number} at */
    const x = (at) => Math.max(0, ((at - from) / (to - from)) * width).toFixed(1)
    /** @param {number} value */
    const y = (value) => (height - (value / ceiling) * (height - 2)).toFixed(1)
    drawing.replaceChildren(
      svg('path', { class: 'grid', d: `M0 ${height / 2}H${width}M0 1H${width}M0 ${height - 0.5}H${width}` }),
      ...lines.flatMap(({ tone, area, points }) =>
        runsOf(points).flatMap((run) => {
          const path = run
            .map(([at, value], index) => `${index === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`)
            .join('')
          const [first, last] = [
            /** @type {[number, number]} */ (run[0]),
            /** @type {[number, number]} */ (run.at(-1)),
          ]
          const below = svg('path', {
            class: `area ${tone}`,
            d: `${path}L${x(last[0])} ${height}L${x(first[0])} ${height}Z`,
          })
          return [...(area ? [below] : []), svg('path', { class: `line ${tone}`, d: path })]
        }),
      ),
    )
    setText(top, format(ceiling))
    setText(left, time(from))
    const said = lines.map(({ name, tone, points }) => {
      const last = points.findLast(([, value]) => value !== undefined)?.[1]
      return { name, tone, last: last === undefined ? '–' : format(last) }
    })
    drawing.setAttribute(
      'aria-label',
      `${title}: ${said.map(({ name, last }) => `${name} ${last}`).join(', ')}; highest ${format(highest)}`,
    )
    keys.replaceChildren(
      ...said.map(({ name, tone, last }) => h('li', { class: tone }, `${name} `, h('b', {}, last))),
    )
  }
}

/** Parts between gaps. @param {Line['points']} points @returns {[number, number][][]} */
function runsOf(points) {
  /** @type {[number, number][][]} */
  const runs = [[]]
  for (const [at, value] of points) {
    if (value === undefined) runs.push([])
    else runs.at(-1)?.push([at, value])
  }
  return runs.filter(({ length }) => length > 0)
}

/** Rounds up to 1, 2 or 5 times a power of ten. @param {number} value */
function roundUp(value) {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power
}
