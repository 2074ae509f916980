import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { program } from '../../src/cli/main.ts'
import { groupOf, groups, hasOwnMeaning } from '../../src/cli/settings/groups.ts'
import { Folder } from './run.ts'

const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)]

describe('the table of options and groups', async () => {
  const lading = await program()
  const commands = lading.commands.flatMap(all)

  it('has every option of every command, and no other', () => {
    const without = commands.flatMap((command) =>
      command.options
        .filter((option) => groupOf(command, option) === undefined)
        .map(({ long }) => `${command.name()} ${long}`),
    )
    expect(without, 'src/cli/settings/groups.ts').toEqual([])
    const known = commands.flatMap((command) =>
      command.options.flatMap(({ long }) => [long?.slice(2), `${command.name()} ${long?.slice(2)}`]),
    )
    expect(Object.keys(groups).filter((name) => !known.includes(name))).toEqual([])
  })

  it('marks an option whose name means something else in another command', () => {
    const shared = commands.flatMap((command) =>
      command.options
        .filter((option) => !option.negate && !hasOwnMeaning(command, option))
        .map((option) => [option.attributeName(), option.flags] as const),
    )
    const flags = new Map<string, Set<string>>()
    for (const [name, each] of shared) flags.set(name, (flags.get(name) ?? new Set()).add(each))
    expect([...flags.values()].map((each) => [...each]).filter((each) => each.length > 1)).toEqual([])
  })
})

const optionsIn = (help: string): string[] => help.match(/(?<=^ {2}(-\w, )?)--[\w-]+/gm) ?? []

describe.concurrent('help', () => {
  it('of a load shows what is usual, in groups, and says how to see the rest', async () => {
    await using folder = await Folder.make()
    const { code, out } = await folder.lading('load', '--help')
    expect(code).toBe(0)
    expect(out.match(/^\w.*:$/gm)).toEqual([
      'Arguments:',
      'Target and queue:',
      'Files and how they are written:',
      'Table and types:',
      'What happens to records:',
      'Run:',
      'Watching:',
      'Output:',
      'Examples:',
    ])
    expect(optionsIn(out)[0]).toBe('--to')
    expect(optionsIn(out).length).toBeLessThanOrEqual(26)
    const options = out.slice(out.indexOf('Target'), out.indexOf('Examples'))
    expect(options.match(/^ {2}/gm)?.length).toBeLessThanOrEqual(42)
    expect(out.trimEnd()).toMatch(/\d+ more options, for tuning and rare cases: --help-all$/)
  })

  it('shows all of it with --help-all, also where an argument is missing', async () => {
    await using folder = await Folder.make()
    const [short, whole] = await Promise.all(
      ['--help', '--help-all'].map((option) => folder.lading('rejects', 'show', option)),
    )
    expect(whole).toMatchObject({ code: 0, err: '' })
    const more = optionsIn(whole?.out ?? '').filter((name) => !optionsIn(short?.out ?? '').includes(name))
    expect(more).toEqual(['--log-level', '--log-format'])
    expect(whole?.out).toMatch(/env:\s+LADING_TO/)
    expect(whole?.out).not.toContain('more options')
  })

  it('hides nothing from the proposal for a misspelt option', async () => {
    await using folder = await Folder.make()
    const { err } = await folder.lading('load', 'a.csv', '--skip-lnes', '2')
    expect(err).toContain('Did you mean --skip-lines?')
  })
})
