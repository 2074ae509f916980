import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { Folder } from './run.ts'

const run = promisify(execFile)

it('bash completes commands, options, choices and pipelines with the script that lading prints', async () => {
  const config = JSON.stringify({ pipelines: { orders: {}, customers: {} } })
  await using folder = await Folder.make({ 'lading.config.json': config })
  const { out } = await folder.lading('completions', 'bash')
  const { out: pipelines } = await folder.lading('run')
  await folder.write('lading.bash', out)
  await folder.write('pipelines', pipelines)
  const script = `
    lading() { cat pipelines; }
    source lading.bash
    complete -p lading
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _lading; echo "$*: \${COMPREPLY[*]}"; }
    try lading re; try lading rejects e; try lading load --on-con; try lading load --on-conflict ''
    try lading load a.csv --to load --form; try lading rejects list --col; try lading run ''; try lading completions z
    try lading load ''; try lading generate`
  const { stdout } = await run('bash', ['-c', script], { cwd: folder.path })
  expect(stdout.trimEnd().split('\n')).toEqual([
    'complete -o default -F _lading lading',
    'lading re: rejects',
    'lading rejects e: edit export',
    'lading load --on-con: --on-conflict',
    'lading load --on-conflict : error skip update merge',
    'lading load a.csv --to load --form: --format',
    'lading rejects list --col: --column',
    'lading run : orders customers',
    'lading completions z: zsh',
    'lading load : ',
    'lading generate: generate',
  ])
})

/** What stands outside of quotes and escapes; in fish, a backslash escapes within quotes, too. */
const bare = {
  zsh: (script: string) => script.replaceAll(/'[^']*'|\\./gs, ''),
  fish: (script: string) => script.replaceAll(/'(\\.|[^'\\])*'|\\./gs, ''),
}

it.each(['zsh', 'fish'] as const)(
  'the script for %s has every command and option, and its syntax is right',
  async (shell) => {
    await using folder = await Folder.make()
    const { code, out } = await folder.lading('completions', shell)
    expect(code).toBe(0)
    for (const word of ['rejects list', 'on-conflict', 'merge', 'republish-missing', 'until-empty'])
      expect(out).toContain(word)
    expect(bare[shell](out)).not.toContain("'")
    await folder.write('script', out)
    const checked = spawnSync(shell, ['-n', folder.at('script')], { encoding: 'utf8' })
    // The machine may have no such shell.
    if (checked.error === undefined) expect(checked).toMatchObject({ status: 0, stderr: '' })
  },
)
