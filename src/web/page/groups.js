/** The numbers of a run in three groups. What is not known is not there. */
import { byId, bytes, count, duration, h, setText } from './dom.js'

/** @import { Snapshot } from '../../observe/snapshot.ts' */
/** @typedef {readonly [name: string, value: string, tone?: string]} Fact */

/** @type {Map<string, { names: string, values: HTMLElement[] }>} */
const shown = new Map()

/** @param {Snapshot} snapshot */
export function showGroups(snapshot) {
  show('Records', recordsOf(snapshot))
  show('Queue', queueOf(snapshot))
  show('Run', runOf(snapshot))
}

/** @param {Snapshot} snapshot @returns {Fact[]} */
function recordsOf({ process, totals, work, loose }) {
  if (process.command === 'ui') return []
  if (process.command === 'produce') return [['Published', count(totals.published)]]
  return [
    ['Loaded', count(totals.loaded)],
    ['Rejected', count(totals.rejected), totals.rejected > 0 ? 'warn' : ''],
    ['Skipped', count(totals.skipped)],
    ['Dead', count(work.dead), work.dead > 0 ? 'bad' : ''],
    // How many records were in them, nobody knows.
    ...(loose.deadMessages > 0
      ? [/** @type {Fact} */ (['Dead messages', count(loose.deadMessages), 'bad'])]
      : []),
  ]
}

/** @param {Snapshot} snapshot @returns {Fact[]} */
function queueOf({ queue: { depth, failures } }) {
  if (depth === undefined) return failures > 0 ? [['Depth', 'no answer', 'warn']] : []
  const { ready, inFlight, dead, oldestMs } = depth
  return [
    ['Ready', count(ready)],
    ...(inFlight === undefined ? [] : [/** @type {Fact} */ (['In flight', count(inFlight)])]),
    ...(oldestMs === undefined ? [] : [/** @type {Fact} */ (['Oldest message', duration(oldestMs)])]),
    ...(dead > 0 ? [/** @type {Fact} */ (['In its dead-letter queue', count(dead), 'bad'])] : []),
  ]
}

/** @param {Snapshot} snapshot @returns {Fact[]} */
function runOf({ at, process, course, perSecond }) {
  if (process.command === 'ui') return []
  if (course.ended) return [['Ran for', duration(course.ended.at - process.startedAt)]]
  return [
    ['Records/s', count(perSecond)],
    ['Memory', bytes(process.memoryBytes)],
    ['Running for', duration(at - process.startedAt)],
  ]
}

/** Makes elements only for other facts than before, so that selections stay. @param {string} title @param {Fact[]} facts */
function show(title, facts) {
  const id = `group-${title.toLowerCase()}`
  const names = facts.map(([name]) => name).join()
  const box = byId(id)
  box.hidden = facts.length === 0
  if (shown.get(id)?.names !== names) {
    const values = facts.map(() => h('dd'))
    shown.set(id, { names, values })
    box.replaceChildren(
      h('h2', { id: `${id}-title` }, title),
      h('dl', {}, ...facts.map(([name], index) => h('div', {}, h('dt', {}, name), values[index]))),
    )
  }
  for (const [index, [, value, tone = '']] of facts.entries()) {
    const cell = /** @type {HTMLElement} */ (shown.get(id)?.values[index])
    setText(cell, value)
    cell.className = tone
  }
}
