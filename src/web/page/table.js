/** Tables that update in place, so that focus and selection stay. */
import { h, visible } from './dom.js'

/**
 * @template Item
 * @typedef {object} Column
 * @property {string} head
 * @property {(item: Item) => string} text
 * @property {(item: Item) => (Node | string)[]} [draw] instead of the text, which tells when to draw again
 * @property {boolean} [number]
 * @property {boolean} [wide] hidden on a narrow screen
 * @property {(item: Item) => void} [open] the text is a button
 * @property {boolean} [check] a checkbox for the row, labelled with the text
 * @property {(item: Item) => string} [tone] class of the cell
 * @property {string} [look] class of the whole column
 */

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap()

/**
 * @template Item
 * @param {HTMLTableElement} table
 * @param {string} caption for screen readers
 * @param {readonly Column<Item>[]} columns
 * @param {(item: Item) => string} keyOf
 * @returns {(items: readonly Item[]) => void}
 */
export function keepTable(table, caption, columns, keyOf) {
  const heads = columns.map((column) =>
    h(
      'th',
      { scope: 'col', class: classOf(column) },
      column.check ? h('span', { class: 'unseen' }, column.head) : column.head,
    ),
  )
  const body = /** @type {HTMLTableSectionElement} */ (h('tbody', { onkeydown: walk }))
  table.append(h('caption', { class: 'unseen' }, caption), h('thead', {}, h('tr', {}, ...heads)), body)
  /** @type {Map<string, { row: HTMLElement, current: Item }>} */
  const rows = new Map()

  /** @param {Item} item */
  const make = (item) => {
    const entry = { row: h('tr'), current: item }
    for (const column of columns) {
      const { open, check } = column
      const cell = h('td', { class: classOf(column) })
      if (open)
        cell.append(h('button', { type: 'button', class: 'plain', onclick: () => open(entry.current) }))
      if (check) cell.append(h('input', { type: 'checkbox', value: keyOf(item) }))
      entry.row.append(cell)
    }
    return entry
  }

  return (items) => {
    table.hidden = items.length === 0
    const wanted = new Set(items.map(keyOf))
    for (const [key, { row }] of rows) if (!wanted.has(key) && rows.delete(key)) row.remove()
    for (const [index, item] of items.entries()) {
      const key = keyOf(item)
      const entry = rows.get(key) ?? make(item)
      entry.current = item
      rows.set(key, entry)
      if (body.children[index] !== entry.row) body.insertBefore(entry.row, body.children[index] ?? null)
      for (const [place, column] of columns.entries())
        write(/** @type {HTMLElement} */ (entry.row.children[place]), column, item)
    }
  }
}

/** @template Item @param {HTMLElement} cell @param {Column<Item>} column @param {Item} item */
function write(cell, column, item) {
  const { text, draw, tone, check } = column
  const now = text(item)
  const target = cell.firstElementChild?.matches('button, input') ? cell.firstElementChild : cell
  if (shown.get(cell) !== now) {
    shown.set(cell, now)
    if (check) target.setAttribute('aria-label', now)
    else
      target.replaceChildren(
        ...(draw ? draw(item) : /^[A-Z]+(_[A-Z]+)+$/.test(now) ? breakable(now) : [visible(now)]),
      )
  }
  if (tone) cell.className = `${classOf(column)} ${tone(item)}`
}

/** Lets a code wrap between its words on a narrow screen. @param {string} code */
const breakable = (code) =>
  code.split(/(?<=_)/).flatMap((word, index) => (index === 0 ? [word] : [h('wbr'), word]))

/** @template Item @param {Column<Item>} column */
const classOf = ({ number, wide, check, look }) =>
  [look, number && 'number', wide && 'wide', check && 'check'].filter(Boolean).join(' ')

/** Moves between rows with the arrow keys or j and k. @param {KeyboardEvent} event */
function walk(event) {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key]
  if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return
  const from = /** @type {HTMLElement} */ (event.target)
  const row = from.closest('tr')
  const to = step > 0 ? row?.nextElementSibling : row?.previousElementSibling
  /** @type {HTMLElement | null | undefined} */ to?.querySelector(
    from.matches('input') ? 'input' : 'button',
  )?.focus()
  event.preventDefault()
}
