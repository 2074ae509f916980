/** The picture of the README: what the tutorial's first steps print, which a test compares with what they do print. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from './page.ts'

const tutorial = join(import.meta.dirname, '../../docs/tutorial.md')
const commands = [
  'npx lading load orders.csv',
  'npx lading rejects show',
  'npx lading rejects edit',
  'npx lading rejects replay',
  'npx lading verify',
]

/** In pixels; letters of a monospaced font are 0.6 as wide as they are high. */
const [fontSize, lineHeight, margin] = [14, 20, 20]
const letter = fontSize * 0.6

export const picture: Page = {
  name: '../images/terminal.svg',
  render: () => {
    const lines = session()
    const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * letter) + 2 * margin
    const height = lines.length * lineHeight + 2 * margin
    const texts = lines.map((line, index) => {
      const y = margin + (index + 0.75) * lineHeight
      return `<text x="${margin}" y="${y}" xml:space="preserve">${coloured(line)}</text>`
    })
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"
  font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${fontSize}" fill="#d6deeb">
<rect width="100%" height="100%" rx="10" fill="#101722"/>
${texts.filter((_, index) => lines[index] !== '').join('\n')}
</svg>
`
  },
}

/** The first time that each command stands in the tutorial, with what it prints. */
function session(): readonly string[] {
  const lines = readFileSync(tutorial, 'utf8').split('\n')
  return commands.flatMap((command, index) => {
    const from = lines.findIndex((line) => line.startsWith(`$ ${command}`))
    if (from < 0) throw new Error(`the tutorial does not show ${command}`)
    const length = lines.slice(from + 1).findIndex((line) => /^(\$ |```)/.test(line))
    const shown = lines.slice(from, from + 1 + length).map((line) => line.replace('$ npx lading', '$ lading'))
    return [...(index === 0 ? [] : ['']), ...shown.filter((line) => line !== '…')]
  })
}

function coloured(line: string): string {
  const text = line.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  if (line.startsWith('$ '))
    return `<tspan fill="#7ee0a4">$</tspan><tspan fill="#ffffff">${text.slice(1)}</tspan>`
  return text
    .replaceAll(/\^+|\bBAD_[A-Z]+|\b1 record rejected/g, (match) => `<tspan fill="#ff8b81">${match}</tspan>`)
    .replace('every load is complete and adds up', (match) => `<tspan fill="#7ee0a4">${match}</tspan>`)
}
