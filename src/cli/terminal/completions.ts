/** Scripts that complete the command line in a shell, made of the commands and their options. */

export interface Shape {
  /** `rejects list`; empty for `lading` itself. */
  readonly command: string
  readonly about: string
  /** Commands below it, or what its argument may be. */
  readonly words: readonly { readonly word: string; readonly about: string }[]
  /** Its arguments are pipelines of the configuration file. */
  readonly takesPipelines: boolean
  readonly options: readonly {
    readonly name: string
    readonly about: string
    readonly choices: readonly string[]
    readonly takes: 'nothing' | 'perhaps' | 'value'
    readonly isPath: boolean
  }[]
}

/** `lading run` lists the pipelines below a heading. */
const pipelines = "lading run 2>/dev/null | sed -n '2,$s/ .*//p'"

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** For a `case`: what the command is so far, and the word that goes on with it. */
const steps = (shapes: readonly Shape[]): string[] =>
  shapes.flatMap(({ command }) => {
    const words = command.split(' ')
    return command === '' ? [] : [quoted(`${words.slice(0, -1).join(' ')} ${words.at(-1)}`)]
  })

type Choice = readonly [option: string, choices: readonly string[]]

/** Options of one name have the same choices in every command that has them. */
const choicesOf = (shapes: readonly Shape[]): readonly Choice[] => [
  ...new Map(
    shapes.flatMap(({ options }) =>
      options
        .filter(({ choices }) => choices.length > 0)
        .map(({ name, choices }) => [name, choices] as const),
    ),
  ),
]

/** Options whose value is anything: nothing is proposed for it. */
const named = (shapes: readonly Shape[], is: (option: Shape['options'][number]) => boolean): string[] => [
  ...new Set(shapes.flatMap(({ options }) => options.filter(is).map(({ name }) => name))),
]

/** Paths are left to the shell, which completes them where the function proposes nothing. */
export function bash(shapes: readonly Shape[]): string {
  const cases = shapes.map(({ command, words, takesPipelines, options }) => {
    const all = [words.map(({ word }) => word).join(' '), takesPipelines ? `$(${pipelines})` : ''].filter(
      (part) => part !== '',
    )
    return `    ${quoted(command)}) options='${options.map(({ name }) => name).join(' ')}'; words="${all.join(' ')}" ;;`
  })
  const values = choicesOf(shapes).map(([name, choices]) => `    ${name}) words='${choices.join(' ')}' ;;`)
  const free = named(shapes, ({ takes, choices }) => takes === 'value' && choices.length === 0)
  return `# Completes lading in bash: source <(lading completions bash)
_lading() {
  local word command='' options='' words='' current=\${COMP_WORDS[COMP_CWORD]}
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $word" in
      ${steps(shapes).join(' | ')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    ${free.join(' | ')}) return ;;
${values.join('\n')}
    *)
      case "$command" in
${cases.map((line) => `    ${line}`).join('\n')}
      esac
      [[ $current == -* ]] && words=$options ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _lading lading`
}

export function zsh(shapes: readonly Shape[]): string {
  const described = (name: string, about: string) => quoted(`${name}${about === '' ? '' : `:${about}`}`)
  const cases = shapes.map(({ command, words, takesPipelines, options }) => {
    const flags = options.map(({ name, about }) => described(name, about)).join(' ')
    const all = words.map(({ word, about }) => described(word, about))
    if (takesPipelines) all.push(`\${(f)"$(${pipelines})"}`)
    return `    (${quoted(command)}) options=(${flags}); values=(${all.join(' ')}) ;;`
  })
  const values = choicesOf(shapes).map(
    ([name, choices]) =>
      `    (${name}) values=(${choices.map(quoted).join(' ')}); _describe value values; return ;;`,
  )
  const paths = named(shapes, ({ isPath }) => isPath)
  const free = named(
    shapes,
    ({ takes, choices, isPath }) => takes === 'value' && choices.length === 0 && !isPath,
  )
  return `#compdef lading
# Completes lading in zsh: source <(lading completions zsh), or as _lading in a folder of fpath.
_lading() {
  local word command=''
  local -a options values
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$command $word" in
      (${steps(shapes).join('|')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "\${words[CURRENT-1]}" in
    (${paths.join('|')}) _files; return ;;
    (${free.join('|')}) _message value; return ;;
${values.join('\n')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe option options
  elif (( \${#values} )); then _describe command values
  else _files
  fi
}
if [[ \${funcstack[1]} == _lading ]]; then _lading "$@"; else compdef _lading lading; fi`
}

export function fish(shapes: readonly Shape[]): string {
  // Within single quotes, fish knows two escapes.
  const plain = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = shapes.flatMap(({ command, words, takesPipelines, options }) => {
    const at = `complete -c lading -n "__lading_at ${plain(command)}"`
    return [
      ...(words.length === 0 && !takesPipelines ? [`${at} -F`] : []),
      ...words.map(({ word, about }) => `${at} -a ${word}${about === '' ? '' : ` -d ${plain(about)}`}`),
      ...(takesPipelines ? [`${at} -a "(${pipelines.replaceAll('$', String.raw`\$`)})"`] : []),
      ...options.map(({ name, about, choices, takes, isPath }) => {
        const value =
          choices.length > 0
            ? ` -x -a ${plain(choices.join(' '))}`
            : isPath
              ? ' -r -F'
              : takes === 'value'
                ? ' -x'
                : ''
        return `${at} -l ${name.slice(2)}${value} -d ${plain(about)}`
      }),
    ]
  })
  return `# Completes lading in fish: lading completions fish | source
function __lading_at
  set -l command ''
  for word in (commandline -opc)[2..-1]
    switch "$command $word"
      case ${steps(shapes).join(' ')}
        set command (string trim "$command $word")
    end
  end
  test "$command" = "$argv[1]"
end
complete -c lading -f
${lines.join('\n')}`
}
