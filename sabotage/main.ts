/** `npm run sabotage [-- --only TEXT]`: each fault of one line has to turn a guard red. sabotage/README.md says how to read it. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Saboteur, saboteurs as ofConsumers } from '../simulation/saboteurs.ts'
import { saboteurs as ofAdapters } from './saboteurs.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Enough for each of the faults of the consumer; a core runs some hundred a second. */
const schedules = '20000'

interface Caught {
  /** What turned red; undefined where nothing did. */
  readonly by: string | undefined
  readonly seconds: number
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const chosen = ({ name }: Saboteur): boolean => name.includes(values.only)
let escaped = 0
console.log('| fault | caught by | seconds |\n|---|---|---:|')
for (const { name } of ofConsumers.filter(chosen)) {
  const run = [join(root, 'simulation/main.ts'), '--sabotage', name, '--schedules', schedules]
  report(name, await timed(async () => ruleIn(await ended(process.execPath, run, root))))
}
for (const { guard, ...saboteur } of ofAdapters.filter(chosen)) {
  using copy = copyWith(saboteur)
  report(saboteur.name, await timed(async () => await redTest(copy.path, guard)))
}
process.exitCode = escaped === 0 ? 0 : 1

function report(name: string, { by, seconds }: Caught): void {
  if (by === undefined) escaped++
  console.log(`| ${name} | ${by ?? '**nothing**'} | ${seconds.toFixed(0)} |`)
}

async function timed(work: () => Promise<string | undefined>): Promise<Caught> {
  const since = performance.now()
  const by = await work()
  return { by, seconds: (performance.now() - since) / 1000 }
}

interface Ended {
  readonly code: number | null
  readonly out: string
}

async function ended(program: string, args: readonly string[], cwd: string): Promise<Ended> {
  // Where it is set, no server may be missing.
  const env = { ...process.env, CI: 'true' }
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'ignore'] })
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out] = await Promise.all([text(child.stdout), code])
  return { code: await code, out }
}

/** The rule of the simulation that was broken. */
function ruleIn({ code, out }: Ended): string | undefined {
  const rule = /the rule that is broken: (.*)/.exec(out)?.[1]
  return code === 1 && rule !== undefined ? `simulation: ${rule}` : undefined
}

/** The first test of the file that fails. */
async function redTest(path: string, guard: string): Promise<string | undefined> {
  const results = join(path, 'report.json')
  const run = ['run', guard, '--bail', '1', '--reporter', 'json', '--outputFile', results]
  await ended(join(path, 'node_modules/.bin/vitest'), run, path)
  const { testResults } = JSON.parse(readFileSync(results, 'utf8')) as {
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
    }[]
  }
  const tests = testResults.flatMap((file) => file.assertionResults)
  const red = tests.find(({ status }) => status === 'failed')
  if (red === undefined && !tests.some(({ status }) => status === 'passed'))
    throw new Error(`no test of ${guard} was run`)
  return red && `${guard}: ${red.fullName.trim()}`
}

/** A copy of the project, with the fault in it. */
function copyWith({ file, line, instead }: Saboteur): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'lading-sabotage-'))
  const isLeft = /^(\.git|node_modules|dist|coverage|findings|bench\/results)$/
  cpSync(root, path, { recursive: true, filter: (from) => !isLeft.test(from.slice(root.length)) })
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'))
  const whole = readFileSync(join(path, file), 'utf8')
  if (!whole.includes(line)) throw new Error(`${file} has no line ${JSON.stringify(line)}`)
  writeFileSync(
    join(path, file),
    whole.replace(line, () => instead),
  )
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
