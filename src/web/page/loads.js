/** Loads: what this run and the ledger know of them, and the receipt of each. */
import { showDialog } from './dialog.js'
import { count, counted, day, h, visible } from './dom.js'

/** @import { Snapshot } from '../../observe/snapshot.ts' */
/** @import { LoadAnswer } from '../answers.ts' */

/**
 * A load, as known to this run, to the ledger, or to both.
 *
 * @typedef {{ id: string, source: string, state: string, records: number, loaded: number, rejected: number,
 * skipped: number, dead: number, open: number, perSecond: number | undefined, receipt: LoadAnswer | undefined
 * }} Load
 */

/**
 * Running loads first, then the newest. The ledger knows about other runs; this run has newer numbers.
 * @param {Snapshot} snapshot @param {readonly LoadAnswer[]} receipts @returns {Load[]}
 */
export function loadsOf({ loads, process }, receipts) {
  const byLoad = new Map(receipts.map((receipt) => [receipt.loadId, receipt]))
  const own = loads.map((load) => {
    const receipt = byLoad.get(load.loadId)
    byLoad.delete(load.loadId)
    const done = load.loaded + load.rejected + load.skipped + load.dead
    const seen = receipt && receipt.records - receipt.open
    const { loaded, rejected, skipped, dead } =
      receipt && /** @type {number} */ (seen) >= done ? receipt : load
    const after =
      process.command === 'produce'
        ? load.records - load.published
        : load.records - loaded - rejected - skipped - dead
    const open = load.state === 'skipped' ? (receipt?.open ?? 0) : Math.max(0, after)
    return { ...load, id: load.loadId, loaded, rejected, skipped, dead, open, receipt }
  })
  const others = [...byLoad.values()].map((receipt) => ({
    ...receipt,
    id: receipt.loadId,
    state: '',
    perSecond: undefined,
    receipt,
  }))
  const [working, done] = [own.filter(({ open }) => open > 0), own.filter(({ open }) => open === 0)]
  return [...working, ...done.toReversed(), ...others]
}

/** @param {Load} load */
export function stateOf({ state, open, records, receipt }) {
  if (receipt && receipt.problems.length > 0 && open === 0) return 'does not add up'
  if (open > 0)
    return state === 'planned'
      ? 'planned'
      : `${Math.floor(((records - open) / Math.max(1, records)) * 100)} %`
  if (state === 'skipped') return 'done before'
  return receipt?.open === 0 ? 'adds up' : 'done'
}

/** @param {Load} load */
export function toneOf(load) {
  const state = stateOf(load)
  return state === 'does not add up' ? 'bad' : state === 'adds up' || state === 'done' ? 'good' : ''
}

/** @param {Load} load */
export function showReceipt({ id, source, records, loaded, rejected, skipped, dead, open, receipt }) {
  /** @type {[string, string][]} */
  const facts = [
    ['Load', id],
    ...Object.entries({ records, loaded, rejected, skipped, dead, open }).map(
      ([name, value]) => /** @type {[string, string]} */ ([name, count(value)]),
    ),
  ]
  if (receipt) {
    const { chunks, chunksDone, bytes: size, sha256, plan, startedAt } = receipt
    if (receipt.filtered > 0) facts.push(['left out on purpose', count(receipt.filtered)])
    facts.push(
      ['chunks', `${count(chunksDone)} of ${count(chunks)}`],
      ['size', `${count(size)} bytes`],
      ['SHA-256', sha256],
      ['plan', plan],
      ['begun', day(startedAt)],
    )
  }
  const verdict =
    receipt === undefined
      ? 'Not in the ledger yet.'
      : receipt.problems.length > 0
        ? receipt.problems.join('; ')
        : open > 0
          ? `${counted(open, 'record')} without a verdict yet.`
          : 'Complete, and it adds up: records = loaded + rejected + skipped + dead.'
  showDialog(`Receipt of ${source}`, [
    h('p', {}, verdict),
    h(
      'dl',
      { class: 'facts' },
      ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, visible(value))]),
    ),
    rejected > 0 ? h('p', {}, h('a', { href: `#/rejects?load=${id}` }, 'Its rejects')) : undefined,
  ])
}
