/** One reject or dead letter in full, and what came of a replay or a discard. */
import { count, day, h, visible } from './dom.js'

/** @import { KeptAnswer, Outcome } from '../answers.ts' */

/** @param {KeptAnswer} kept */
export function detailOf({ place, code, column, detail, state, at, meaning, advice, facts, text, cut }) {
  const mark =
    text.fault === undefined
      ? []
      : [h('mark', {}, h('span', { class: 'caret', 'aria-hidden': 'true' }), visible(text.fault))]
  const record = h('pre', {
    class: mark.length > 0 ? 'record marked' : 'record',
    tabindex: '0',
    'aria-label': 'Stored text',
  })
  record.append(visible(text.before), ...mark, visible(text.after))
  return [
    h(
      'p',
      {},
      h('b', {}, visible(place)),
      column === undefined ? '' : ', column ',
      column === undefined ? undefined : h('b', {}, visible(column)),
    ),
    h('p', {}, h('code', {}, code), `: ${meaning}. `, h('span', { class: 'advice' }, `To do: ${advice}.`)),
    h('p', {}, visible(detail)),
    record,
    cut > 0 ? h('p', { class: 'advice' }, `${count(cut)} more bytes are not shown here.`) : undefined,
    h(
      'dl',
      { class: 'facts' },
      ...[['State', state], ['Kept', day(at)], ...facts].flatMap(([name = '', value = '']) => [
        h('dt', {}, visible(name)),
        h('dd', {}, visible(value)),
      ]),
    ),
  ]
}

/** @param {Outcome[]} outcomes */
export function summaryOf(outcomes) {
  const words = {
    replayed: 'replayed',
    duplicate: 'already applied',
    discarded: 'discarded',
    refused: 'refused again',
    gone: 'no longer there',
  }
  const parts = Object.entries(words).flatMap(([name, word]) => {
    const number = outcomes.filter(({ outcome }) => outcome === name).length
    return number === 0 ? [] : [`${count(number)} ${word}`]
  })
  const [first] = outcomes.filter(({ outcome }) => outcome === 'refused' || outcome === 'replayed')
  return `${parts.join(', ')}${first === undefined ? '' : ` (${first.detail})`}.`
}
