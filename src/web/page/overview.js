/** Is it running? How much is left? What fails, and why? */
import { keepChart } from './chart.js'
import { byId, bytes, count, counted, duration, h, setText, time, visible } from './dom.js'
import { loadsOf, showReceipt, stateOf, toneOf } from './loads.js'
import { keepTable } from './table.js'

/** @import { Snapshot, Point } from '../../observe/snapshot.ts' */
/** @import { LoadAnswer, Reason } from '../answers.ts' */
/** @import { Load } from './loads.js' */

const mostRows = 100
/** Time range of a rate, in milliseconds. */
const rateMs = 10_000

/** @type {LoadAnswer[]} */
let receipts = []
/** Undefined if unknown. @type {number | undefined} */
let openRejects

const showThroughput = keepChart(byId('throughput'), 'Records per second')
const showLatency = keepChart(byId('latency'), 'Time of a batch', duration)
const showDepth = keepChart(byId('depth'), 'Messages in the queue')

const loadTable = keepTable(
  /** @type {HTMLTableElement} */ (byId('loads')),
  'Loads with their receipts',
  /** @type {import('./table.js').Column<Load>[]} */ ([
    { head: 'Source', text: ({ source }) => source, open: showReceipt },
    { head: 'State', text: stateOf, tone: toneOf },
    { head: 'Records', text: ({ records }) => count(records), number: true },
    { head: 'Loaded', text: ({ loaded }) => count(loaded), number: true },
    {
      head: 'Rejected',
      text: ({ rejected }) => count(rejected),
      number: true,
      tone: ({ rejected }) => (rejected > 0 ? 'warn' : ''),
    },
    { head: 'Skipped', text: ({ skipped }) => count(skipped), number: true, wide: true },
    {
      head: 'Dead',
      text: ({ dead }) => count(dead),
      number: true,
      wide: true,
      tone: ({ dead }) => (dead > 0 ? 'bad' : ''),
    },
    { head: 'Open', text: ({ open }) => count(open), number: true, wide: true },
    {
      head: 'Records/s',
      text: ({ perSecond }) => (perSecond ? count(perSecond) : ''),
      number: true,
      wide: true,
    },
  ]),
  ({ id }) => id,
)

const reasonTable = keepTable(
  /** @type {HTMLTableElement} */ (byId('reasons')),
  'Reasons of rejects, the most frequent first',
  /** @type {import('./table.js').Column<Reason>[]} */ ([
    {
      head: 'Code',
      text: ({ code }) => code,
      open: ({ code, column }) => (location.hash = filterOf(code, column)),
    },
    { head: 'Column', text: ({ column }) => column ?? '' },
    { head: 'Rejects', text: ({ rejects }) => count(rejects), number: true },
  ]),
  ({ code, column }) => `${code} ${column ?? ''}`,
)

const consumerTable = keepTable(
  /** @type {HTMLTableElement} */ (byId('consumers')),
  'Consumers of this run',
  /** @type {import('./table.js').Column<Snapshot['consumers'][number]>[]} */ ([
    { head: 'Consumer', text: ({ consumer }) => consumer },
    { head: 'In hand', text: ({ held }) => count(held), number: true },
    { head: 'Batches', text: ({ batches }) => count(batches), number: true, wide: true },
    { head: 'Records', text: ({ records }) => count(records), number: true },
    {
      head: 'Last batch',
      text: ({ last }) => (last ? `${time(last.at)}, ${duration(last.writeMs)}` : ''),
      wide: true,
    },
  ]),
  ({ consumer }) => consumer,
)

/** @type {[number, number | undefined][]} */
const depths = []
/** @type {Snapshot | undefined} */
let newest

/** @param {LoadAnswer[]} answers */
export function showReceipts(answers) {
  receipts = answers
  if (newest) show(newest)
}

/** @param {Reason[] | undefined} reasons undefined if unknown */
export function showReasons(reasons) {
  openRejects = reasons?.reduce((sum, { rejects }) => sum + rejects, 0)
  reasonTable(reasons ?? [])
  setText(
    byId('reasons-empty'),
    reasons === undefined ? 'Unknown in this run.' : reasons.length > 0 ? '' : 'No record is rejected.',
  )
}

/** @param {Snapshot} snapshot */
export function show(snapshot) {
  newest = snapshot
  const { at, process, series, queue, consumers } = snapshot
  const loads = loadsOf(snapshot, receipts)
  // Earlier runs say nothing about this one.
  showState(
    snapshot,
    loads.filter(({ id }) => snapshot.loads.some(({ loadId }) => loadId === id)),
  )
  showTiles(snapshot)
  /** @param {'loaded' | 'rejected' | 'published'} name @param {string} tone @param {boolean} [area] */
  const line = (name, tone, area = false) => ({
    name,
    tone,
    area,
    points: rates(series, at, process.startedAt, name),
  })
  const published = [line('published', 'first', true)]
  const written = [line('loaded', 'good', true), line('rejected', 'warn')]
  showThroughput(process.command === 'produce' ? published : written, process.startedAt, at)
  /** @param {'writeMs' | 'settleMs'} sum */
  const mean = (sum) =>
    gapped(series.points, series.stepMs, (point) =>
      point.batches === 0 ? undefined : point[sum] / point.batches,
    )
  const longest = gapped(series.points, series.stepMs, (point) =>
    point.batches === 0 ? undefined : point.longestWriteMs,
  )
  const latency = [
    { name: 'longest', tone: 'warn', points: longest },
    { name: 'write', tone: 'first', points: mean('writeMs') },
    { name: 'settle', tone: 'good', points: mean('settleMs') },
  ]
  showLatency(latency, process.startedAt, at)
  depths.push([at, queue.depth?.ready])
  while ((depths[0]?.[0] ?? at) < at - 600_000) depths.shift()
  showDepth([{ name: 'ready', tone: 'first', area: true, points: depths }], process.startedAt, at)
  loadTable(loads.slice(0, mostRows))
  setText(
    byId('loads-empty'),
    loads.length === 0
      ? 'No load yet: it appears with its first file or message.'
      : loads.length > mostRows
        ? `${count(loads.length - mostRows)} more; lading verify shows all.`
        : '',
  )
  consumerTable(consumers)
  setText(
    byId('consumers-empty'),
    consumers.length > 0
      ? ''
      : process.command === 'produce'
        ? 'This run only publishes.'
        : 'No consumer has started yet.',
  )
}

/** @param {Snapshot} snapshot @param {Load[]} loads */
function showState(snapshot, loads) {
  const { at, process, readiness, waiting, totals } = snapshot
  const [wait] = waiting
  const produces = process.command === 'produce'
  const rate = rateOf(snapshot)
  const records = loads.reduce((sum, load) => sum + load.records, 0)
  const open = loads.reduce((sum, load) => sum + load.open, 0)
  const took = duration(readiness.progressAt - process.startedAt)
  const failed = totals.rejected + totals.deadMessages > 0 ? `; ${count(totals.rejected)} rejected` : ''
  /** @type {[tone: string, word: string, detail: string]} */
  let state
  if (!readiness.ready) state = ['bad', 'Stalled', readiness.reason ?? '']
  else if (wait)
    state = [
      'warn',
      'Waiting',
      `${wait.code}: ${wait.message} (for ${duration(at - wait.since)}, attempt ${wait.attempt})`,
    ]
  else if (loads.length > 0 && open === 0)
    state = ['good', 'Complete', `${counted(records, 'record')}${failed}; this run took ${took}`]
  else if (rate > 0) state = ['good', 'Running', `${count(rate)} records per second`]
  else
    state = [
      'quiet',
      'Idle',
      produces ? 'nothing is being published' : 'the queue is empty; waiting for messages',
    ]
  const [tone, word, detail] = state
  byId('state-box').className = `state ${tone}`
  setText(byId('state'), word)
  byId('state-detail').replaceChildren(visible(detail))
  document.title = `${word} · lading ${process.command}`
  byId('progress-box').hidden = records === 0
  byId('progress').setAttribute('max', String(Math.max(1, records)))
  byId('progress').setAttribute('value', String(records - open))
  const left =
    open === 0
      ? 'nothing left'
      : `${counted(open, 'record')} left${rate > 0 ? `, about ${duration((open / rate) * 1000)}` : ''}`
  const share = records === 0 ? 0 : Math.floor(((records - open) / records) * 1000) / 10
  setText(byId('left'), `${share.toFixed(1)} % of ${count(records)}: ${left}`)
}

/** @param {Snapshot} snapshot */
function showTiles({ process, queue, totals, at }) {
  const { depth } = queue
  const known = (/** @type {number | undefined} */ value) => (value === undefined ? '–' : count(value))
  /** @type {[name: string, value: string, tone?: string][]} */
  const tiles = [
    ['Loaded', count(totals.loaded)],
    ['Rejected', count(totals.rejected), totals.rejected > 0 ? 'warn' : ''],
    ['Skipped', count(totals.skipped)],
    ['Dead messages', count(totals.deadMessages), totals.deadMessages > 0 ? 'bad' : ''],
    ['Queue, ready', known(depth?.ready)],
    ['Queue, in flight', known(depth?.inFlight)],
    ['Oldest message', depth?.oldestMs === undefined ? '–' : duration(depth.oldestMs)],
    ['Memory', bytes(process.memoryBytes)],
    ['Running', duration(at - process.startedAt)],
  ]
  byId('tiles').replaceChildren(
    ...tiles.map(([name, value, tone]) => h('div', { class: tone }, h('dt', {}, name), h('dd', {}, value))),
  )
  const rejects = openRejects ?? totals.rejected
  setText(byId('rejects-count'), rejects > 0 ? count(rejects) : '')
  setText(byId('dead-count'), totals.deadMessages > 0 ? count(totals.deadMessages) : '')
}

/** Recent records per second with a verdict, or published. @param {Snapshot} snapshot */
function rateOf({ at, process, series }) {
  const from = Math.max(process.startedAt, Math.floor((at - rateMs) / series.stepMs) * series.stepMs)
  const points = series.points.filter((point) => point.at + series.stepMs > from)
  const records = points.reduce(
    (sum, point) => sum + (process.command === 'produce' ? point.published : verdicts(point)),
    0,
  )
  return (records * 1000) / Math.max(1000, at - from)
}

/** @param {Pick<Point, 'loaded' | 'rejected' | 'skipped'>} point */
const verdicts = ({ loaded, rejected, skipped }) => loaded + rejected + skipped

/**
 * One point per step, at its middle. Steps that the series leaves out are 0.
 * @param {Snapshot['series']} series @param {number} now @param {number} began @param {'loaded' | 'rejected' | 'published'} name
 * @returns {[number, number][]}
 */
function rates({ stepMs, points }, now, began, name) {
  const values = new Map(points.map((point) => [point.at, point[name]]))
  /** @type {[number, number][]} */
  const all = []
  for (let at = Math.floor(Math.max(began, now - 600_000) / stepMs) * stepMs; at <= now; at += stepMs) {
    const [start, end] = [Math.max(at, began), Math.min(at + stepMs, now)]
    // The current step is incomplete.
    if (end - start < 1000 && at > began) continue
    all.push([(start + end) / 2, ((values.get(at) ?? 0) * 1000) / Math.max(1000, end - start)])
  }
  return all
}

/**
 * @param {readonly Point[]} points @param {number} stepMs @param {(point: Point) => number | undefined} of
 */
function gapped(points, stepMs, of) {
  return points.flatMap((point, index) => {
    const before = points[index - 1]
    const gap = before !== undefined && point.at - before.at > 3 * stepMs
    return /** @type {[number, number | undefined][]} */ ([
      ...(gap ? [[before.at + stepMs, undefined]] : []),
      [point.at + stepMs / 2, of(point)],
    ])
  })
}

/** @param {string} code @param {string | undefined} column */
const filterOf = (code, column) =>
  `#/rejects?${new URLSearchParams({ code, ...(column === undefined ? {} : { column }) })}`
