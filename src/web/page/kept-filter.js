/** What of the rejects or dead letters is shown: the fields of the filter, and what they offer. */
import { count, h, setText, visibleText } from './dom.js'

/** @import { KeptItem, LoadAnswer, Reason } from '../answers.ts' */

/** @typedef {readonly [value: string, label: string]} Choice */

/**
 * @param {'rejects' | 'dead'} id
 * @param {(parameters: URLSearchParams) => void} search
 */
export function keptFilter(id, search) {
  const words = /** @type {HTMLInputElement} */ (
    h('input', {
      type: 'search',
      id: `${id}-search`,
      name: 'search',
      maxlength: '200',
      placeholder: 'text, place or reason',
      spellcheck: 'false',
      autocomplete: 'off',
    })
  )
  const state = chooser(id, 'state')
  const code = chooser(id, 'code')
  const column = chooser(id, 'column')
  const load = chooser(id, 'load')
  const choosers = id === 'rejects' ? [state, code, column, load] : [state, code, load]
  state.offer([
    ['', 'open'],
    ['replayed', 'replayed'],
    ['discarded', 'discarded'],
    ['all', 'all'],
  ])
  const choices = h('div', { class: 'choices', id: `${id}-choices` }, ...choosers.map(({ shown }) => shown))
  // On a narrow screen they would push the list off it.
  const fold = h('button', {
    type: 'button',
    class: 'fold',
    'aria-expanded': 'false',
    'aria-controls': choices.id,
    onclick: () => fold.setAttribute('aria-expanded', String(choices.classList.toggle('shown'))),
  })
  const form = /** @type {HTMLFormElement} */ (
    h(
      'form',
      { class: 'filter', role: 'search' },
      h('p', { class: 'words' }, h('label', { for: words.id }, 'Search'), words),
      choices,
      h(
        'p',
        { class: 'buttons' },
        h('button', { class: 'first' }, 'Search'),
        fold,
        h('a', { href: `#/${id}` }, 'Clear'),
      ),
    )
  )
  form.addEventListener('change', (event) => event.target !== words && form.requestSubmit())
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const given = [...new FormData(form)].filter(([, value]) => value !== '')
    search(new URLSearchParams(/** @type {[string, string][]} */ (given)))
  })

  return {
    form,
    /** @param {URLSearchParams} parameters */
    set(parameters) {
      words.value = parameters.get('search') ?? ''
      for (const each of choosers) each.choose(parameters.get(each.name) ?? '')
      const number = choosers.filter(({ name }) => parameters.has(name)).length
      setText(fold, number === 0 ? 'Filters' : `Filters (${number})`)
    },
    /**
     * What there is to choose from: the open rejects by their reasons, what is shown, and the loads.
     * @param {readonly Reason[]} reasons @param {readonly KeptItem[]} items @param {readonly LoadAnswer[]} loads
     */
    offer(reasons, items, loads) {
      code.offer([['', 'all'], ...counted(reasons, items, (each) => each.code)])
      column.offer([['', 'all'], ...counted(reasons, items, (each) => each.column ?? '')])
      load.offer([
        ['', 'all'],
        ...loads.map(
          ({ loadId, source }) => /** @type {Choice} */ ([loadId, `${source} · ${loadId.slice(0, 8)}`]),
        ),
      ])
    },
  }
}

/**
 * A list to choose from. What is chosen stays in it, whatever is offered. @param {string} id @param {string} name
 */
function chooser(id, name) {
  const field = /** @type {HTMLSelectElement} */ (h('select', { id: `${id}-${name}`, name }))
  let offered = ''
  /** @param {string} value */
  const choose = (value) => {
    if (![...field.options].some((option) => option.value === value))
      field.append(h('option', { value }, visibleText(value)))
    field.value = value
  }
  return {
    name,
    shown: h(
      'p',
      { class: `by-${name}` },
      h('label', { for: field.id }, `${name[0]?.toUpperCase()}${name.slice(1)}`),
      field,
    ),
    choose,
    /** @param {readonly Choice[]} choices */
    offer(choices) {
      // A list that is open must not change under the pointer.
      const now = JSON.stringify(choices)
      if (now === offered) return
      offered = now
      const { value } = field
      field.replaceChildren(
        ...choices.map(([each, label]) => h('option', { value: each }, visibleText(label))),
      )
      choose(value)
    },
  }
}

/**
 * With the number of open rejects, the most frequent first.
 * @param {readonly Reason[]} reasons @param {readonly KeptItem[]} items
 * @param {(of: Reason | KeptItem) => string} of
 * @returns {Choice[]}
 */
function counted(reasons, items, of) {
  /** @type {Map<string, number>} */
  const sums = new Map()
  for (const reason of reasons) sums.set(of(reason), (sums.get(of(reason)) ?? 0) + reason.rejects)
  for (const item of items) if (!sums.has(of(item))) sums.set(of(item), 0)
  return [...sums]
    .filter(([value]) => value !== '')
    .map(([value, sum]) => [value, sum === 0 ? value : `${value} (${count(sum)})`])
}

/**
 * Open rejects of a code and a column, where the filter names them.
 * @param {readonly Reason[]} reasons @param {URLSearchParams} parameters
 */
export function openOf(reasons, parameters) {
  const [code, column] = [parameters.get('code'), parameters.get('column')]
  return reasons
    .filter((each) => (code === null || each.code === code) && (column === null || each.column === column))
    .reduce((sum, { rejects }) => sum + rejects, 0)
}
