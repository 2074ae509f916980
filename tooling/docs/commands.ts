import type { Option } from 'commander'
import { aboutOption, globalOptions, type Leaf, leaves } from './commander.ts'
import { anchor, code, page, type Page, table } from './page.ts'

/**
 * An option that several commands share with the same text stands in the table of its group, once; a command
 * lists the names.
 */
export const commands: Page = {
  name: 'commands.md',
  render: async () => {
    const all = await leaves()
    const shared = sharedOptions(all)
    return page(
      'Commands',
      `\`lading COMMAND --help\` prints the same, with examples. Exit codes: [errors](errors.md). Every option may stand in the
[configuration file](settings.md), and some have an [environment variable](environment.md).`,
      ['Before the command:', '', optionTable(await globalOptions())].join('\n'),
      ...all.map((leaf) => section(leaf, shared)),
      '## Shared options',
      ...[...shared].map(([group, options]) => `### ${group}\n\n${optionTable(options.values().toArray())}`),
    )
  },
}

type Shared = ReadonlyMap<string, ReadonlyMap<string, Option>>

function section({ name, command, options }: Leaf, shared: Shared): string {
  const own = options.filter((option) => !isShared(option, shared))
  const words = command.registeredArguments.map((each) => {
    const word = `${each.name()}${each.variadic ? '…' : ''}`.toUpperCase()
    return each.required ? word : `[${word}]`
  })
  const rows = command.registeredArguments.map((each) => [code(each.name().toUpperCase()), each.description])
  const elsewhere = [...shared].flatMap(([group, within]) => {
    const names = options.filter((each) => within.get(identity(each)) !== undefined).map(({ long }) => long)
    return names.length === 0
      ? []
      : [`- [${group}](${anchor(group)}): ${names.map((each) => code(each ?? '')).join(', ')}`]
  })
  return [
    `## lading ${name}`,
    `    lading ${[name, ...words, '[options]'].join(' ')}`,
    `${command.description().replace(/^./, (first) => first.toUpperCase())}.`,
    ...(rows.length === 0 ? [] : [table(['argument', 'meaning'], rows)]),
    ...(own.length === 0 ? [] : [optionTable(own)]),
    ...(elsewhere.length === 0 ? [] : [`Shared options:\n\n${elsewhere.join('\n')}`]),
  ].join('\n\n')
}

const optionTable = (options: readonly Option[]): string =>
  table(
    ['option', 'meaning'],
    options.map((option) => [code(option.flags), aboutOption(option)]),
  )

/** By group, those that two commands or more have, all with the same text. */
function sharedOptions(all: readonly Leaf[]): Shared {
  const byFlags = Map.groupBy(
    all.flatMap(({ options }) => options),
    ({ flags }) => flags,
  )
  const several = [...byFlags.values()].filter(
    (options) => options.length > 1 && new Set(options.map(identity)).size === 1,
  )
  const firsts = several.flatMap(([first]) => first ?? [])
  return new Map(
    [...Map.groupBy(firsts, groupOf)].map(([group, options]) => [
      group,
      new Map(options.map((option) => [identity(option), option])),
    ]),
  )
}

const groupOf = (option: Option): string => (option.helpGroupHeading ?? 'Options').replace(/:$/, '')
const isShared = (option: Option, shared: Shared): boolean =>
  shared.get(groupOf(option))?.has(identity(option)) === true
const identity = (option: Option): string => `${option.flags} ${aboutOption(option)}`
