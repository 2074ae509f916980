/** Line charts of the last ten minutes, without a library, with one cursor for all of them. */
import { count, h, setText, svg, time } from './dom.js'

const width = 600
const height = 120
/** Time ranges, in milliseconds: the shortest that has room for the run, so that it changes seldom. */
const ranges = [30_000, 60_000, 120_000, 300_000, 600_000]
/** Points of the table, the newest first. */
const mostRows = 60
/** Values that are farther from the cursor, in milliseconds, are not of that moment. */
const near = 4_000

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} tone class of line and key
 * @property {boolean} [area]
 * @property {readonly (readonly [at: number, value: number | undefined])[]} points undefined makes a gap
 */

/** The moment that the cursor of every chart shows; the newest if there is none. @type {number | undefined} */
let moment
/** @type {Set<() => void>} */
const charts = new Set()

/** @param {number | undefined} at */
function point(at) {
  moment = at
  for (const show of charts) show()
}

const compact = new Intl.NumberFormat('en', { notation: 'compact' })

/**
 * @param {HTMLElement} figure
 * @param {string} title with the unit, if the format has none
 * @param {(value: number) => string} [format]
 * @returns {(lines: readonly Line[], from: number, to: number) => void}
 */
export function keepChart(figure, title, format = count) {
  const onAxis = format === count ? (/** @type {number} */ value) => compact.format(value) : format
  const drawing = svg('svg', {
    viewBox: `0 0 ${width} ${height}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  })
  const cursor = svg('path', { class: 'cursor' })
  const plot = h('div', {
    class: 'plot',
    tabindex: '0',
    role: 'slider',
    'aria-label': `${title}: moment`,
    onkeydown: walk,
  })
  const [top, middle, left, when] = [h('span'), h('span'), h('span'), h('span')]
  const axis = h('p', { class: 'axis', 'aria-hidden': 'true' }, top, middle, h('span', {}, '0'))
  const keys = h('ul', { class: 'keys' })
  const rows = h('tbody')
  const heads = h('tr')
  const table = h(
    'details',
    { ontoggle: () => tabulate() },
    h('summary', {}, 'As a table'),
    h(
      'div',
      { class: 'values', tabindex: '0', role: 'region', 'aria-label': title },
      h('table', {}, h('caption', { class: 'unseen' }, title), h('thead', {}, heads), rows),
    ),
  )
  plot.append(drawing)
  figure.append(
    h('figcaption', {}, h('h2', {}, title), when),
    keys,
    h('div', { class: 'graph' }, axis, plot),
    h('p', { class: 'scale', 'aria-hidden': 'true' }, left, h('span', {}, 'now')),
    table,
  )
  plot.addEventListener('pointermove', track)
  plot.addEventListener('pointerdown', track)
  // A finger leaves it with every touch.
  plot.addEventListener('pointerleave', ({ pointerType }) => pointerType === 'mouse' && point(undefined))
  plot.addEventListener('blur', () => point(undefined))

  /** @type {readonly Line[]} */
  let lines = []
  let [from, to, ceiling] = [0, 1, 0]
  /** Names of the lines that a person does not want to see. @type {Set<string>} */
  const leftOut = new Set()
  const seen = () => lines.filter(({ name }) => !leftOut.has(name))
  /** Moments with a value, in order. */
  const moments = () =>
    [
      ...new Set(
        seen().flatMap(({ points }) => points.flatMap(([at, value]) => (value === undefined ? [] : [at]))),
      ),
    ]
      .filter((at) => at >= from)
      .sort((one, other) => one - other)

  /** @param {number} at */
  const x = (at) => Math.min(width, Math.max(0, ((at - from) / (to - from)) * width)).toFixed(1)
  /** @param {number} value */
  const y = (value) => (height - (value / ceiling) * (height - 2)).toFixed(1)

  function draw() {
    const highest = Math.max(0, ...seen().flatMap(({ points }) => points.map(([, value]) => value ?? 0)))
    // A scale that follows every value could not be read.
    if (ceiling === 0 || highest > ceiling || highest < ceiling * 0.35) ceiling = roundUp(highest)
    drawing.replaceChildren(
      svg('path', { class: 'grid', d: `M0 ${height / 2}H${width}M0 1H${width}M0 ${height - 0.5}H${width}` }),
      ...lines.flatMap((line, index) => (leftOut.has(line.name) ? [] : pathsOf(line, index))),
      cursor,
    )
    setText(top, onAxis(ceiling))
    setText(middle, onAxis(ceiling / 2))
    setText(left, `${ago(to - from)} ago`)
    showMoment()
    tabulate()
  }

  /** @param {Line} line @param {number} index */
  const pathsOf = ({ tone, area, points }, index) =>
    runsOf(points).flatMap((run) => {
      const [first, last] = /** @type {[[number, number], [number, number]]} */ ([run[0], run.at(-1)])
      const path = run.map(([at, value], place) => `${place === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('')
      const below = `${path}L${x(last[0])} ${height}L${x(first[0])} ${height}Z`
      return [
        ...(area ? [svg('path', { class: `area ${tone}`, d: below })] : []),
        // A single value is a dot.
        svg('path', { class: `line ${tone} style-${index}`, d: run.length === 1 ? `${path}h0` : path }),
      ]
    })

  /** Values of the moment, in the keys and for whoever does not see the chart. */
  function showMoment() {
    const at = moment !== undefined && moment >= from ? moment : undefined
    cursor.setAttribute('d', at === undefined ? '' : `M${x(at)} 0V${height}`)
    setText(when, at === undefined ? 'now' : time(at))
    const said = lines.map(({ name, points }) => {
      const value = at === undefined ? newest(points) : valueAt(points, at, Math.max(near, (to - from) / 50))
      return { name, value: value === undefined ? '–' : format(value) }
    })
    for (const [index, { value }] of said.entries())
      setText(/** @type {Element} */ (keys.children[index]?.querySelector('b')), value)
    const all = moments()
    plot.setAttribute('aria-valuemax', String(Math.max(0, all.length - 1)))
    plot.setAttribute('aria-valuemin', '0')
    plot.setAttribute(
      'aria-valuenow',
      String(at === undefined ? Math.max(0, all.length - 1) : nearest(all, at)),
    )
    plot.setAttribute(
      'aria-valuetext',
      `${time(at ?? to)}: ${said.map(({ name, value }) => `${name} ${value}`).join(', ')}`,
    )
  }
  charts.add(showMoment)

  /** Makes the keys anew only if the lines are other ones, so that the focus stays. */
  function showKeys() {
    if (keys.dataset['of'] === lines.map(({ name }) => name).join()) return
    keys.dataset['of'] = lines.map(({ name }) => name).join()
    keys.replaceChildren(
      ...lines.map(({ name, tone }, index) => {
        const button = h(
          'button',
          {
            type: 'button',
            'aria-pressed': 'true',
            onclick: () => {
              if (!leftOut.delete(name)) leftOut.add(name)
              button.setAttribute('aria-pressed', String(!leftOut.has(name)))
              draw()
            },
          },
          svg(
            'svg',
            { class: tone, viewBox: '0 0 16 4', width: 16, height: 4, 'aria-hidden': 'true' },
            svg('path', { class: `line style-${index}`, d: 'M1 2H15' }),
          ),
          `${name} `,
          h('b'),
        )
        return h('li', {}, button)
      }),
    )
  }

  function tabulate() {
    if (!(/** @type {HTMLDetailsElement} */ (table).open)) return
    heads.replaceChildren(
      ...['Time', ...lines.map(({ name }) => name)].map((head) => h('th', { scope: 'col' }, head)),
    )
    rows.replaceChildren(
      ...moments()
        .reverse()
        .slice(0, mostRows)
        .map((at) => {
          const values = lines.map(({ points }) => points.find(([each]) => each === at)?.[1])
          const cells = values.map((value) =>
            h('td', { class: 'number' }, value === undefined ? '–' : format(value)),
          )
          return h('tr', {}, h('th', { scope: 'row' }, time(at)), ...cells)
        }),
    )
  }

  /** @param {PointerEvent} event */
  function track({ clientX }) {
    const { left: start, width: wide } = plot.getBoundingClientRect()
    const all = moments()
    point(all[nearest(all, from + ((clientX - start) / wide) * (to - from))])
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    const all = moments()
    const at = moment === undefined ? all.length - 1 : nearest(all, moment)
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }
    const step = { ...steps, Home: -all.length, End: all.length }[event.key]
    if (event.key === 'Escape') return point(undefined)
    if (step === undefined || all.length === 0) return
    event.preventDefault()
    point(all[Math.min(all.length - 1, Math.max(0, at + step))])
  }

  return (now, began, until) => {
    lines = now
    to = until
    from = to - (ranges.find((range) => range >= to - began) ?? 600_000)
    showKeys()
    draw()
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

/** @param {Line['points']} points */
const newest = (points) => points.findLast(([, value]) => value !== undefined)?.[1]

/** @param {Line['points']} points @param {number} at @param {number} most distance in time */
function valueAt(points, at, most) {
  const found =
    points[
      nearest(
        points.map(([each]) => each),
        at,
      )
    ]
  return found !== undefined && Math.abs(found[0] - at) <= most ? found[1] : undefined
}

/** Index of the nearest; -1 of none. @param {readonly number[]} all @param {number} at */
const nearest = (all, at) =>
  all.reduce(
    (best, each, index) => (Math.abs(each - at) < Math.abs((all[best] ?? Infinity) - at) ? index : best),
    -1,
  )

/** A number that is easy to halve. @param {number} value */
function roundUp(value) {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 4, 6, 8, 10].find((factor) => factor * power >= value) ?? 10) * power
}

/** @param {number} ms */
const ago = (ms) => (ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`)
