/** What of a list is selected: entries of this page, or all that the filter finds. */
import { count, h, setText } from './dom.js'

/**
 * @typedef {object} Extent
 * @property {number | undefined} total of all that the filter finds, where that is known
 * @property {boolean} isPart the page does not show all of them, and all of them can be changed
 * @property {boolean} isFiltered
 */

/**
 * @param {string} thing @param {HTMLTableElement} table
 * @param {(name: 'replay' | 'discard') => void} change
 */
export function keptSelection(thing, table, change) {
  /** @param {string} name @param {() => void} act @param {string} [label] */
  const button = (name, act, label) =>
    h('button', { type: 'button', 'aria-label': label, onclick: act }, name)
  const replay = button('Replay', () => change('replay'), 'Replay selected')
  const discard = button('Discard', () => change('discard'), 'Discard selected')
  const beyond = button('', () => {
    hasEverything = true
    arm()
    replay.focus()
  })
  const all = /** @type {HTMLInputElement} */ (
    h('input', { type: 'checkbox', 'aria-label': `Select all ${thing}s on this page`, onchange: selectAll })
  )
  const said = h('span', { class: 'quiet', role: 'status' })
  const element = h(
    'div',
    { class: 'tools' },
    h('label', { class: 'all' }, all, ' All'),
    replay,
    discard,
    said,
    beyond,
  )
  table.addEventListener('change', () => {
    hasEverything = false
    arm()
  })

  /** @type {Extent} */
  let extent = { total: 0, isPart: false, isFiltered: false }
  let hasEverything = false

  const boxes = () => [.../** @type {NodeListOf<HTMLInputElement>} */ (table.querySelectorAll('tbody input'))]
  const ids = () => boxes().flatMap((box) => (box.checked ? [Number(box.value)] : []))

  function selectAll() {
    for (const box of boxes()) box.checked = all.checked
    hasEverything = false
    arm()
  }

  function arm() {
    const { total, isPart, isFiltered } = extent
    const number = ids().length
    for (const each of [replay, discard]) each.toggleAttribute('disabled', number === 0)
    all.checked = number > 0 && number === boxes().length
    all.indeterminate = number > 0 && !all.checked
    const everything = `${total === undefined ? `${thing}s` : count(total)}${isFiltered ? ' that match' : ''}`
    beyond.hidden = !all.checked || !isPart || hasEverything
    setText(beyond, `Select all ${everything}`)
    const some = hasEverything ? `All ${everything} are` : count(number)
    setText(said, number === 0 ? '' : `${some} selected`)
  }

  return {
    element,
    ids,
    hasEverything: () => hasEverything,
    /** Once the list has been read. @param {Extent} now */
    fit(now) {
      extent = now
      arm()
    },
    /** Selects these alone. @param {readonly number[]} wanted */
    set(wanted) {
      hasEverything = false
      for (const box of boxes()) box.checked = wanted.includes(Number(box.value))
      arm()
    },
  }
}
