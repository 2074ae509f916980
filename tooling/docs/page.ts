/** What the generated pages have in common. */

export interface Page {
  /** Below docs/reference/. */
  readonly name: string
  readonly render: () => Promise<string> | string
}

export const note = 'Written by `npm run docs` from the code; change the text there.'

/** The text without the heading; a comment says where it comes from. */
export const page = (title: string, ...parts: readonly string[]): string =>
  `# ${title}\n\n<!-- ${note} -->\n\n${parts.filter((part) => part !== '').join('\n\n')}\n`

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')

/** A bar would end the cell, also within code. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

export const code = (text: string): string => `\`${text}\``

/** Of a heading, as GitHub makes it. */
export const anchor = (heading: string): string =>
  `#${heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')}`
