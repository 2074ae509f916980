/**
 * `npm run coverage [-- [--merge] TEST…]`: runs the tests, all of them unless some are named, and says which lines of `src/` they reach, by
 * themselves and in the processes and threads that they start. A process that is killed by SIGKILL does not say what it ran.
 *
 * It ends with 1 if a line is neither reached nor excused (statements.ts). `--merge` adds to what runs before have reached of sources that
 * have not changed since.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { keep, merge, readCoverage, readKept } from './reached.ts'
import { badgeOf, lcovOf, look, tableOf, unreachedOf } from './report.ts'

const root = join(import.meta.dirname, '../..')
const at = (name: string): string => join(root, 'coverage', name)

const { values, positionals } = parseArgs({
  options: { merge: { type: 'boolean', default: false } },
  allowPositionals: true,
})

const tests = await runTests(positionals)
const now = await readCoverage(at('run/coverage-final.json'), root)
const reached = values.merge ? merge(readKept(at('reached.json'), root), now) : now
keep(at('reached.json'), reached)

const files = await look(reached, root)
writeFileSync(at('lcov.info'), lcovOf(files))
writeFileSync(at('badge.json'), JSON.stringify(badgeOf(files)))
const unreached = unreachedOf(files)
for (const line of [...unreached, '', ...tableOf(files)]) console.log(line)
process.exitCode = tests === 0 && unreached.length === 0 ? 0 : 1

/** Their exit code. */
async function runTests(names: readonly string[]): Promise<number> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const options = ['run', '--coverage', `--coverage.reportsDirectory=${at('run')}`]
  // Threads of a process say what they run only if the process was started with the variable. What lies in this folder
  // Vitest knows by itself.
  const env = { ...process.env, NODE_V8_COVERAGE: at('threads') }
  const child = spawn(process.execPath, [vitest, ...options, ...names], { cwd: root, env, stdio: 'inherit' })
  const [code] = (await once(child, 'close')) as [number | null]
  rmSync(at('threads'), { recursive: true, force: true })
  return code ?? 1
}
