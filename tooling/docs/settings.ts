import type { Option } from 'commander'
import { takesList } from '../../src/cli/settings/config/values.ts'
import { leaves } from './commander.ts'
import { code, page, type Page, table } from './page.ts'

export const settings: Page = {
  name: 'settings.md',
  render: async () => {
    const uses = (await leaves()).flatMap(({ name, options }) =>
      options.filter(({ long }) => long !== '--help-all').map((option) => ({ name, option })),
    )
    const keys = [...Map.groupBy(uses, ({ option }) => option.attributeName())].toSorted(([a], [b]) =>
      a.localeCompare(b),
    )
    return page(
      'Settings of the configuration file',
      `The keys of [\`lading.config.ts\`, \`.json\` or \`.yaml\`](../configuration.md) and of the pipelines in it: names of options, as
\`chunkBytes\` or \`chunk-bytes\`. A command takes the keys that it has options for. A key that no command has is refused.
What the options mean: [commands](commands.md).`,
      table(
        ['key', 'value', 'option', 'commands'],
        keys.map(([key, found]) => [
          code(key),
          kindOf(found.map(({ option }) => option)),
          code(found[0]?.option.long ?? ''),
          [...new Set(found.map(({ name }) => name))].join(', '),
        ]),
      ),
    )
  },
}

function kindOf(options: readonly Option[]): string {
  const [option] = options
  if (option === undefined || option.isBoolean() || option.negate) return 'true or false'
  const value = option.argChoices?.map((each) => code(each)).join(', ') ?? 'text or number'
  return takesList(option) ? `${value}, or a list` : value
}
