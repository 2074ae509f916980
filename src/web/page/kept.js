/**
 * The list of rejects or of dead letters, with search, pages, details and actions.
 */
import { get, NotAllowed, post } from './ask.js'
import { closeDialog, confirmFirst, showDialog, tell } from './dialog.js'
import { detailOf, summaryOf } from './kept-detail.js'
import { byId, count, counted, h, setText } from './dom.js'
import { keepTable } from './table.js'

/** @import { KeptAnswer, KeptItem, ListAnswer, Outcome } from '../answers.ts' */

/**
 * @param {{ id: 'rejects' | 'dead', title: string, thing: string, columns: readonly import('./table.js').Column<KeptItem>[], none: string, ended: () => void }} about
 */
export function keptView({ id, title, thing, columns, none, ended }) {
  const section = byId(id)
  const [form, fields] = filterForm(id)
  const table = /** @type {HTMLTableElement} */ (h('table', { id: `${id}-table` }))
  const found = h('p', { class: 'empty', id: `${id}-found` })
  const more = h('button', { type: 'button', hidden: true, onclick: () => void load() }, 'Show new entries')
  const previous = h('button', { type: 'button', onclick: () => turn(-1) }, 'Previous page')
  const next = h('button', { type: 'button', onclick: () => turn(1) }, 'Next page')
  const replay = h(
    'button',
    { type: 'button', onclick: () => void change('replay', selected()) },
    'Replay selected',
  )
  const discard = h('button', { type: 'button', onclick: () => askDiscard(selected()) }, 'Discard selected')
  const all = h('input', {
    type: 'checkbox',
    'aria-label': `Select all ${thing}s on this page`,
    onchange: selectAll,
  })
  const tools = h('div', { class: 'tools' }, h('label', { class: 'all' }, all, ' All'), replay, discard)
  const pager = h('p', { class: 'pager' }, previous, next)
  section.append(h('h1', { id: `${id}-title` }, title), form, tools, more, found, table, pager)

  const fill = keepTable(
    table,
    title,
    /** @type {import('./table.js').Column<KeptItem>[]} */ ([
      { head: 'Select', text: (item) => `Select ${thing} ${item.id}`, check: true },
      { head: 'No.', text: (item) => String(item.id), number: true, open: (item) => void open(item.id) },
      ...columns,
    ]),
    (item) => String(item.id),
  )
  table.addEventListener('change', arm)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const words = [...new FormData(/** @type {HTMLFormElement} */ (form))].filter(([, value]) => value !== '')
    const hash = `#/${id}${words.length === 0 ? '' : `?${new URLSearchParams(/** @type {[string, string][]} */ (words))}`}`
    if (location.hash === hash)
      void show(words.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&'))
    else location.hash = hash
  })

  let parameters = new URLSearchParams()
  /** The id before each page up to the current one. */
  let pages = [0]
  /** @type {ListAnswer<KeptItem> | undefined} */
  let answer
  let asked = 0
  /** Number of entries when the list was read. */
  let atReading = 0
  let known = 0

  /** @param {string} query */
  async function show(query) {
    parameters = new URLSearchParams(query)
    for (const [name, field] of Object.entries(fields)) field.value = parameters.get(name) ?? ''
    pages = [0]
    await load()
  }

  /** @param {number} step */
  function turn(step) {
    if (step < 0) pages.pop()
    else if (answer?.next !== undefined) pages.push(answer.next)
    void load().then(() => byId(`${id}-title`).scrollIntoView())
  }

  async function load() {
    const turnOf = ++asked
    section.setAttribute('aria-busy', 'true')
    for (const button of [previous, next]) button.toggleAttribute('disabled', true)
    try {
      for (;;) {
        const query = new URLSearchParams(parameters)
        query.set('after', String(pages.at(-1)))
        const now = /** @type {ListAnswer<KeptItem> | undefined} */ (await get(`api/${id}?${query}`))
        // A newer request has overtaken this one.
        if (turnOf !== asked) return
        answer = now
        if (now?.next === undefined || now.items.length > 0) break
        // The server limits the time of a search, so continue without asking the person.
        pages.splice(-1, 1, now.next)
        setText(found, `Searched up to No. ${count(now.next)}…`)
      }
      atReading = known
      draw()
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      setText(found, `Cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      if (turnOf === asked) section.removeAttribute('aria-busy')
    }
  }

  function draw() {
    const { items = [], next: after } = answer ?? {}
    fill(items)
    const isFiltered = [...parameters.keys()].length > 0
    const nothing =
      answer === undefined
        ? 'This run has no database: see the page of a consumer.'
        : isFiltered
          ? 'No matches.'
          : none
    const part =
      after === undefined
        ? ''
        : items.length < 100
          ? ` Searched up to No. ${count(after)}; the next page continues.`
          : ''
    setText(
      found,
      items.length === 0
        ? `${nothing}${part}`
        : `${counted(items.length, thing)} from No. ${count(items[0]?.id ?? 0)} on.${part}`,
    )
    previous.toggleAttribute('disabled', pages.length === 1)
    next.toggleAttribute('disabled', after === undefined)
    pager.hidden = pages.length === 1 && after === undefined
    more.hidden = true
    for (const box of boxes()) box.checked = false
    tools.hidden = items.length === 0
    arm()
  }

  const boxes = () => [.../** @type {NodeListOf<HTMLInputElement>} */ (table.querySelectorAll('tbody input'))]
  const selected = () => boxes().flatMap((box) => (box.checked ? [Number(box.value)] : []))

  function arm() {
    const selectedNow = selected().length
    for (const button of [replay, discard]) button.toggleAttribute('disabled', selectedNow === 0)
    const box = /** @type {HTMLInputElement} */ (all)
    box.checked = selectedNow > 0 && selectedNow === boxes().length
    box.indeterminate = selectedNow > 0 && !box.checked
  }

  /** @param {Event} event */
  function selectAll(event) {
    for (const box of boxes()) box.checked = /** @type {HTMLInputElement} */ (event.target).checked
    arm()
  }

  /** @param {number} one */
  async function open(one) {
    try {
      const kept = /** @type {KeptAnswer | undefined} */ (await get(`api/${id}/${one}`))
      if (kept === undefined) return tell(`${thing} ${one} no longer exists.`)
      const actions = [
        h(
          'button',
          { type: 'button', class: 'first', onclick: () => (closeDialog(), void change('replay', [one])) },
          'Replay',
        ),
        h('button', { type: 'button', onclick: () => askDiscard([one]) }, 'Discard'),
      ]
      showDialog(
        `${thing[0]?.toUpperCase()}${thing.slice(1)} ${one}`,
        detailOf(kept),
        kept.state === 'open' || kept.state === 'dead' ? actions : [],
      )
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      tell(`Cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** @param {number[]} ids */
  function askDiscard(ids) {
    const what = ids.length === 1 ? `${thing} ${ids[0]}` : counted(ids.length, thing)
    confirmFirst(
      `Discard ${what}?`,
      'They leave this list permanently. They still count as not loaded, so the receipt adds up.',
      'Discard',
      () => void change('discard', ids),
    )
  }

  /** @param {'replay' | 'discard'} name @param {number[]} ids */
  async function change(name, ids) {
    tell(name === 'replay' ? 'Replaying…' : 'Discarding…')
    try {
      tell(summaryOf(/** @type {Outcome[]} */ (await post(`api/${id}/${name}`, { ids }))))
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      tell(`Not done: ${error instanceof Error ? error.message : String(error)}`)
    }
    await load()
    byId('main').focus()
  }

  return {
    show,
    /**
     * Takes the number of entries from each snapshot. The list itself never changes while a person reads it.
     * @param {number} number
     */
    heard(number) {
      known = number
      more.hidden = number <= atReading || section.hidden
      if (!more.hidden && answer !== undefined && answer.items.length === 0) void load()
    },
  }
}

/** @param {string} id @returns {[HTMLElement, Readonly<Record<string, HTMLInputElement>>]} */
function filterForm(id) {
  /** @param {string} name @param {string} label @param {Readonly<Record<string, string>>} [attributes] */
  const field = (name, label, attributes = {}) => {
    const input = /** @type {HTMLInputElement} */ (
      h('input', { id: `${id}-${name}`, name, spellcheck: 'false', autocomplete: 'off', ...attributes })
    )
    return { input, shown: h('p', {}, h('label', { for: `${id}-${name}` }, label), input) }
  }
  const names = {
    search: field('search', 'Search', {
      type: 'search',
      maxlength: '200',
      placeholder: 'text, place or reason',
    }),
    code: field('code', 'Code', { placeholder: 'all' }),
    ...(id === 'rejects' ? { column: field('column', 'Column', { placeholder: 'all' }) } : {}),
    load: field('load', 'Load', {
      placeholder: 'all',
      pattern: '[0-9a-fA-F\\-]{36}',
      title: 'the id of a load',
    }),
  }
  const buttons = h(
    'p',
    { class: 'buttons' },
    h('button', { class: 'first' }, 'Search'),
    h('a', { href: `#/${id}` }, 'Clear'),
  )
  const form = h(
    'form',
    { class: 'filter', role: 'search' },
    ...Object.values(names).map(({ shown }) => shown),
    buttons,
  )
  return [form, Object.fromEntries(Object.entries(names).map(([name, { input }]) => [name, input]))]
}
