/** Loads of this run and of others: how they stand, and the receipt of each. */
import { get, NotAllowed } from './ask.js'
import { showDialog, tell } from './dialog.js'
import { count, counted, day, duration, h, visible } from './dom.js'

/** @import { Snapshot } from '../../observe/snapshot.ts' */
/** @import { LoadAnswer } from '../answers.ts' */

/**
 * A load as a table shows it: known to this run, or from the ledger.
 *
 * @typedef {{ id: string, source: string, word: string, tone: string, records: number, loaded: number,
 * rejected: number, skipped: number, dead: number, open: number, perSecond: number | undefined }} Load
 */

/**
 * Those of this run, the ones at work first, and then what others are at.
 * @param {Snapshot} snapshot @param {readonly LoadAnswer[]} elsewhere @returns {Load[]}
 */
export function loadsOf({ loads, process }, elsewhere) {
  const own = loads.map((load) => {
    const { loaded, rejected, skipped, dead, before, records, published } = load
    const done =
      process.command === 'produce' ? published + before : loaded + rejected + skipped + dead + before
    const open = load.state === 'skipped' || load.share === 1 ? 0 : Math.max(0, records - done)
    const [word, tone] = standingOf(load, open)
    return { ...load, id: load.loadId, word, tone, open }
  })
  const ids = new Set(own.map(({ id }) => id))
  const isAtWork = (/** @type {Load} */ { word }) => word.endsWith('%') || word === 'planned'
  return [
    ...own.filter(isAtWork),
    ...own.filter((load) => !isAtWork(load)).toReversed(),
    ...elsewhere.filter(({ loadId }) => !ids.has(loadId)).map(rowOf),
  ]
}

/** @param {Snapshot['loads'][number]} load @param {number} open @returns {[word: string, tone: string]} */
function standingOf({ state, share, rejected, dead }, open) {
  if (state === 'skipped') return ['done before', 'quiet']
  if (share === undefined) return ['planned', 'quiet']
  // The ledger is asked at the end of the run.
  if (share < 1 && open === 0) return ['done', '']
  if (share < 1) return [`${(Math.floor(share * 1000) / 10).toFixed(1)} %`, '']
  return rejected + dead > 0 ? ['complete, with rejects', 'warn'] : ['complete', 'good']
}

/** @param {LoadAnswer} answer @returns {Load} */
export function rowOf(answer) {
  const [word, tone] = outcomeOf(answer)
  return { ...answer, id: answer.loadId, word, tone, perSecond: answer.perSecond }
}

/** @param {LoadAnswer} answer @returns {[word: string, tone: string]} */
export function outcomeOf({ outcome, open, records }) {
  const percent = `${(Math.floor(((records - open) / Math.max(1, records)) * 1000) / 10).toFixed(1)} %`
  switch (outcome) {
    case 'wrong':
      return ['does not add up', 'bad']
    case 'loading':
      return [`loading elsewhere, ${percent}`, '']
    case 'open':
      return [`open, ${percent}`, 'quiet']
    case 'rejects':
      return ['complete, with rejects', 'warn']
    default:
      return ['complete', 'good']
  }
}

/** The receipt of a load, as the ledger has it. @param {string} id @param {() => void} ended */
export async function openReceipt(id, ended) {
  try {
    const answer = /** @type {LoadAnswer | undefined} */ (await get(`api/loads/${id}`))
    if (answer === undefined)
      return tell('The ledger does not know this load: nothing of it has a verdict yet.')
    showReceipt(answer)
  } catch (error) {
    if (error instanceof NotAllowed) return ended()
    tell(`Cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** @param {LoadAnswer} answer */
function showReceipt(answer) {
  const { loadId, pipeline, source, records, loaded, rejected, skipped, dead, open, filtered } = answer
  const {
    chunks,
    chunksDone,
    bytes: size,
    sha256,
    plan,
    startedAt,
    lastAt,
    tookMs,
    perSecond,
    problems,
  } = answer
  /** @type {[string, string][]} */
  const facts = [
    ['Load', loadId],
    ['Pipeline', pipeline],
    ...Object.entries({ records, loaded, rejected, skipped, dead, open }).map(
      ([name, value]) => /** @type {[string, string]} */ ([name, count(value)]),
    ),
  ]
  if (filtered > 0) facts.push(['left out on purpose', count(filtered)])
  facts.push(
    ['chunks', `${count(chunksDone)} of ${count(chunks)}`],
    ['size', `${count(size)} bytes`],
    ['begun', day(startedAt)],
  )
  if (lastAt !== undefined) facts.push(['last verdict', day(lastAt)])
  if (tookMs !== undefined)
    facts.push(['took', `${duration(tookMs)}${perSecond ? `, ${count(perSecond)} records/s` : ''}`])
  facts.push(['SHA-256', sha256], ['plan', plan])
  const verdict =
    problems.length > 0
      ? problems.join('; ')
      : open > 0
        ? `${counted(open, 'record')} without a verdict. ${answer.outcome === 'loading' ? 'Somebody is at work on it.' : 'Nobody is seen at work on it.'}`
        : 'Complete, and it adds up: records = loaded + rejected + skipped + dead.'
  const links = [
    rejected > 0 ? h('a', { href: `#/rejects?load=${loadId}` }, 'Its rejects') : undefined,
    dead > 0 ? h('a', { href: `#/dead?load=${loadId}` }, 'Its dead letters') : undefined,
  ].filter((link) => link !== undefined)
  showDialog(`Receipt of ${source}`, [
    h('p', {}, verdict),
    h(
      'dl',
      { class: 'facts' },
      ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, visible(value))]),
    ),
    links.length > 0 ? h('p', { class: 'links' }, ...links) : undefined,
  ])
}
