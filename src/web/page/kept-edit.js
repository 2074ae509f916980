/** Edits the record of a reject: its cells where they have names, or its text. */
import { h, setText, visible } from './dom.js'
import { edit, shownIn } from './text.js'

/** @import { EditedField, Editing, KeptAnswer } from '../answers.ts' */

/** @typedef {{ text: string } | { fields: [cell: number, text: string][] } | { original: true }} Correction */

/**
 * @typedef {object} Sheet
 * @property {HTMLElement} element
 * @property {() => Correction | undefined} correction undefined if nothing was changed
 * @property {() => void} focus where the fault is
 */

/**
 * @param {KeptAnswer} kept
 * @param {Editing} editing
 * @param {{ save: (correction: Correction | undefined, replays: boolean) => void, cancel: () => void }} does
 */
export function editor(kept, editing, { save, cancel }) {
  const said = h('p', { class: 'quiet', role: 'status' }, editing.note ?? '')
  const place = h('div')
  const other = h('button', { type: 'button', class: 'plain', onclick: turn })
  const form = h(
    'form',
    { class: 'editor', 'aria-label': `Record of reject ${kept.id}`, onkeydown: escape },
    place,
    said,
    h(
      'p',
      { class: 'actions' },
      h('button', { class: 'first' }, 'Save and replay'),
      h('button', { type: 'button', onclick: () => save(sheet.correction(), false) }, 'Save'),
      h('button', { type: 'button', onclick: cancel }, 'Cancel'),
      other,
    ),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    save(sheet.correction(), true)
  })
  const { fields, text } = editing
  /** @type {Sheet} */
  let sheet
  show(fields === undefined ? textSheet(kept, text ?? '') : fieldsSheet(kept, fields))
  other.hidden = fields === undefined || text === undefined

  /** @param {Sheet} next */
  function show(next) {
    sheet = next
    place.replaceChildren(sheet.element)
    setText(other, sheet.element.matches('textarea, .whole') ? 'Edit the cells' : 'Edit as text')
  }

  function turn() {
    if (sheet.correction() !== undefined) return setText(said, 'Save the changes first, or cancel them.')
    const isText = sheet.element.matches('.whole')
    show(isText ? fieldsSheet(kept, fields ?? []) : textSheet(kept, text ?? ''))
    sheet.focus()
  }

  /** @param {KeyboardEvent} event */
  function escape(event) {
    if (event.key !== 'Escape') return
    event.stopPropagation()
    if (sheet.correction() === undefined) cancel()
    else setText(said, 'The changes are not saved. Cancel drops them.')
  }

  return {
    element: form,
    focus: () => sheet.focus(),
    isChanged: () => sheet.correction() !== undefined,
    /** @param {string} why */
    refuse: (why) => setText(said, why),
  }
}

/** @param {KeptAnswer} kept @param {readonly EditedField[]} fields @returns {Sheet} */
function fieldsSheet({ id, meaning }, fields) {
  const inputs = fields.map((field, cell) => inputOf(field, `edit-${id}-${cell}`))
  const rows = fields.map(({ name, isBad }, cell) => {
    const input = /** @type {HTMLInputElement} */ (inputs[cell])
    const label = h('label', { for: input.id }, visible(name === '' ? `cell ${cell + 1}` : name))
    if (!isBad) return h('div', {}, label, input)
    input.setAttribute('aria-invalid', 'true')
    input.setAttribute('aria-describedby', `${input.id}-why`)
    return h('div', { class: 'bad' }, label, input, h('p', { id: `${input.id}-why` }, visible(meaning)))
  })
  return {
    element: h('div', { class: 'cells' }, ...rows),
    correction: () => {
      const changed = fields.flatMap(({ text = '' }, cell) => {
        const { value } = /** @type {HTMLInputElement} */ (inputs[cell])
        return value === shownIn(text) ? [] : [/** @type {[number, string]} */ ([cell, edit(text, value)])]
      })
      return changed.length === 0 ? undefined : { fields: changed }
    },
    focus: () => {
      const bad = inputs[fields.findIndex(({ isBad }) => isBad)] ?? inputs[0]
      bad?.focus()
      bad?.select()
    },
  }
}

/** A line, or more where there are line ends, which a line would lose. @param {EditedField} field @param {string} id */
function inputOf({ text }, id) {
  const attributes = {
    id,
    spellcheck: 'false',
    autocomplete: 'off',
    autocapitalize: 'off',
    placeholder: text === undefined ? 'not valid UTF-8: enter the whole value' : undefined,
  }
  const lines = (text ?? '').split(/\r\n?|\n/).length
  const input = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (
    lines > 1
      ? h('textarea', { ...attributes, rows: Math.min(lines, 12) })
      : h('input', { ...attributes, type: 'text' })
  )
  input.value = text ?? ''
  return input
}

/** @param {KeptAnswer} kept @param {string} text @returns {Sheet} */
function textSheet({ id, record }, text) {
  const area = /** @type {HTMLTextAreaElement} */ (
    h('textarea', {
      'aria-label': `Text of reject ${id}`,
      rows: Math.min(16, Math.max(4, text.split('\n').length + 1)),
      spellcheck: 'false',
      autocomplete: 'off',
      autocapitalize: 'off',
    })
  )
  area.value = text
  return {
    element: h('div', { class: 'whole' }, area),
    correction: () => (area.value === shownIn(text) ? undefined : { text: edit(text, area.value) }),
    focus: () => {
      area.focus()
      const start = shownIn(record?.text.before ?? '').length
      const fault = record?.text.fault
      if (fault === undefined) area.setSelectionRange(0, 0)
      else area.setSelectionRange(start, start + shownIn(fault).length)
    },
  }
}
