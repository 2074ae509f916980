/**
 * The blocks of a page, run from top to bottom in one shell, as one follows it: in an empty folder, with what
 * earlier blocks made. `npx lading` is the checkout's command, and `lading` its package.
 */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { root } from '../structure/sources.ts'
import { sqsEnvironment } from '../../tooling/servers/sqs.ts'
import { type Block, fileNameOf, type Step, stepsOf } from './blocks.ts'
import { firstMisfit } from './expected.ts'
import type { Places } from './places.ts'

/** What one step printed, and why it is not what the page promises. */
export interface Failure {
  readonly line: number
  readonly command: string
  readonly why: string
  readonly printed: string
}

/** Between the steps of a page in what its shell prints. */
const mark = '\x1e'

/** Rejects are an outcome that pages show, and so is an error. */
const isEnd = (exit: string | undefined, shown: readonly string[] = []): boolean =>
  shown.some((line) => line.startsWith('error '))
    ? exit !== undefined && exit !== '0'
    : exit === '0' || exit === '3'

/** In a checkout, its own `npx` runs first; afterwards and elsewhere, what stands for it. */
export async function runPage(
  blocks: readonly Block[],
  places: Places,
  checkout?: string,
): Promise<readonly Failure[]> {
  using folder = new PageFolder(checkout)
  const steps = blocks.flatMap((block) =>
    stepsIn(block, folder, places).map((step) => ({ ...step, line: block.line })),
  )
  folder.write('page.sh', [`trap 'failed=$?' ERR\n`, ...steps.map(inShell)].join(''))
  const printed = places.back(await folder.shell('page.sh')).split(mark)
  return steps.flatMap(({ command, expected, line }, index) => {
    // Behind each mark stands the exit code of the step before it.
    const own = (printed[index] ?? '').replace(index === 0 ? '' : /^\d+\n/, '')
    const exit = /^\d+(?=\n)/.exec(printed[index + 1] ?? '')?.[0]
    const misfit = expected === undefined ? undefined : firstMisfit(expected, own.split('\n'))
    const why = isEnd(exit, expected) ? misfit && `not as shown: ${misfit}` : `exit code ${exit ?? 'unknown'}`
    return why === undefined ? [] : [{ line, command, why, printed: own }]
  })
}

/** Of a script, each line must succeed, not its last one alone. */
const inShell = ({ command, expected }: Step): string =>
  expected === undefined
    ? `failed=0\n${command.trimEnd()}\nprintf '\\036%d\\n' $failed\n`
    : `${command.trimEnd()}\nprintf '\\036%d\\n' $?\n`

function stepsIn(block: Block, folder: PageFolder, places: Places): readonly Step[] {
  if (block.notRun !== undefined) return []
  const code = places.here(block.code)
  const name = fileNameOf(block)
  switch (block.language) {
    case 'sh':
      return block.untilStopped
        ? [untilStopped(block, folder, places)]
        : stepsOf(block).map((step) => ({ ...step, command: places.here(step.command) }))
    case 'ts':
      return name === undefined
        ? [{ command: `${folder.keep(code, 'main.ts')} && node main.ts` }]
        : [{ command: folder.keep(code, name) }]
    case 'sql':
      return [
        {
          command: `psql '${places.databaseUrl}' --quiet --set ON_ERROR_STOP=1 --file '${folder.kept(code)}'`,
        },
      ]
    default:
      return []
  }
}

function untilStopped(block: Block, folder: PageFolder, places: Places): Step {
  const [{ command, expected = [] } = { command: '' }] = stepsOf(block)
  const order = folder.kept(
    JSON.stringify({ command: places.here(command), expected: expected.map((line) => places.here(line)) }),
  )
  return {
    command: `node '${join(import.meta.dirname, 'until-stopped.ts')}' '${order}'`,
    expected: [...expected, '…'],
  }
}

class PageFolder implements Disposable {
  readonly #path = mkdtempSync(join(tmpdir(), 'lading-page-'))
  #kept = 0

  readonly #work: string

  constructor(checkout?: string) {
    this.#work = checkout ?? join(this.#path, 'work')
    for (const name of ['work', 'home', 'bin', 'kept', 'node_modules']) mkdirSync(join(this.#path, name))
    linkModules(join(this.#path, 'node_modules'))
    this.write('package.json', '{"type":"module"}')
    // A checkout's own finds the command once, for which it needs longer than the command.
    const own = `[ -e '${this.#path}/found' ] || { : > '${this.#path}/found'; PATH=\${PATH#*:} exec npx "$@"; }\n`
    const program = join(checkout ?? root, 'bin/lading.js')
    this.write(
      'bin/npx',
      `#!/bin/sh\n${checkout === undefined ? '' : own}[ "$1" = lading ] && shift && exec node '${program}' "$@"\nexit 127\n`,
    )
    chmodSync(join(this.#path, 'bin/npx'), 0o755)
  }

  write(name: string, content: string): void {
    writeFileSync(join(this.#path, name), content)
  }

  /** The path of a file with the content. */
  kept(content: string): string {
    const name = `kept/${++this.#kept}`
    this.write(name, content)
    return join(this.#path, name)
  }

  /** A command that puts it where the page works. */
  keep(content: string, name: string): string {
    return `mkdir -p '${dirname(name)}' && cp '${this.kept(content)}' '${name}'`
  }

  /** All that the script prints, errors among it. */
  async shell(script: string): Promise<string> {
    const programs = [join(this.#path, 'bin'), dirname(process.execPath), process.env['PATH'] ?? ''].join(
      delimiter,
    )
    const child = spawn('bash', ['-c', `exec 2>&1; . '${join(this.#path, script)}'`], {
      cwd: this.#work,
      env: {
        ...sqsEnvironment,
        PATH: programs,
        HOME: join(this.#path, 'home'),
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        npm_config_update_notifier: 'false',
        // What the checkout's own npx would build before it runs the command is there already.
        npm_config_ignore_scripts: 'true',
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return await text(child.stdout)
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true, force: true })
  }
}

/** As an installed package brings them, and `lading` from its checkout. */
export function linkModules(into: string): void {
  const modules = join(root, 'node_modules')
  for (const name of readdirSync(modules).filter((each) => !/^(\.|lading$)/.test(each)))
    symlinkSync(join(modules, name), join(into, name))
  symlinkSync(root, join(into, 'lading'))
}
