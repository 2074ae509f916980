import { allVariables } from '../../src/cli/settings/variables.ts'
import { leaves } from './commander.ts'
import { code, page, type Page, table } from './page.ts'

export const environment: Page = {
  name: 'environment.md',
  render: async () => {
    return page(
      'Environment variables',
      `An option on the command line wins over its variable. An empty variable counts as not set. Consumer processes of a
\`lading load\` inherit the variables. Lading reads no \`.env\` file; Docker Compose and \`node --env-file\` do.`,
      `## For options\n\n${await ofOptions()}`,
      ...allVariables.map(({ title, about, variables }) => {
        const hasOption = variables.some(({ option }) => option !== undefined)
        const rows = variables.map(({ name, option, about: meaning }) => [
          code(name),
          ...(hasOption ? [option === undefined ? '' : code(option)] : []),
          meaning,
        ])
        const head = ['variable', ...(hasOption ? ['stands for'] : []), 'meaning']
        return [`## ${title}`, about, table(head, rows)].filter((part) => part !== '').join('\n\n')
      }),
    )
  },
}

/** Several commands may say it in other words; the first does for all. */
async function ofOptions(): Promise<string> {
  const options = (await leaves()).flatMap((leaf) =>
    leaf.options.filter(({ envVar }) => envVar !== undefined),
  )
  const first = new Map(options.toReversed().map((option) => [option.envVar ?? '', option]))
  const rows = [...first].toSorted(([a], [b]) => a.localeCompare(b))
  return table(
    ['variable', 'stands for', 'meaning'],
    rows.map(([name, { long, description }]) => [code(name), code(long ?? ''), description]),
  )
}
