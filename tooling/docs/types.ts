/** src/config/settings.ts: the types of a configuration file. */
import { join } from 'node:path'
import type { Option } from 'commander'
import { program } from '../../src/cli/main.ts'
import { pipelineCommands } from '../../src/cli/settings/chosen.ts'
import { aboutOf, byName, isNumeric, optionsOf, sharedOptions } from '../../src/cli/settings/config/schema.ts'
import { takesList } from '../../src/cli/settings/config/values.ts'

export const typesPath = join(import.meta.dirname, '../../src/config/settings.ts')

export async function renderTypes(): Promise<string> {
  const root = await program()
  const shared = byName(sharedOptions(root))
  return [
    '// Written by `npm run docs` from the options of the commands; change the text there.',
    '',
    '/** Options of all commands. */',
    'export interface AllSettings {',
    ...[...shared].flatMap(([name, option]) => [
      `  /** ${aboutOf(option)} */`,
      `  readonly ${name}?: ${typeOf(option)} | undefined`,
    ]),
    '}',
    ...pipelineCommands.flatMap((command) => [
      '',
      `export type ${command.replace(/^./, (first) => first.toUpperCase())}Settings = Pick<`,
      '  AllSettings,',
      ...byName(optionsOf(root, command))
        .keys()
        .map((name) => `  | '${name}'`),
      '>',
    ]),
    '',
  ].join('\n')
}

function typeOf(option: Option): string {
  if (option.isBoolean() || option.negate) return 'boolean'
  if (option.argChoices !== undefined) return option.argChoices.map((each) => `'${each}'`).join(' | ')
  const one = [
    'string',
    ...(isNumeric(option) ? ['number'] : []),
    ...(option.optional ? ['boolean'] : []),
  ].join(' | ')
  return takesList(option) ? `${one} | readonly (${one})[]` : one
}
