/**
 * The package as it is published, on the releases of Node that it says it runs on: the oldest, the newest of
 * the same line, and this one.
 */
import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Folder, records } from '../cli/run.ts'
import { root } from '../structure/sources.ts'

const run = promisify(execFile)
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
const oldest = `${/^\^(\d+\.\d+) /.exec(manifest.engines.node)?.[1]}.0`
const line = oldest.split('.')[0] as string
const binary = `node-${process.platform}-${process.arch}`

const withoutComments = (path: string): string =>
  readFileSync(join(root, path), 'utf8').replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '')

const model = `import { defineModel, doublePrecision, text, timestamptz } from 'lading'
export default defineModel({
  table: 'readings',
  columns: { record_time: timestamptz().notNull(), sensor_id: text().notNull(), value: doublePrecision().notNull() },
  primaryKey: ['record_time', 'sensor_id'],
})
`

describe('the published package', () => {
  let installed: string
  const at = (path: string) => join(installed, 'node_modules', path)

  beforeAll(async () => {
    installed = mkdtempSync(join(tmpdir(), 'lading-engines-'))
    const { stdout } = await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', installed],
      { cwd: root },
    )
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
    const nodes = [`oldest@npm:${binary}@${oldest}`, `newest@npm:${binary}@${line}`]
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--prefix', installed]
    await run('npm', ['install', ...quiet, join(installed, filename), ...nodes], { cwd: installed })
    // Two releases of Node are nearly 400 MB unpacked.
  }, 180_000)
  afterAll(() => rmSync(installed, { recursive: true, force: true }))

  it.concurrent.each([
    ['the oldest release that it declares', () => at('oldest/bin/node')],
    ['the newest of that line', () => at('newest/bin/node')],
    ['the Node of a checkout', () => process.execPath],
  ])('loads, tells and verifies on %s', async (_, node) => {
    await using folder = await Folder.make({
      'in/a.csv': `${records(3)}2021-01-01T00:00:09Z,a,much\n`,
      'in/b.csv.zst': zstdCompressSync(records(2).replaceAll(',a,', ',b,')),
      'model.ts': model,
      'package.json': '{"type":"module"}',
    })
    await run('ln', ['-s', at(''), folder.at('node_modules')])
    const lading = async (...args: string[]) =>
      run(node(), [at('lading/bin/lading.js'), ...args], { cwd: folder.path }).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
          code,
          stdout,
          stderr,
        }),
      )
    const loaded = await lading(
      'load',
      'in',
      '--consumers',
      '2',
      '--model',
      './model.ts',
      '--json',
      '--quiet',
    )
    expect(loaded).toMatchObject({ code: 3, stderr: '' })
    expect(JSON.parse(loaded.stdout)).toMatchObject({ loadedNow: 5 })
    expect(await lading('verify', '--quiet')).toMatchObject({ code: 3, stderr: '' })
    expect(await lading('status', '--json')).toMatchObject({ code: 0, stderr: '' })
    expect(await lading('rejects', 'list', '--code', 'BAD_NUMBER')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('BAD_NUMBER'),
    })
    expect(await lading('dead', 'list')).toMatchObject({ code: 0, stderr: '' })
    expect(await lading('peek')).toMatchObject({ code: 0 })
  })

  it('holds no numbered parameter of SQLite, which its oldest Node does not bind', () => {
    const files = globSync('src/**/*.ts', { cwd: root }).filter((path) =>
      /'[^'`]*[=>(, ]\?\d|`[^`]*[=>(, ]\?\d/.test(withoutComments(path)),
    )
    expect(files).toEqual([])
  })

  it.each(['20.19.5', '22.17.1', '23.11.1'])(
    'says in one line that it does not run on %s',
    async (version) => {
      const pretend = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`
      const started = run(process.execPath, ['--import', pretend, join(root, 'bin/lading.js'), '--version'])
      await expect(started).rejects.toMatchObject({
        code: 78,
        stdout: '',
        stderr: `lading needs Node 22.18 or a later 22, or 24 or newer; this is ${version}\n`,
      })
    },
  )
})
