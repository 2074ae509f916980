/** Elements and texts. Data only becomes text nodes: nothing in this folder writes HTML. */

/**
 * An attribute `on…` is a listener; undefined and false attributes are left out.
 * @typedef {string | number | boolean | undefined | ((event: KeyboardEvent) => void)} Attribute
 * @param {string} name
 * @param {Readonly<Record<string, Attribute>>} [attributes]
 * @param {...(Node | string | undefined)} children
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  setAttributes(element, attributes)
  element.append(...children.filter((child) => child !== undefined))
  return element
}

/**
 * @param {string} name
 * @param {Readonly<Record<string, Attribute>>} [attributes]
 * @param {...Node} children
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  setAttributes(element, attributes)
  element.append(...children)
  return element
}

/** @param {Element} element @param {Readonly<Record<string, Attribute>>} attributes */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function')
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value))
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  }
}

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`there is no #${id}`)
  return element
}

/**
 * Sets only a changed text, so that selections stay and screen readers are quiet. @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

/**
 * Characters that are invisible or change the order of others: C0, C1, joiners, direction marks, line
 * separators, replacements.
 */
const hidden =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]+/g

/**
 * Untrusted text, with control characters escaped. Tabs and line ends stay.
 * @param {string} text
 */
export function visible(text) {
  const fragment = document.createDocumentFragment()
  let at = 0
  for (const match of text.matchAll(hidden)) {
    fragment.append(text.slice(at, match.index), h('span', { class: 'hidden' }, escaped(match[0])))
    at = match.index + match[0].length
  }
  fragment.append(text.slice(at))
  return fragment
}

/** The same where only text can stand, as in a list to choose from. @param {string} text */
export const visibleText = (text) => text.replaceAll(hidden, escaped)

/** @param {string} text */
const escaped = (text) =>
  Array.from(text, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')

const whole = new Intl.NumberFormat('en')

/** @param {number} value */
export const count = (value) => whole.format(Math.round(value))

/** @param {number} value @param {string} thing */
export const counted = (value, thing) => `${count(value)} ${thing}${Math.round(value) === 1 ? '' : 's'}`

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 100_000) return `${Math.round(ms / 1000)} s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 100) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** @param {number} value */
export const bytes = (value) =>
  value < 1_048_576 ? `${Math.ceil(value / 1024)} KiB` : `${count(value / 1_048_576)} MiB`

/** @param {number | string} at */
export const time = (at) => new Date(at).toLocaleTimeString('en-GB')

/** @param {string} at ISO 8601 */
export const day = (at) => new Date(at).toLocaleString('sv-SE')
