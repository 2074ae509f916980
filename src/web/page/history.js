/** The loads that the ledger knows, of all runs: filtered, a page at a time, each with an address of its own. */
import { get, NotAllowed } from './ask.js'
import { byId, count, counted, day, duration, h, setText, visibleText } from './dom.js'
import { openReceipt, outcomeOf } from './loads.js'
import { keepTable } from './table.js'

/** @import { LoadAnswer } from '../answers.ts' */
/** @import { Snapshot } from '../../observe/snapshot.ts' */
/** @typedef {{ items: LoadAnswer[], next?: string }} Answer */

/** How often open loads are looked at again, in milliseconds. */
const againMs = 4_000

const states = [
  ['', 'all'],
  ['open', 'open'],
  ['complete', 'complete'],
  ['rejects', 'with rejects'],
]

/** @param {() => void} ended when the token is not valid any more */
export function historyView(ended) {
  const section = byId('history')
  const search = field(
    'search',
    'File name',
    h('input', { type: 'search', maxlength: 200, autocomplete: 'off' }),
  )
  const state = field('state', 'State', choice(states))
  const pipeline = field('pipeline', 'Pipeline', choice([['', 'all']]))
  const form = h(
    'form',
    { class: 'filter', role: 'search', 'aria-label': 'Loads' },
    search.box,
    state.box,
    pipeline.box,
    h(
      'p',
      { class: 'buttons' },
      h('button', { class: 'first' }, 'Search'),
      h('a', { href: '#/loads' }, 'Clear'),
    ),
  )
  const found = h('p', { class: 'empty', id: 'history-found', role: 'status' })
  const more = h('button', { type: 'button', hidden: true, onclick: () => void load() }, 'Show new loads')
  const table = /** @type {HTMLTableElement} */ (h('table', { id: 'history-table' }))
  const previous = h('button', { type: 'button', onclick: () => turn(-1) }, 'Previous page')
  const next = h('button', { type: 'button', onclick: () => turn(1) }, 'Next page')
  const pager = h('p', { class: 'pager' }, previous, next)
  const queue = h('p', { id: 'history-queue' })
  section.append(h('h1', { id: 'history-title' }, 'Loads'), queue, form, more, found, table, pager)

  const fill = keepTable(
    table,
    'Loads in the ledger, the newest first',
    /** @type {import('./table.js').Column<LoadAnswer>[]} */ ([
      {
        head: 'Source',
        text: ({ source }) => source,
        open: ({ loadId }) => (location.hash = `#/loads/${loadId}`),
      },
      { head: 'State', text: (item) => outcomeOf(item)[0], tone: (item) => outcomeOf(item)[1] },
      { head: 'Begun', text: ({ startedAt }) => day(startedAt), wide: true },
      {
        head: 'Took',
        text: ({ tookMs }) => (tookMs === undefined ? '' : duration(tookMs)),
        number: true,
        wide: true,
      },
      { head: 'Records', text: ({ records }) => count(records), number: true },
      {
        head: 'Rejected',
        text: ({ rejected }) => count(rejected),
        number: true,
        tone: ({ rejected }) => (rejected > 0 ? 'warn' : 'quiet'),
      },
      {
        head: 'Dead',
        text: ({ dead }) => count(dead),
        number: true,
        wide: true,
        tone: ({ dead }) => (dead > 0 ? 'bad' : 'quiet'),
      },
      {
        head: 'Records/s',
        text: ({ perSecond }) => (perSecond ? count(perSecond) : ''),
        number: true,
        wide: true,
      },
      { head: 'Pipeline', text: (item) => item.pipeline, wide: true },
    ]),
    ({ loadId }) => loadId,
  )

  let parameters = new URLSearchParams()
  /** The load before each page up to the current one. @type {string[]} */
  let pages = ['']
  /** @type {Answer | undefined} */
  let answer
  let asked = 0

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const words = [...new FormData(/** @type {HTMLFormElement} */ (form))].filter(([, value]) => value !== '')
    const query = new URLSearchParams(/** @type {[string, string][]} */ (words)).toString()
    const hash = query === '' ? '#/loads' : `#/loads?${query}`
    if (location.hash === hash) void show(query)
    else location.hash = hash
  })
  for (const { input } of [state, pipeline])
    input.addEventListener('change', () => /** @type {HTMLFormElement} */ (form).requestSubmit())
  // The address of a load is that of its receipt; without it, that of the list.
  const leave = () => {
    if (/^#\/loads\/./.test(location.hash))
      history.replaceState(null, '', `${location.pathname}${listAddress()}`)
  }
  byId('dialog').addEventListener('close', leave)
  setInterval(() => void refresh(), againMs)

  const listAddress = () => (parameters.size === 0 ? '#/loads' : `#/loads?${parameters}`)

  /** @param {string} query */
  async function show(query) {
    parameters = new URLSearchParams(query)
    for (const [name, { input }] of /** @type {const} */ ([
      ['search', search],
      ['state', state],
      ['pipeline', pipeline],
    ]))
      input.value = parameters.get(name) ?? ''
    pages = ['']
    await Promise.all([load(), fillPipelines()])
  }

  async function fillPipelines() {
    const names = /** @type {string[]} */ ((await get('api/pipelines').catch(() => undefined)) ?? [])
    const chosen = parameters.get('pipeline') ?? ''
    const all = [...new Set(chosen === '' ? names : [...names, chosen])]
    pipeline.input.replaceChildren(...optionsOf([['', 'all'], ...all.map((name) => [name, name])]))
    pipeline.input.value = chosen
    pipeline.box.hidden = all.length < 2 && chosen === ''
  }

  /** @param {number} step */
  function turn(step) {
    if (step < 0) pages.pop()
    else if (answer?.next !== undefined) pages.push(answer.next)
    void load().then(() => byId('history-title').scrollIntoView())
  }

  async function load() {
    const turnOf = ++asked
    section.setAttribute('aria-busy', 'true')
    try {
      const now = await ask()
      // A newer request has overtaken this one.
      if (turnOf !== asked) return
      answer = now
      draw()
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      setText(found, `Cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      if (turnOf === asked) section.removeAttribute('aria-busy')
    }
  }

  /** @returns {Promise<Answer | undefined>} */
  function ask() {
    const query = new URLSearchParams(parameters)
    const after = pages.at(-1)
    if (after) query.set('after', after)
    return get(`api/loads?${query}`)
  }

  /** Loads that are listed move on; new ones come when a person asks for them. */
  async function refresh() {
    if (section.hidden || document.hidden || answer === undefined || section.hasAttribute('aria-busy')) return
    const turnOf = asked
    const now = await ask().catch(() => undefined)
    if (now === undefined || turnOf !== asked) return
    const listed = new Set(answer.items.map(({ loadId }) => loadId))
    const newer = new Map(now.items.map((item) => [item.loadId, item]))
    more.hidden = now.items.every(({ loadId }) => listed.has(loadId)) || pages.length > 1
    answer = { ...answer, items: answer.items.map((item) => newer.get(item.loadId) ?? item) }
    if (answer.items.length === 0 && now.items.length > 0) return void load()
    fill(answer.items)
  }

  function draw() {
    const { items = [], next: after } = answer ?? {}
    fill(items)
    more.hidden = true
    const none = parameters.size > 0 ? 'No matches.' : 'No load yet.'
    setText(
      found,
      answer === undefined
        ? 'This run has no database: see the page of a consumer.'
        : items.length === 0
          ? none
          : `${counted(items.length, 'load')}, the newest first${pages.length > 1 ? `; page ${pages.length}` : ''}.`,
    )
    previous.toggleAttribute('disabled', pages.length === 1)
    next.toggleAttribute('disabled', after === undefined)
    pager.hidden = pages.length === 1 && after === undefined
  }

  return {
    /** Without a run, what waits in a queue has no other place. @param {Snapshot} snapshot */
    heard({ process, queue: { depth, failures } }) {
      const { ready = 0, inFlight, oldestMs } = depth ?? {}
      const parts = [
        `${count(ready)} ready`,
        inFlight === undefined ? '' : `${count(inFlight)} in flight`,
        oldestMs === undefined ? '' : `oldest ${duration(oldestMs)}`,
      ]
      const known = depth === undefined ? '' : `Queue: ${parts.filter((part) => part !== '').join(', ')}`
      const told = known === '' && failures > 0 ? 'The queue does not answer.' : known
      setText(queue, process.command === 'ui' ? told : '')
    },
    /** @param {string} id of a load, or empty @param {string} query */
    async show(id, query) {
      if (id !== '') {
        if (answer === undefined) await show('')
        await openReceipt(id, ended)
        if (!(/** @type {HTMLDialogElement} */ (byId('dialog')).open)) leave()
        return
      }
      await show(query)
    },
  }
}

/**
 * @template {HTMLElement} Input
 * @param {string} name @param {string} label @param {Input} input
 */
function field(name, label, input) {
  for (const [key, value] of Object.entries({ id: `history-${name}`, name })) input.setAttribute(key, value)
  const box = h('p', {}, h('label', { for: `history-${name}` }, label), input)
  return { box, input: /** @type {HTMLInputElement} */ (/** @type {unknown} */ (input)) }
}

/** @param {readonly (readonly string[])[]} choices */
const choice = (choices) => h('select', {}, ...optionsOf(choices))

/** @param {readonly (readonly string[])[]} choices */
const optionsOf = (choices) =>
  choices.map(([value = '', text = '']) => h('option', { value }, visibleText(text)))
