/** One reject or dead letter: why it was not loaded, what it holds, and what can be done about it. */
import { get, NotAllowed, post } from './ask.js'
import { confirmFirst } from './dialog.js'
import { day, h, setText, visible } from './dom.js'
import { changeThese } from './kept-change.js'
import { editor } from './kept-edit.js'
import { isOpen, messageOf, reasonOf, recordOf, showFault } from './kept-parts.js'

/** @import { KeptAnswer } from '../answers.ts' */
/** @import { Correction } from './kept-edit.js' */

/**
 * @param {{ id: 'rejects' | 'dead', thing: string, close: () => void, step: (from: number, by: 1 | -1) => void,
 *   changed: () => Promise<void>, ended: () => void }} about
 */
export function keptDetail({ id, thing, close, step, changed, ended }) {
  const title = h('h2', { id: `${id}-one`, tabindex: '-1' })
  const state = h('span', { class: 'pill' })
  /** @type {(label: string, sign: string, by: 1 | -1) => HTMLElement} */
  const stepper = (label, sign, by) =>
    h(
      'button',
      { type: 'button', 'aria-label': label, title: label, onclick: () => kept && step(kept.id, by) },
      sign,
    )
  const place = h('p', { class: 'place' })
  const said = h('p', { class: 'outcome', role: 'status' })
  const content = h('div', { class: 'content' })
  const element = h(
    'article',
    { class: 'detail', hidden: true, 'aria-labelledby': title.id },
    h(
      'div',
      { class: 'bar' },
      h('button', { type: 'button', class: 'back', onclick: close }, 'Back to the list'),
      h('span', { class: 'steps' }, stepper(`Previous ${thing}`, '‹', -1), stepper(`Next ${thing}`, '›', 1)),
    ),
    h('div', { class: 'bar' }, title, state),
    place,
    said,
    content,
  )
  element.addEventListener('keydown', walk)

  /** @type {KeptAnswer | undefined} */
  let kept
  /** @type {ReturnType<typeof editor> | undefined} */
  let editing
  let isBusy = false
  let turns = 0

  /** @param {number} one */
  async function open(one) {
    setText(said, '')
    if (!(await read(one))) return
    title.focus({ preventScroll: true })
    element.scrollTop = 0
    if (element.getBoundingClientRect().top < 0) element.scrollIntoView()
  }

  /** False if another one has been opened since. @param {number} one */
  async function read(one) {
    const turn = ++turns
    try {
      const now = await get(`api/${id}/${one}`)
      if (turn !== turns) return false
      element.hidden = false
      if (now !== undefined) draw(now)
      else nothing(one, 'It no longer exists.')
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      element.hidden = false
      nothing(one, `Cannot be shown: ${error instanceof Error ? error.message : String(error)}`)
    }
    return turn === turns
  }

  /** @param {number} one @param {string} why */
  function nothing(one, why) {
    kept = undefined
    setText(title, `${thing[0]?.toUpperCase()}${thing.slice(1)} ${one}`)
    setText(state, '')
    for (const each of [place, content]) each.replaceChildren()
    setText(said, why)
  }

  /** @param {KeptAnswer} now */
  function draw(now) {
    kept = now
    editing = undefined
    content.classList.remove('editing')
    setText(title, `${thing[0]?.toUpperCase()}${thing.slice(1)} ${now.id}`)
    setText(state, now.state)
    state.className = `pill ${now.state}`
    place.replaceChildren(visible(now.place))
    const actions = h('p', { class: 'actions' }, ...actionsOf(now))
    content.replaceChildren(
      reasonOf(now),
      ...[
        ...(now.record === undefined ? [] : recordOf(now.record)),
        actions,
        ...(now.message === undefined ? [] : messageOf(now.message, `${id}-${now.id}`)),
      ].filter((part) => part !== undefined),
      factsOf(now),
    )
    showFault(content)
  }

  /** @param {KeptAnswer} now */
  function actionsOf({ id: one, state: is, record }) {
    /** @param {string} name @param {() => void} act @param {string} [look] */
    const button = (name, act, look) => h('button', { type: 'button', class: look, onclick: act }, name)
    return [
      // A letter that was discarded can be replayed all the same.
      isOpen(is) || (id === 'dead' && is === 'discarded')
        ? button('Replay', () => void replay(), 'first')
        : undefined,
      record?.editing === undefined ? undefined : button('Edit', () => edit()),
      record?.editing?.canUndo === true
        ? button('Undo the correction', () => void save({ original: true }, false))
        : undefined,
      isOpen(is) ? button('Discard', askDiscard) : undefined,
      h('a', { class: 'button', href: `api/${id}/${one}/file`, download: true }, 'Download'),
    ].filter((each) => each !== undefined)
  }

  function edit() {
    const possible = kept?.record?.editing
    if (kept === undefined || possible === undefined) return
    if (possible.fields === undefined && possible.text === undefined)
      return setText(said, possible.note ?? '')
    editing = editor(kept, possible, {
      save: (correction, replays) => void save(correction, replays),
      cancel: () => (drop(), actionNamed('Edit')?.focus()),
    })
    content.querySelector('.actions')?.replaceWith(editing.element)
    // A record that is no text is not to be seen in its fields.
    content.classList.toggle('editing', possible.text !== undefined)
    editing.focus()
  }

  function drop() {
    if (kept !== undefined) draw(kept)
  }

  /** @param {Correction | undefined} correction undefined if nothing was changed @param {boolean} replays */
  function save(correction, replays) {
    if (correction === undefined && !replays) return editing?.refuse('Nothing was changed.')
    return doing(async () => {
      const { id: one, record } = /** @type {KeptAnswer} */ (kept)
      if (correction !== undefined) {
        try {
          const now = await post(`api/${id}/edit`, {
            id: one,
            version: record?.editing?.version,
            ...correction,
          })
          if (now === undefined) throw new Error('It no longer exists.')
          draw(now)
        } catch (error) {
          if (error instanceof NotAllowed || editing === undefined) throw error
          return editing.refuse(`Not saved: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      if (replays) return settle('replay')
      setText(
        said,
        'original' in (correction ?? {}) ? 'The original record is back.' : 'Saved. The original is kept.',
      )
      actionNamed('Replay')?.focus()
    })
  }

  const replay = () => doing(() => settle('replay'))

  /** @param {'replay' | 'discard'} name */
  async function settle(name) {
    const one = /** @type {KeptAnswer} */ (kept).id
    setText(said, name === 'replay' ? 'Replaying…' : 'Discarding…')
    const wasEditing = editing !== undefined || document.activeElement === document.body
    const text = await changeThese(id, name, [one])
    const now = /** @type {KeptAnswer | undefined} */ (await get(`api/${id}/${one}`))
    if (now !== undefined) draw(now)
    setText(said, `${text[0]?.toUpperCase()}${text.slice(1)}`)
    await changed()
    // Who has edited it goes on where it is wrong now.
    if (wasEditing && now?.state === 'open' && name === 'replay') edit()
    else title.focus({ preventScroll: true })
  }

  function askDiscard() {
    confirmFirst(
      `Discard ${thing} ${kept?.id}?`,
      'It leaves this list permanently. It still counts as not loaded, so the receipt adds up.',
      'Discard',
      () => void doing(() => settle('discard')),
    )
  }

  /** One change at a time. @param {() => Promise<void>} act */
  async function doing(act) {
    if (isBusy) return
    isBusy = true
    element.setAttribute('aria-busy', 'true')
    try {
      await act()
    } catch (error) {
      if (error instanceof NotAllowed) return ended()
      setText(said, `Not done: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      isBusy = false
      element.removeAttribute('aria-busy')
    }
  }

  /** @param {string} name */
  const actionNamed = (name) =>
    [.../** @type {NodeListOf<HTMLElement>} */ (content.querySelectorAll('.actions button'))].find(
      (button) => button.textContent === name,
    )

  /** @param {KeyboardEvent} event */
  function walk(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    if (event.key === 'Escape') return close()
    const isTyping = /** @type {Element} */ (event.target).matches('input, textarea, select')
    const by = event.key === 'j' ? 1 : event.key === 'k' ? -1 : undefined
    if (by !== undefined && !isTyping && kept !== undefined) step(kept.id, by)
  }

  return {
    element,
    open,
    isChanged: () => editing?.isChanged() === true,
    close() {
      turns++
      element.hidden = true
      kept = undefined
      editing = undefined
      content.replaceChildren()
    },
  }
}

/** @param {KeptAnswer} kept */
const factsOf = ({ code, at, facts }) =>
  h(
    'dl',
    { class: 'facts' },
    ...[['Code', code], ['Kept', day(at)], ...facts].flatMap(([name = '', value = '']) => [
      h('dt', {}, visible(name)),
      h('dd', {}, visible(value)),
    ]),
  )
