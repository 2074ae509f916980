/** The parts of one reject or dead letter: why it was not loaded, its record, its headers and body. */
import { bytes, count, counted, h, visible } from './dom.js'
import { indented } from './text.js'

/** @import { BodyAnswer, KeptAnswer, MessageAnswer, RecordAnswer, RecordsAnswer } from '../answers.ts' */

/** @param {KeptAnswer} kept */
export const reasonOf = ({ code, meaning, column, detail, advice, state }) =>
  h(
    'div',
    { class: 'reason' },
    h(
      'p',
      { class: 'meaning' },
      visible(meaning === '' ? code : `${meaning[0]?.toUpperCase()}${meaning.slice(1)}`),
      column === undefined ? '' : ' in ',
      column === undefined ? undefined : h('b', {}, visible(column)),
    ),
    h('p', {}, visible(detail)),
    advice === '' || !isOpen(state) ? undefined : h('p', { class: 'quiet' }, `What to do: ${advice}.`),
  )

/** A person still has to decide on it. @param {KeptAnswer['state']} state */
export const isOpen = (state) => state === 'open' || state === 'dead'

/** With a caret under the cell. @param {RecordAnswer} record */
export function recordOf({ text, cut, original }) {
  const { before, fault, after } = text
  const [first = ''] = fault ?? ''
  const mark =
    fault === undefined
      ? []
      : [
          h(
            'mark',
            { class: fault === '' ? 'missing' : undefined },
            h('span', { class: 'caret' }, visible(first)),
            visible(fault.slice(first.length)),
          ),
        ]
  const shown = h('pre', {
    class: mark.length > 0 ? 'record marked' : 'record',
    tabindex: '0',
    role: 'region',
    'aria-label': 'Record',
  })
  shown.append(visible(before), ...mark, visible(after))
  return [
    shown,
    cut > 0 ? h('p', { class: 'quiet' }, `${counted(cut, 'more byte')} not shown.`) : undefined,
    original === undefined
      ? undefined
      : h(
          'details',
          {},
          h('summary', {}, 'Corrected. The original record'),
          h('pre', { class: 'record' }, visible(original)),
        ),
  ]
}

/** Scrolls the record to its fault. @param {HTMLElement} within */
export function showFault(within) {
  const record = within.querySelector('.record')
  const mark = record?.querySelector('mark')
  if (record && mark) record.scrollTop = mark.offsetTop - record.clientHeight / 2
}

/** @param {MessageAnswer} message @param {string} id */
export const messageOf = ({ headers, body }, id) => [
  ...bodyOf(body, id),
  h('h3', {}, 'Headers'),
  headers.length === 0
    ? h('p', { class: 'quiet' }, 'None.')
    : h(
        'table',
        { class: 'headers' },
        h('caption', { class: 'unseen' }, 'Headers'),
        h(
          'thead',
          { class: 'unseen' },
          h('tr', {}, ...['Name', 'Value'].map((head) => h('th', { scope: 'col' }, head))),
        ),
        h(
          'tbody',
          {},
          ...headers.map(([name, value]) =>
            h('tr', {}, h('th', { scope: 'row' }, visible(name)), h('td', {}, visible(value))),
          ),
        ),
      ),
]

/** So many records of a body does the server send. */
const mostRows = 100

const forms = { json: 'JSON', text: 'text', binary: 'binary' }

/** @param {BodyAnswer} body @param {string} id */
function bodyOf(body, id) {
  const { form, records, text, shown } = body
  const place = h('div')
  /** The other ways to look at it, by the words of their button. @type {[string, () => Node][]} */
  const ways = [
    ...(records === undefined
      ? []
      : [/** @type {[string, () => Node]} */ (['Records', () => recordsOf(records)])]),
    [
      form === 'binary' ? 'Hexadecimal' : 'As it is',
      () => bodyText(text, form === 'binary' ? 'record hex' : 'record'),
    ],
    ...(form === 'json'
      ? [/** @type {[string, () => Node]} */ (['Indented', () => bodyText(indented(text), 'record')])]
      : []),
  ]
  const buttons = ways.map(([name, make], index) =>
    h(
      'button',
      { type: 'button', 'aria-pressed': String(index === 0), onclick: () => turn(index, make) },
      name,
    ),
  )
  /** @param {number} chosen @param {() => Node} make */
  const turn = (chosen, make) => {
    for (const [index, button] of buttons.entries())
      button.setAttribute('aria-pressed', String(index === chosen))
    place.replaceChildren(make())
  }
  place.append(/** @type {[string, () => Node]} */ (ways[0])[1]())
  const size = body.bytes < 1024 ? counted(body.bytes, 'byte') : bytes(body.bytes)
  return [
    h(
      'div',
      { class: 'bar' },
      h('h3', { id: `${id}-body` }, 'Body'),
      h('span', { class: 'quiet' }, `${size} of ${records === undefined ? forms[form] : 'records'}`),
      ways.length === 1
        ? undefined
        : h('span', { class: 'ways', role: 'group', 'aria-labelledby': `${id}-body` }, ...buttons),
    ),
    body.bytes === 0 ? h('p', { class: 'quiet' }, 'It is empty.') : place,
    records !== undefined && records.rows.length >= mostRows
      ? h('p', { class: 'quiet' }, `The first ${count(mostRows)} records.`)
      : undefined,
    shown < body.bytes
      ? h(
          'p',
          { class: 'quiet' },
          `The first ${count(shown)} of ${count(body.bytes)} bytes; the download has all.`,
        )
      : undefined,
  ]
}

/** @param {string} text @param {string} look */
const bodyText = (text, look) =>
  h('pre', { class: look, tabindex: '0', role: 'region', 'aria-label': 'Body' }, visible(text))

/** @param {RecordsAnswer} records */
function recordsOf({ fields, rows }) {
  const head = h('tr', {}, ...fields.map((field) => h('th', { scope: 'col' }, visible(field))))
  const body = rows.map((row) =>
    h(
      'tr',
      {},
      ...(row.length === 1 && fields.length > 1
        ? [h('td', { colspan: fields.length }, h('code', {}, visible(row[0] ?? '')))]
        : row.map((cell) => h('td', {}, visible(cell)))),
    ),
  )
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Records of the body' },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, `Records of the body, ${rows.length} of them`),
      h('thead', {}, head),
      h('tbody', {}, ...body),
    ),
  )
}
