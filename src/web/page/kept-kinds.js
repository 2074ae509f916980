/** How rejects and dead letters differ in their list. */
import { h, visible } from './dom.js'

/** @import { KeptItem } from '../answers.ts' */
/** @import { Column } from './table.js' */

/** @type {Column<KeptItem>} */
const reason = {
  head: 'Reason',
  text: ({ code, meaning, state }) => `${code} ${meaning} ${state}`,
  draw: ({ code, meaning, state }) => [
    visible(meaning === '' ? code : meaning),
    ' ',
    h('code', { class: 'code' }, code),
    ...(state === 'open' || state === 'dead' ? [] : [' ', h('span', { class: `pill ${state}` }, state)]),
  ],
}
/** @type {Column<KeptItem>} */
const detail = { head: 'Detail', text: (item) => item.detail, wide: true }

/** A line number stays whole where a long name is broken. @param {KeptItem} item */
function placeOf({ place }) {
  const [, source = place, line = ''] = /^(.*)(:\d+)$/s.exec(place) ?? []
  return [visible(source), h('wbr'), h('span', { class: 'whole' }, line)]
}

/**
 * @type {Readonly<Record<'rejects' | 'dead', { title: string, thing: string, none: string, columns: Column<KeptItem>[] }>>}
 */
export const kinds = {
  rejects: {
    title: 'Rejects',
    thing: 'reject',
    none: 'No rejects: every record that was read could be loaded.',
    columns: [
      { head: 'Place', text: ({ place }) => place, draw: placeOf, look: 'source' },
      { head: 'Column', text: ({ column }) => column ?? '', wide: true, look: 'field' },
      reason,
      detail,
    ],
  },
  dead: {
    title: 'Dead letters',
    thing: 'dead letter',
    none: 'No dead letters: every message could be read as a whole.',
    columns: [
      { head: 'Key', text: ({ place }) => place, look: 'source' },
      reason,
      detail,
      { head: 'Since', text: ({ at }) => at.slice(0, 19).replace('T', ' '), wide: true, look: 'field' },
    ],
  },
}
