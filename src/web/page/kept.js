/** The list of rejects or of dead letters, with search, pages, actions, and one of them in full. */
import { get, NotAllowed } from './ask.js'
import { confirmFirst, tell } from './dialog.js'
import { byId, count, counted, h, setText } from './dom.js'
import { changeAll, changeThese, progressBar } from './kept-change.js'
import { keptDetail } from './kept-detail.js'
import { keptFilter, openOf } from './kept-filter.js'
import { kinds } from './kept-kinds.js'
import { keptSelection } from './kept-selection.js'
import { keepTable } from './table.js'

/** @import { KeptItem, ListAnswer, LoadAnswer, Reason } from '../answers.ts' */
/** @import { Column } from './table.js' */

/** @param {'rejects' | 'dead'} id @param {() => void} ended when the token is not valid any more */
export function keptView(id, ended) {
  const { title, thing, none, columns } = kinds[id]
  const section = byId(id)
  const heading = h('h1', { id: `${id}-title`, tabindex: '-1' }, title)
  const filter = keptFilter(id, (wanted) => go(wanted))
  const table = /** @type {HTMLTableElement} */ (h('table', { id: `${id}-table` }))
  const found = h('p', { class: 'found', id: `${id}-found`, role: 'status' })
  /** @param {string} name @param {() => void} act */
  const button = (name, act) => h('button', { type: 'button', onclick: act }, name)
  const more = button('Show new entries', () => void load())
  const previous = button('Previous page', () => turn(-1))
  const next = button('Next page', () => turn(1))
  const selection = keptSelection(thing, table, change)
  const running = progressBar(thing)
  const pager = h('p', { class: 'pager' }, previous, next)
  const one = keptDetail({
    id,
    thing,
    ended,
    close: () => go(parameters),
    step,
    changed: () => load(true),
  })
  const list = h('div', { class: 'list' }, selection.element, running.element, more, table, pager)
  section.append(
    h('div', { class: 'list-head' }, h('div', { class: 'bar' }, heading, found), filter.form),
    h('div', { class: 'both' }, list, one.element),
  )
  list.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && openId !== undefined) go(parameters)
  })

  const fill = keepTable(
    table,
    title,
    /** @type {Column<KeptItem>[]} */ ([
      { head: 'Select', text: (item) => `Select ${thing} ${item.id}`, check: true },
      { head: 'No.', text: (item) => String(item.id), number: true, open: (item) => go(parameters, item.id) },
      ...columns,
    ]),
    (item) => String(item.id),
  )
  addEventListener('beforeunload', (event) => one.isChanged() && event.preventDefault())

  let parameters = new URLSearchParams()
  /** The id before each page up to the current one, and the entries on the pages before it. */
  let pages = [{ after: 0, before: 0 }]
  /** @type {ListAnswer<KeptItem> | undefined} */
  let answer
  /** Of all that the filter finds, where that is known. @type {number | undefined} */
  let total
  /** @type {number | undefined} */
  let openId
  let asked = 0
  /** Number of entries when the list was read. */
  let atReading = 0
  let known = 0

  /** @param {URLSearchParams} wanted @param {number} [number] of the one to be shown */
  function go(wanted, number) {
    if (one.isChanged()) {
      filter.set(parameters)
      return confirmFirst(
        'Leave without saving?',
        'The changes to this record are not saved.',
        'Leave',
        () => (one.close(), go(wanted, number)),
      )
    }
    const query = new URLSearchParams(wanted)
    if (number !== undefined) query.set('id', String(number))
    const hash = `#/${id}${query.size === 0 ? '' : `?${query}`}`
    if (location.hash === hash) void show(String(query))
    else location.hash = hash
  }

  /** @param {string} query */
  async function show(query) {
    const wanted = new URLSearchParams(query)
    const wantedId = Number(wanted.get('id')) || undefined
    wanted.delete('id')
    const [closedId, isSame] = [openId, String(wanted) === String(parameters)]
    const isStep = answer !== undefined && isSame && wantedId !== openId
    // The page was connected again: a correction that was begun stays.
    if (isSame && wantedId === openId && one.isChanged()) return
    openId = wantedId
    section.classList.toggle('open', openId !== undefined)
    if (openId === undefined) one.close()
    if (!isStep) {
      parameters = wanted
      filter.set(parameters)
      pages = [{ after: 0, before: 0 }]
      selection.set([])
      await load()
    }
    mark()
    if (openId !== undefined) return one.open(openId)
    if (isStep) (buttonOf(closedId) ?? heading).focus()
  }

  /** The next or previous one of the list, also of one that has left it. @param {number} from @param {1 | -1} by */
  function step(from, by) {
    const ids = (answer?.items ?? []).map((item) => item.id)
    const to = by > 0 ? ids.find((each) => each > from) : ids.findLast((each) => each < from)
    if (to !== undefined) go(parameters, to)
  }

  /** @param {number} by */
  function turn(by) {
    const { before } = pages.at(-1) ?? { before: 0 }
    if (by < 0) pages.pop()
    else if (answer?.next !== undefined)
      pages.push({ after: answer.next, before: before + answer.items.length })
    void load().then(() => heading.scrollIntoView())
  }

  /** @param {boolean} [keeps] what is selected */
  async function load(keeps = false) {
    const turnOf = ++asked
    section.setAttribute('aria-busy', 'true')
    for (const each of [previous, next]) each.toggleAttribute('disabled', true)
    try {
      const about = offers()
      for (;;) {
        const query = new URLSearchParams(parameters)
        query.set('after', String(pages.at(-1)?.after ?? 0))
        const now = /** @type {ListAnswer<KeptItem> | undefined} */ (await get(`api/${id}?${query}`))
        // A newer request has overtaken this one.
        if (turnOf !== asked) return
        answer = now
        if (now?.next === undefined || now.items.length > 0) break
        // The server limits the time of a search, so continue without asking the person.
        pages.splice(-1, 1, { after: now.next, before: pages.at(-1)?.before ?? 0 })
        setText(found, `Searched up to No. ${count(now.next)}…`)
      }
      atReading = known
      total = totalOf([])
      draw(keeps)
      // To count may take longer.
      const { reasons, loads } = await about
      if (turnOf !== asked) return
      filter.offer(reasons, answer?.items ?? [], loads)
      total = totalOf(reasons)
      say()
      fit()
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      setText(found, `Cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
      previous.toggleAttribute('disabled', pages.length === 1)
    } finally {
      if (turnOf === asked) section.removeAttribute('aria-busy')
    }
  }

  /** What the filter can choose from. The list is shown without it, if need be. */
  async function offers() {
    const loadId = parameters.get('load')
    const [reasons, loads] = await Promise.all([
      id === 'dead' ? [] : get(`api/reasons${loadId === null ? '' : `?load=${loadId}`}`).catch(() => []),
      get('api/loads?state=rejects')
        .then((answered) => answered?.items)
        .catch(() => []),
    ])
    return {
      reasons: /** @type {Reason[]} */ (reasons ?? []),
      loads: /** @type {LoadAnswer[]} */ (loads ?? []),
    }
  }

  /** Known of a list without a search, and where one page holds all. @param {readonly Reason[]} reasons */
  function totalOf(reasons) {
    const { before } = pages.at(-1) ?? { before: 0 }
    const seen = before + (answer?.items.length ?? 0)
    if (answer?.next === undefined) return seen
    if (id === 'dead' || parameters.has('search') || parameters.has('state')) return undefined
    const sum = openOf(reasons, parameters)
    // Counts are a little older than the list.
    return sum > seen ? sum : undefined
  }

  /** @param {boolean} keeps */
  function draw(keeps) {
    const { items = [], next: after } = answer ?? {}
    const kept = keeps ? selection.ids() : []
    fill(items)
    say()
    previous.toggleAttribute('disabled', pages.length === 1)
    next.toggleAttribute('disabled', after === undefined)
    pager.hidden = pages.length === 1 && after === undefined
    more.hidden = true
    selection.element.hidden = items.length === 0
    selection.set(kept)
    fit()
    mark()
  }

  /** How many there are, and which of them are shown. */
  function say() {
    const { items = [], next: after } = answer ?? {}
    const { before } = pages.at(-1) ?? { before: 0 }
    const range = `${count(before + 1)}–${count(before + items.length)}`
    const numbers =
      after === undefined && before === 0
        ? counted(items.length, thing)
        : `${range} of ${total === undefined ? 'more' : counted(total, thing)}`
    const nothing =
      answer === undefined
        ? 'This run has no database: see the page of a consumer.'
        : parameters.size > 0
          ? 'No matches.'
          : none
    const part =
      after !== undefined && items.length < 100
        ? ` Searched up to No. ${count(after)}; the next page continues.`
        : ''
    setText(found, `${items.length === 0 ? nothing : numbers}${part}`)
  }

  /** Marks the row of what is open. */
  function mark() {
    for (const row of table.querySelectorAll('tr[aria-current]')) row.removeAttribute('aria-current')
    rowOf(openId)?.setAttribute('aria-current', 'true')
  }

  /** @param {number | undefined} number */
  const rowOf = (number) => table.querySelector(`tbody input[value="${number}"]`)?.closest('tr')
  /** @param {number | undefined} number @returns {HTMLElement | null | undefined} */
  const buttonOf = (number) => rowOf(number)?.querySelector('button')

  const fit = () =>
    selection.fit({
      total,
      isPart: (pages.length > 1 || answer?.next !== undefined) && !parameters.has('state'),
      isFiltered: parameters.size > 0,
    })

  /** @param {'replay' | 'discard'} name */
  function change(name) {
    const [ids, hasEverything] = [selection.ids(), selection.hasEverything()]
    const number = hasEverything ? total : ids.length
    const act = () =>
      void (hasEverything
        ? changeEverything(name)
        : (tell('At work…'), doing(() => changeThese(id, name, ids))))
    if (name === 'replay') return act()
    const what = number === undefined ? `all ${thing}s that match` : counted(number, thing)
    confirmFirst(
      `Discard ${what}?`,
      'They leave this list permanently. They still count as not loaded, so the receipt adds up.',
      'Discard',
      act,
    )
  }

  /** @param {'replay' | 'discard'} name */
  async function changeEverything(name) {
    selection.element.hidden = true
    const watch = running.begin(name, total)
    await doing(() => changeAll(id, name, parameters, watch))
    running.end()
  }

  /** @param {() => Promise<string>} act */
  async function doing(act) {
    let said
    try {
      said = await act()
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      said = `Not done: ${error instanceof Error ? error.message : String(error)}`
    }
    pages = [{ after: 0, before: 0 }]
    await load()
    heading.focus()
    tell(said)
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
      if (
        !more.hidden &&
        answer !== undefined &&
        answer.items.length === 0 &&
        !section.hasAttribute('aria-busy')
      )
        void load()
    },
  }
}
