import { Argument, type Command } from 'commander'
import { bash, fish, type Shape, zsh } from '../terminal/completions.ts'
import { defined } from '../settings/defined.ts'
import { withExamples } from '../settings/examples.ts'
import { print } from '../terminal/output.ts'

const shells = { bash, zsh, fish } as const

export function completionsCommand(command: Command): Command {
  command.addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(shells)))
  withExamples(command, [
    ['completions bash', '> ~/.local/share/bash-completion/completions/lading'],
    ['completions zsh', '> ~/.zfunc/_lading, where fpath has ~/.zfunc'],
    ['completions fish', '> ~/.config/fish/completions/lading.fish'],
  ])
  return command.action((shell: keyof typeof shells) =>
    print(shells[shell](shapesOf(command.parent as Command))),
  )
}

/** The command itself, and all below it. */
function shapesOf(command: Command, before = ''): readonly Shape[] {
  const { commands, options, registeredArguments } = defined(command)
  const shape: Shape = {
    command: before,
    about: command.description(),
    words: [
      ...(before === 'config' ? (command.parent?.commands ?? []) : []).map((each) => ({
        word: each.name(),
        about: each.description(),
      })),
      ...commands.map((each) => ({ word: each.name(), about: each.description() })),
      ...registeredArguments.flatMap(({ argChoices = [] }) =>
        argChoices.map((word) => ({ word, about: '' })),
      ),
    ],
    takesPipelines: before === 'run' || before === 'config',
    options: [
      ...options.map(
        ({ long, description, argChoices, required, optional, flags }) =>
          ({
            name: long ?? '',
            about: description.split(/; | \(default/)[0] ?? '',
            choices: argChoices ?? [],
            takes: required ? 'value' : optional ? 'perhaps' : 'nothing',
            isPath: /<(file|folder|model)>/.test(flags),
          }) as const,
      ),
      { name: '--help', about: 'show the usual options', choices: [], takes: 'nothing', isPath: false },
    ],
  }
  const within = commands.flatMap((each) => shapesOf(each, `${before} ${each.name()}`.trim()))
  return [shape, ...within]
}
