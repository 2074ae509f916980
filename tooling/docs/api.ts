/** The library: every export with its declaration, from its comment. */
import { type Declaration, type Exported, exportsOf } from './declarations.ts'
import { page, type Page } from './page.ts'

/** By the place of the declaration, in the order of the page; the first that matches. */
const parts: readonly (readonly [title: string, place: RegExp])[] = [
  ['Loading', /^(load|producer|config)\//],
  ['Models', /^(model\/|core\/skip|core\/notation)/],
  ['Consumers', /^consumer\//],
  ['Queues', /^queue\//],
  ['Databases', /^sink\//],
  ['Rejects, dead letters and previews', /^review\//],
  ['Events and progress', /^(observe\/|core\/events)/],
  ['Errors', /^core\/(errors|fault)/],
  ['Formats and sources', /^/],
]

export const api: Page = {
  name: 'api.md',
  render: () => {
    const exported = exportsOf()
    const groups = Map.groupBy(exported, ({ file }) => parts.find(([, place]) => place.test(file))?.[0])
    return page(
      'Library',
      'All that `lading` exports. [The guide](../library.md) shows how it goes together; `lading/testing` is in [CONTRIBUTING](../../CONTRIBUTING.md).',
      ...parts.flatMap(([title]) => {
        const group = groups.get(title) ?? []
        return [`## ${title}`, ...inOrder(group).map(entryOf)]
      }),
    )
  },
}

/** What one calls, then what it is called with. */
const inOrder = (group: readonly Exported[]): readonly Exported[] =>
  group.toSorted((a, b) => Number(a.isType) - Number(b.isType) || a.name.localeCompare(b.name))

function entryOf({ name, declarations }: Exported): string {
  const tags = declarations.map(({ comment }) => tagsOf(comment))
  return [
    `### ${name}`,
    ...tags.map(({ summary }) => summary),
    `\`\`\`ts\n${declarations.map(({ code }) => code).join('\n')}\n\`\`\``,
    ...tags.flatMap(({ params, errors, example }) => [
      params.map(([param, text]) => `- \`${param}\`: ${text}`).join('\n'),
      errors.map((text) => `Errors: ${text}`).join('\n'),
      example === '' ? '' : `\`\`\`ts\n${example}\n\`\`\``,
    ]),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

interface Tags {
  readonly summary: string
  readonly params: readonly (readonly [name: string, text: string])[]
  readonly errors: readonly string[]
  readonly example: string
}

function tagsOf(comment: string): Tags {
  const [summary = '', ...tags] = comment.split(/^@(?=\w)/m)
  const of = (tag: string) =>
    tags
      .filter((each) => each.startsWith(`${tag} `) || each.startsWith(`${tag}\n`))
      .map((each) => each.slice(tag.length).trim())
  const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ')
  return {
    summary: summary.trim(),
    params: of('param').map((text) => [
      /^\w+/.exec(text)?.[0] ?? '',
      oneLine(text.replace(/^\w+\s+(-\s+)?/, '')),
    ]),
    errors: of('throws').map((text) => oneLine(text.replace(/^LadingError\s+/, ''))),
    example: of('example')[0] ?? '',
  }
}

/** Exports that do not say what they are. */
export const unexplained = (exported: readonly Exported[] = exportsOf()): readonly string[] =>
  exported
    .filter(({ declarations }) =>
      declarations.every(({ comment }: Declaration) => tagsOf(comment).summary === ''),
    )
    .map(({ name, file }) => `${name} (src/${file}.ts)`)
