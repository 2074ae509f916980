/** Replays and discards what was selected, or all that a filter finds, a page at a time. */
import { get, post } from './ask.js'
import { count, counted, h, setText } from './dom.js'

/** @import { KeptItem, ListAnswer, Outcome } from '../answers.ts' */

/** @typedef {'replay' | 'discard'} Change */

const words = {
  replayed: 'replayed',
  duplicate: 'already applied',
  discarded: 'discarded',
  refused: 'refused again',
  gone: 'no longer there',
}

/** Sums up what became of any number of entries. */
class Tally {
  /** @type {Map<Outcome['outcome'], number>} */
  #numbers = new Map()
  /** @type {string | undefined} */
  #detail
  done = 0

  /** @param {readonly Outcome[]} outcomes */
  add(outcomes) {
    for (const { outcome, detail } of outcomes) {
      this.#numbers.set(outcome, (this.#numbers.get(outcome) ?? 0) + 1)
      this.done++
      // Of many, the first refusal says most.
      if (outcome === 'refused' || (outcome === 'replayed' && this.done === 1)) this.#detail ??= detail
    }
  }

  text() {
    const parts = Object.entries(words).flatMap(([name, word]) => {
      const number = this.#numbers.get(/** @type {Outcome['outcome']} */ (name))
      return number === undefined ? [] : [`${count(number)} ${word}`]
    })
    if (parts.length === 0) return 'nothing was left to do'
    const detail = this.done === 1 || this.#numbers.has('refused') ? this.#detail : undefined
    return `${parts.join(', ')}${detail === undefined ? '' : ` (${detail})`}`
  }
}

/** @param {string} id @param {Change} name @param {readonly number[]} ids */
export async function changeThese(id, name, ids) {
  const tally = new Tally()
  tally.add(/** @type {Outcome[]} */ (await post(`api/${id}/${name}`, { ids })))
  return `${tally.text()}.`
}

/**
 * Goes through all that the filter finds. A refused record stays open and is passed by.
 * @param {string} id @param {Change} name @param {URLSearchParams} parameters
 * @param {{ readonly stopped: boolean, progress(done: number, text: string): void }} watch
 */
export async function changeAll(id, name, parameters, watch) {
  const query = new URLSearchParams(parameters)
  query.set('state', 'open')
  const tally = new Tally()
  let after = 0
  try {
    while (!watch.stopped) {
      query.set('after', String(after))
      const list = /** @type {ListAnswer<KeptItem> | undefined} */ (await get(`api/${id}?${query}`))
      const ids = (list?.items ?? []).map((item) => item.id)
      if (ids.length > 0) tally.add(await post(`api/${id}/${name}`, { ids }))
      watch.progress(tally.done, tally.text())
      if (list?.next === undefined) return `${tally.text()}.`
      after = list.next
    }
  } catch (error) {
    if (tally.done === 0) throw error
    return `Ended after ${count(tally.done)}: ${error instanceof Error ? error.message : String(error)}. So far: ${tally.text()}.`
  }
  return `Stopped: ${tally.text()}.`
}

/** How far it is, with a way to stop. @param {string} thing */
export function progressBar(thing) {
  const bar = h('progress', { 'aria-label': 'Done' })
  const text = h('span')
  let watch = { stopped: false }
  const stop = h(
    'button',
    {
      type: 'button',
      onclick: () => {
        watch.stopped = true
        stop.setAttribute('disabled', '')
      },
    },
    'Stop',
  )
  const element = h('div', { class: 'running', hidden: true }, bar, text, stop)
  return {
    element,
    /** @param {Change} name @param {number | undefined} total */
    begin(name, total) {
      const begun = {
        stopped: false,
        /** @param {number} done @param {string} said */
        progress(done, said) {
          if (total !== undefined) bar.setAttribute('value', String(Math.min(done, total)))
          const of = total === undefined ? '' : ` of ${count(total)}`
          setText(text, `${count(done)}${of}: ${said}`)
        },
      }
      bar.removeAttribute('value')
      if (total !== undefined) bar.setAttribute('max', String(total))
      setText(
        text,
        `${name === 'replay' ? 'Replaying' : 'Discarding'} ${total === undefined ? `all ${thing}s` : counted(total, thing)}…`,
      )
      stop.removeAttribute('disabled')
      element.hidden = false
      watch = begun
      stop.focus()
      return begun
    },
    end: () => (element.hidden = true),
  }
}
