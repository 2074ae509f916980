/** Signs in, listens to the run, and shows the view of the address. */
import { get, login, NotAllowed } from './ask.js'
import { tell } from './dialog.js'
import { byId, h, setText, time, visible, visibleText } from './dom.js'
import { historyView } from './history.js'
import { keptView } from './kept.js'
import * as overview from './overview.js'

/** @import { Snapshot } from '../../observe/snapshot.ts' */

const views = /** @type {const} */ (['overview', 'history', 'rejects', 'dead'])

/** Silence after which the run counts as lost, in milliseconds. */
const silentMs = 8_000
const againMs = 1_500
/** After a run has ended, another one may come. */
const slowlyMs = 3_000
const receiptsMs = 4_000

const rejects = keptView('rejects', showLogin)
const letters = keptView('dead', showLogin)

const loads = historyView(showLogin)

/** @type {EventSource | undefined} */
let source
let heardAt = 0
/** @type {Snapshot | undefined} */
let last
let receiptsAt = 0
/** Whether a request to the ledger is pending, so that only one waits for the database. */
let asking = false

async function start() {
  const token = /^#token=(.+)$/.exec(location.hash)?.[1]
  if (token !== undefined) {
    // Keep the token out of the history and of bookmarks.
    history.replaceState(null, '', `${location.pathname}#/`)
    await login(token).catch(() => undefined)
  }
  byId('login').addEventListener('submit', (event) => void submit(event))
  addEventListener('hashchange', route)
  document.querySelector('.skip')?.addEventListener('click', (event) => {
    event.preventDefault()
    byId('main').focus()
  })
  addEventListener('keydown', shortcut)
  setInterval(watch, 1_000)
  await connect()
}

async function connect() {
  try {
    const snapshot = await get('api/snapshot')
    byId('login').hidden = true
    byId('nav').hidden = false
    receive(snapshot)
    route()
    listen()
  } catch (error) {
    if (error instanceof NotAllowed) return showLogin()
    lost()
  }
}

function listen() {
  source?.close()
  source = new EventSource('api/events')
  source.addEventListener('message', ({ data }) => receive(JSON.parse(data)))
  source.addEventListener('bye', ended)
  source.addEventListener('error', () => lost())
}

/** @param {Snapshot} snapshot */
function receive(snapshot) {
  heardAt = performance.now()
  setText(byId('connection'), '')
  document.body.classList.remove('lost')
  last = snapshot
  const { process, totals } = snapshot
  const { command, queue, target = '' } = process
  const places = [queue, target].filter((each) => each !== '').join(' → ')
  setText(byId('about'), visibleText(command === 'ui' ? places : `${command} ${places}`))
  loads.heard(snapshot)
  overview.show(snapshot)
  rejects.heard(totals.rejected)
  letters.heard(totals.deadMessages)
  if (!document.hidden && performance.now() - receiptsAt > receiptsMs) void askLedger()
}

/** The ledger is read less often, because that queries the database. */
async function askLedger() {
  if (asking) return
  asking = true
  receiptsAt = performance.now()
  try {
    const [open, reasons] = await Promise.all([get('api/loads?state=open'), get('api/reasons')])
    overview.showElsewhere(open?.items ?? [])
    overview.showReasons(reasons)
  } catch (error) {
    if (error instanceof NotAllowed) showLogin()
  } finally {
    asking = false
  }
}

/** The run has said goodbye: what is shown is how it ended, and nothing is wrong. */
function ended() {
  source?.close()
  source = undefined
  const where = last?.process.afterwards
  const stays = last === undefined ? '' : ` This page shows how it stood at ${time(last.at)}.`
  byId('connection').replaceChildren(
    `${last?.process.command === 'ui' ? 'This page' : 'The run'} has ended.${stays}`,
    ...(where === undefined ? [] : [' To look on: ', h('code', {}, visible(where))]),
  )
  again(slowlyMs)
}

/** Nobody has said goodbye: the run was killed, or something is in between. */
function lost() {
  source?.close()
  source = undefined
  if (last?.course.ended !== undefined) {
    // The page stayed for a while after its run, and is gone now.
    if (byId('connection').textContent === '') return ended()
    return again(slowlyMs)
  }
  document.body.classList.add('lost')
  const stood = last === undefined ? '' : ` Last update: ${time(last.at)}.`
  setText(
    byId('connection'),
    `The run cannot be reached, and has not said that it ends: it was killed, or the network fails.${stood}`,
  )
  again(againMs)
}

/** @param {number} ms */
const again = (ms) => void setTimeout(() => void connect(), ms)

function watch() {
  if (source !== undefined && performance.now() - heardAt > silentMs) lost()
}

function showLogin() {
  source?.close()
  source = undefined
  setText(byId('connection'), '')
  byId('nav').hidden = true
  for (const id of views) byId(id).hidden = true
  byId('login').hidden = false
  byId('token').focus()
}

/** @param {Event} event */
async function submit(event) {
  event.preventDefault()
  const field = /** @type {HTMLInputElement} */ (byId('token'))
  const refused = await login(field.value.trim()).catch(() => 'The run does not respond.')
  setText(byId('login-error'), refused ?? '')
  if (refused !== undefined) return field.select()
  field.value = ''
  await connect()
}

function route() {
  if (!byId('login').hidden) return
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [name = '', id = ''] = path.split('/')
  // Without a run there is nothing to overlook.
  const home = last?.process.command === 'ui' ? 'history' : 'overview'
  const view = name === 'loads' ? 'history' : name === 'rejects' || name === 'dead' ? name : home
  const isNew = byId(view).hidden
  for (const each of views) byId(each).hidden = each !== view
  const address = { overview: '#/', history: '#/loads', rejects: '#/rejects', dead: '#/dead' }[view]
  for (const link of byId('nav').querySelectorAll('a')) {
    if (link.getAttribute('href') === '#/') link.hidden = home !== 'overview'
    if (link.getAttribute('href') === address) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (view === 'history') void loads.show(id, query)
  if (view === 'rejects') void rejects.show(query)
  if (view === 'dead') void letters.show(query)
  if (isNew) scrollTo(0, 0)
}

/**
 * Keys, unless a person is typing: `/` goes to the search, `?` lists the keys. @param {KeyboardEvent} event
 */
function shortcut(event) {
  const target = /** @type {Element} */ (event.target)
  if (
    event.ctrlKey ||
    event.altKey ||
    event.metaKey ||
    target.closest('input:not([type=checkbox]), textarea, select, dialog')
  )
    return
  const field = document.querySelector('section:not([hidden]) input[type=search]')
  if (event.key === '/' && field instanceof HTMLElement) {
    event.preventDefault()
    field.focus()
  }
  if (event.key === '?')
    tell('Keys: / search, arrows or j and k up and down the list, Enter opens, Escape closes.')
}

void start()
