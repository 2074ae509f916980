/**
 * Runs in a page: what keeps people from reading or reaching something that is shown. An expression, whose
 * value is the list.
 */
;(() => {
  /** @type {string[]} */
  const faults = []
  const root = document.documentElement
  if (root.scrollWidth > innerWidth) {
    const wide = [...document.body.querySelectorAll('*')].filter(
      (each) => each.getBoundingClientRect().right > innerWidth + 1,
    )
    faults.push(
      `the page is ${root.scrollWidth} wide, the window ${innerWidth}: ${wide.slice(-3).map(nameOf).join(', ')}`,
    )
  }

  for (const element of document.querySelectorAll('body *')) {
    if (!(element instanceof HTMLElement) || !element.checkVisibility()) continue
    if (
      element.matches(
        'a, button, input, select, textarea, summary, progress, table, nav, dialog, form[role], [role=slider], [role=region]',
      ) &&
      labelOf(element) === ''
    ) {
      faults.push(`${nameOf(element)} has no label`)
    }
    if (element.tabIndex > 0)
      faults.push(`${nameOf(element)} has a place of its own in the order of the focus`)
    const own =
      element.matches('input:not([type=checkbox]), textarea, select') ||
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim())
    if (!own || element.matches(':disabled, .unseen, .skip, caption')) continue
    const style = getComputedStyle(element)
    const size = Number.parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    const [red = 0, green = 0, blue = 0, alpha = 1] = colorOf(style.color)
    const text = over([red, green, blue, alpha * opacityOf(element)], groundOf(element))
    const ratio = contrast(text, groundOf(element))
    if (ratio < (isLarge ? 3 : 4.5))
      faults.push(
        `${nameOf(element)} "${element.textContent?.slice(0, 20)}" has a contrast of ${ratio.toFixed(2)}`,
      )
  }
  for (const head of document.querySelectorAll('th'))
    if (!head.scope) faults.push(`${nameOf(head)} has no scope`)
  for (const line of document.querySelectorAll('path.line')) {
    const ratio = contrast(colorOf(getComputedStyle(line).stroke), groundOf(line))
    if (line.checkVisibility() && ratio < 3) faults.push(`a line has a contrast of ${ratio.toFixed(2)}`)
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`#${id} is there twice`)
  return faults

  /** @param {Element} element */
  function nameOf(element) {
    return `${element.localName}${element.id ? `#${element.id}` : ''}${element.className ? `.${element.className}` : ''}`
  }

  /** @param {HTMLElement} element */
  function labelOf(element) {
    const by = element.getAttribute('aria-labelledby')
    const labels =
      'labels' in element
        ? [...(/** @type {HTMLInputElement} */ (element).labels ?? [])].map((each) => each.textContent)
        : []
    const caption = element instanceof HTMLTableElement ? element.caption?.textContent : undefined
    const text = element.matches('a, button, summary') ? element.textContent : undefined
    const role = element.matches('form[role=search]') ? 'search' : undefined
    const named = by === null ? undefined : document.getElementById(by)?.textContent
    return (
      [element.getAttribute('aria-label'), named, ...labels, caption, text, role].find((each) =>
        each?.trim(),
      ) ?? ''
    )
  }

  /** @param {Element | null} element @returns {number} */
  function opacityOf(element) {
    return element === null ? 1 : Number(getComputedStyle(element).opacity) * opacityOf(element.parentElement)
  }

  /** Red, green, blue and alpha, from 0 to 1. @param {string} text @returns {number[]} */
  function colorOf(text) {
    const numbers = (text.match(/[\d.]+(e-?\d+)?/g) ?? []).map(Number)
    const [red = 0, green = 0, blue = 0, alpha = 1] = text.startsWith('color(srgb')
      ? numbers
      : [...numbers.slice(0, 3).map((each) => each / 255), ...numbers.slice(3)]
    return [red, green, blue, alpha]
  }

  /** @param {number[]} upper @param {number[]} lower */
  function over(upper, lower) {
    const alpha = upper[3] ?? 1
    return [0, 1, 2].map((index) => (upper[index] ?? 0) * alpha + (lower[index] ?? 0) * (1 - alpha))
  }

  /** @param {Element | null} element @returns {number[]} */
  function groundOf(element) {
    if (element === null) return matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [1, 1, 1]
    const color = colorOf(getComputedStyle(element).backgroundColor)
    return color[3] === 1 ? color : over(color, groundOf(element.parentElement))
  }

  /** As WCAG 2.2 has it. @param {number[]} one @param {number[]} other */
  function contrast(one, other) {
    const [light = 0, dark = 0] = [one, other].map(luminance).sort((a, b) => b - a)
    return (light + 0.05) / (dark + 0.05)
  }

  /** @param {number[]} color */
  function luminance(color) {
    const [red = 0, green = 0, blue = 0] = color.map((each) =>
      each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
})()
