/**
 * The path of a stranger: installs the packed package into an empty folder, from an empty cache, uses it as a command and as
 * a library, and removes it. There are no servers: any system, any Node that the package says it runs on.
 *
 *     node tooling/tryout.ts FOLDER      # with one lading-*.tgz in it
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [tarball] = globSync('lading-*.tgz', { cwd: process.argv[2] ?? '.' })
if (tarball === undefined) throw new Error('node tooling/tryout.ts FOLDER: no lading-*.tgz there')

const folder = mkdtempSync(join(tmpdir(), 'lading-tryout-'))
try {
  const env = { ...process.env, npm_config_cache: join(folder, 'cache') }
  // By the shell, because npm and npx are scripts of it on Windows.
  const run = (command: string): string =>
    execFileSync(command, {
      cwd: folder,
      env,
      shell: true,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}')
  run(`npm install --no-audit --no-fund --silent "${join(process.argv[2] ?? '.', tarball)}"`)
  writeFileSync(join(folder, 'a.csv'), 'id,total\n1,12.50\n2,7.25\n')
  for (const loaded of [2, 0]) {
    const printed = run('npx --no-install lading load a.csv --key id --json --quiet')
    const { loadedNow } = JSON.parse(printed) as { loadedNow: number }
    if (loadedNow !== loaded) throw new Error(`loaded ${loadedNow} records instead of ${loaded}: ${printed}`)
  }
  run('npx --no-install lading verify --quiet')
  writeFileSync(
    join(folder, 'program.js'),
    `import { createConsumer, defineModel, integer, openQueue, openSink } from 'lading'
const model = defineModel({ table: 'numbers', columns: { n: integer().notNull() } })
const queue = await openQueue('memory:')
const sink = await openSink('sqlite::memory:')
await queue.publish([{ key: 'a', body: Buffer.from('{"n":7}'), headers: {} }])
const { loaded } = await createConsumer({ queue, model, sink }).run({ untilEmpty: true })
if (loaded !== 1) throw new Error('loaded ' + loaded)
`,
  )
  run('node program.js')
  run('npm uninstall --no-audit --no-fund --silent lading')
  const left = globSync('node_modules/**/package.json', { cwd: folder })
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
  console.log(`lading runs on ${process.platform} ${process.arch}, Node ${process.version}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
