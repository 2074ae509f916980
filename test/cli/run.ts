/**
 * `lading` as a user runs it: a process in a folder of its own, of which only the exit code and what it
 * printed count.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import type { Code } from '../../src/core/errors.ts'
import { bin } from '../support/lading.ts'
import { runCommand } from '../support/runner.ts'

/** What models in files import, as a user's import the package. */
export const library = join(import.meta.dirname, '../../dist/index.js')
export const fixtures = join(import.meta.dirname, '../fixtures')

/** Variables of the machine that would change what a run does. */
const steering =
  /^(LADING_|LOG_LEVEL|PG|POSTGRES_|RABBITMQ_|SQS_URL|AWS_(DEFAULT_REGION|ENDPOINT_URL|PROFILE)|TARGET_FILE_|CSV_PARSER_|GEN_|NODE_OPTIONS|VITEST)/

const surroundings = (own: Readonly<Record<string, string>> = {}) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !steering.test(name))),
  ...own,
})

/** Standard input, and what changes Node itself. */
const needsOwnProcess = (args: readonly string[], { env = {}, stdin }: RunOptions): boolean =>
  stdin !== undefined ||
  args.includes('-') ||
  Object.keys(env).some((name) => name.startsWith('NODE_')) ||
  // Coverage is told of modules by their names.
  process.env['NODE_V8_COVERAGE'] !== undefined

/** Without when it was and how long it took, which no two runs have in common. */
const timeless = (printed: string): string =>
  printed
    .replaceAll(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ /gm, '')
    .replaceAll(/(?<=^(this run loaded|published) .*) in \d+\.\d s( \([\d,]+ records\/s\))?/gm, '')

export interface Run {
  readonly code: number | null
  /** Both without times. */
  readonly out: string
  readonly err: string
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string | Uint8Array
}

export const header = 'record_time,sensor_id,value\n'
/** A good record of the model that ships with lading; every number gives another key. */
export const record = (n: number, value: string | number = n) =>
  `2021-01-01T00:00:${String(n).padStart(2, '0')}Z,a,${value}\n`
export const records = (n: number) => header + Array.from({ length: n }, (_, i) => record(i)).join('')

/** The words of a line that was printed, as a shell takes them. */
export function wordsOf(line: string, env: Readonly<Record<string, string>> = {}): readonly string[] {
  const script = `lading() { printf '%s\\0' "$@"; }; ${line}`
  return spawnSync('sh', ['-c', script], { encoding: 'utf8', env: surroundings(env) })
    .stdout.split('\0')
    .slice(0, -1)
}

export class Folder implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async make(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<Folder> {
    const folder = new Folder(await mkdtemp(join(tmpdir(), 'lading-cli-')))
    for (const [name, content] of Object.entries(files)) await folder.write(name, content)
    return folder
  }

  at(name: string): string {
    return join(this.path, name)
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await mkdir(dirname(this.at(name)), { recursive: true })
    await writeFile(this.at(name), content)
  }

  /**
   * With `detached`, the process leads a process group of its own, as one does that is started at a terminal.
   */
  start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    detached = false,
  ): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [bin, ...args], { cwd: this.path, env: surroundings(env), detached })
  }

  async lading(...args: readonly string[]): Promise<Run> {
    return this.run(args)
  }

  /** In a process that runs other commands, too, unless it can be told from one of its own. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
    if (needsOwnProcess(args, options)) return this.#ended(this.start(args, options.env), options)
    const { code, out, err } = await runCommand({ args, cwd: this.path, env: surroundings(options.env) })
    return { code, out: timeless(out), err: timeless(err) }
  }

  /** Runs a line that was printed, as a shell takes it. */
  async paste(line: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
    return this.run(wordsOf(line, env), { env })
  }

  async #ended(child: ChildProcessWithoutNullStreams, { stdin = '' }: RunOptions): Promise<Run> {
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    // A command that does not read its input may be gone before it is written.
    child.stdin.on('error', () => undefined)
    child.stdin.end(stdin)
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    return { code, out: timeless(out), err: timeless(err) }
  }

  /** Lines of a file that processes append to; none where there is no such file. */
  async lines(name: string): Promise<string[]> {
    const content = await readFile(this.at(name), 'utf8').catch(() => '')
    return content.split('\n').filter((line) => line !== '')
  }

  /** Runs a command that must succeed, and returns its JSON. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const run = await this.lading(...args, '--json')
    expect(run.code, run.err).toBe(0)
    return JSON.parse(run.out) as T
  }

  sql<T = Record<string, unknown>>(statement: string, file = 'lading.db'): T[] {
    const database = new DatabaseSync(this.at(file))
    try {
      return database
        .prepare(statement)
        .all()
        .map((row) => ({ ...row })) as T[]
    } finally {
      database.close()
    }
  }

  /** Number of rows in the target; 0 where nothing made the table. */
  rows(table = 'records', file = 'lading.db'): number {
    if (this.sql(`SELECT 1 FROM sqlite_schema WHERE name = '${table}'`, file).length === 0) return 0
    return this.sql<{ n: number }>(`SELECT count(*) AS n FROM ${table}`, file)[0]?.n ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

/** The run ended on this error, told in one line with what to do, and printed no result. */
export function expectError(
  run: Run,
  code: Code,
  exit: number,
  ...parts: readonly (string | RegExp)[]
): void {
  const errors = run.err.split('\n').filter((line) => line.startsWith('error '))
  expect({ code: run.code, errors: errors.length, out: run.out }, run.err).toEqual({
    code: exit,
    errors: 1,
    out: '',
  })
  expect(errors[0]).toMatch(new RegExp(`^error ${code}: .+ \\(.+\\)$`))
  for (const part of parts) expect(errors[0]).toMatch(part)
  expect(run.err).not.toMatch(/^\s+at /m)
  expect(run.err.trimEnd().split('\n').at(-1)).toBe(errors[0])
}

/** The command that a run printed for a person to paste. */
export const pasted = (out: string, command: string): string =>
  new RegExp(`lading ${command} .*`).exec(out)?.[0] ?? 'nothing was printed'
