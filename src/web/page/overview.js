/** Is it running? How much is left? What fails, and why? */
import { keepChart } from './chart.js'
import { byId, count, duration, setText, time, visibleText } from './dom.js'
import { showGroups } from './groups.js'
import { loadsOf } from './loads.js'
import { keepTable } from './table.js'

/** @import { Snapshot, Point } from '../../observe/snapshot.ts' */
/** @import { LoadAnswer, Reason } from '../answers.ts' */
/** @import { Load } from './loads.js' */

const mostRows = 100

/** Loads at which others are. @type {LoadAnswer[]} */
let elsewhere = []
/** Undefined if unknown. @type {number | undefined} */
let openRejects

const showThroughput = keepChart(byId('throughput'), 'Records per second')
const showLatency = keepChart(byId('latency'), 'Time of a batch', duration)
const showDepth = keepChart(byId('depth'), 'Messages in the queue')

const loadTable = keepTable(
  /** @type {HTMLTableElement} */ (byId('loads')),
  'Loads with their receipts',
  /** @type {import('./table.js').Column<Load>[]} */ ([
    { head: 'Source', text: ({ source }) => source, open: ({ id }) => (location.hash = `#/loads/${id}`) },
    { head: 'State', text: ({ word }) => word, tone: ({ tone }) => tone },
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
export function showElsewhere(answers) {
  elsewhere = answers.filter(({ outcome }) => outcome === 'loading')
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
  const loads = loadsOf(snapshot, elsewhere)
  showState(snapshot)
  showGroups(snapshot)
  const rejects = openRejects ?? snapshot.totals.rejected
  setText(byId('rejects-count'), rejects > 0 ? count(rejects) : '')
  setText(byId('dead-count'), snapshot.totals.deadMessages > 0 ? count(snapshot.totals.deadMessages) : '')
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
        ? `${count(loads.length - mostRows)} more.`
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

/** @type {Readonly<Record<Snapshot['state']['kind'], string>>} */
const tones = {
  planning: 'busy',
  publishing: 'busy',
  loading: 'busy',
  indexing: 'busy',
  waiting: 'warn',
  stalled: 'bad',
  complete: 'good',
  rejects: 'warn',
  stopped: 'bad',
  idle: 'quiet',
  none: 'quiet',
}

/** The server says in what state the run is; nothing is concluded here. @param {Snapshot} snapshot */
function showState(snapshot) {
  const { process, state, share, work, course, perSecond } = snapshot
  const isAsked = state.kind === 'stopped' && course.ended?.by === 'signal'
  const tone = isAsked ? (state.open > 0 ? 'warn' : 'quiet') : tones[state.kind]
  byId('state-box').className = `state ${tone}`
  setText(byId('state'), state.headline)
  setText(byId('bad'), state.bad)
  setText(byId('state-detail'), visibleText(state.detail))
  // Whole only when the server says so: 99.96 % is not 100.
  const percent = share === undefined ? '' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`
  const isBusy = tones[state.kind] === 'busy' && share !== undefined
  document.title = `${isBusy ? `${percent} ` : ''}${state.headline} · lading ${process.command}`
  const isOver = state.kind === 'complete' || state.kind === 'rejects'
  byId('progress-box').hidden = share === undefined || isOver
  if (share === undefined) return
  byId('progress').setAttribute('value', String(share))
  const isPlanned = (course.files?.planned ?? 0) >= (course.files?.found ?? 0)
  const parts = [
    percent,
    work.loads === 0 ? '' : `${count(work.done)} of ${count(work.records)} records`,
    isPlanned
      ? ''
      : `${count(course.files?.planned ?? 0)} of ${count(course.files?.found ?? 0)} files planned`,
    state.open === 0 ? '' : `${count(state.open)} left`,
    state.open > 0 && isPlanned && perSecond > 0 && course.ended === undefined
      ? `about ${duration((state.open / perSecond) * 1000)}`
      : '',
  ]
  setText(byId('left'), parts.filter((part) => part !== '').join(' · '))
}

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
