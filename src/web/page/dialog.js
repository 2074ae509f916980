/** One dialog for everything: the browser keeps the focus inside, and restores it. */
import { byId, h, setText, visible } from './dom.js'

const dialog = /** @type {HTMLDialogElement} */ (byId('dialog'))
addEventListener('hashchange', () => dialog.close())
// Beside it, not in it.
dialog.addEventListener('click', (event) => event.target === dialog && dialog.close())

/** @param {string} title @param {readonly (Node | undefined)[]} content @param {readonly Node[]} [actions] */
export function showDialog(title, content, actions = []) {
  const close = h('button', { type: 'button', onclick: closeDialog }, 'Close')
  const inside = h('div', {}, h('h2', { id: 'dialog-title', tabindex: '-1' }, visible(title)))
  inside.append(
    ...content.filter((each) => each !== undefined),
    h('p', { class: 'actions' }, ...actions, close),
  )
  dialog.replaceChildren(inside)
  if (!dialog.open) dialog.showModal()
  dialog.scrollTop = 0
  byId('dialog-title').focus()
}

export const closeDialog = () => dialog.close()

/**
 * Asks for confirmation before something that cannot be undone. @param {string} title @param {string} text
 * @param {string} word @param {() => void} act
 */
export function confirmFirst(title, text, word, act) {
  const yes = h('button', { type: 'button', class: 'danger', onclick: () => (closeDialog(), act()) }, word)
  showDialog(title, [h('p', {}, text)], [yes])
}

/** Shows a message, also to screen readers. @param {string} text */
export function tell(text) {
  const said = byId('said')
  setText(said, text)
  clearTimeout(Number(said.dataset['timer']))
  said.dataset['timer'] = String(setTimeout(() => setText(said, ''), 12_000))
}
