/**
 * The package as it is published, in a folder that has nothing else: on the releases of Node that it says it runs on (the
 * oldest, the newest of the same line, and this one), for a program, for TypeScript, and without the drivers that whoever
 * needs them installs.
 */
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
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

/** A program and its types: what `lading` exports, resolved as a package. */
const program = `import { type Consumer, createConsumer, defineModel, integer, openQueue, openSink } from 'lading'
const model = defineModel({ table: 'numbers', columns: { n: integer().notNull() } })
await using queue = await openQueue('memory:')
await using sink = await openSink('sqlite::memory:')
await queue.publish([{ key: 'a', body: Buffer.from('{"n":7}'), headers: {} }])
const consumer: Consumer = createConsumer({ queue, model, sink })
const { loaded } = await consumer.run({ untilEmpty: true })
console.log(loaded)
`

/** What a URL needs that does not come with Lading. */
const drivers = {
  'https://sqs.eu-central-1.amazonaws.com/1/q': '@aws-sdk/client-sqs',
  'nats://127.0.0.1:1/?stream=s': '@nats-io/transport-node @nats-io/jetstream',
  'redis://127.0.0.1:1/0?stream=s': '@redis/client',
  'mysql://a@127.0.0.1:1/a': 'mysql2',
  'duckdb:a.duckdb': '@duckdb/node-api',
  's3://bucket/a.csv?region=eu-central-1': '@aws-sdk/client-s3',
}

describe('the published package', () => {
  let installed: string
  let tarball: string
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
    tarball = join(installed, filename)
    await run('npm', ['install', ...quiet, tarball, ...nodes], { cwd: installed })
    // Two releases of Node are nearly 400 MB unpacked.
  }, 180_000)
  afterAll(() => rmSync(installed, { recursive: true, force: true }))

  const releases: readonly (readonly [string, () => string])[] = [
    ['the oldest release that it declares', () => at('oldest/bin/node')],
    ['the newest of that line', () => at('newest/bin/node')],
    ['the Node of a checkout', () => process.execPath],
  ]

  // Another release of Node is read from the disk for the first time.
  const slowly = { timeout: 180_000 }
  it.concurrent.each(releases)('loads, tells and verifies on %s', slowly, async (_, node) => {
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

  it.concurrent.each(releases)('is the library of a program on %s', async (_, node) => {
    const file = join(installed, `${basename(dirname(dirname(node())))}.mjs`)
    // Node 22 has no `await using`.
    writeFileSync(
      file,
      program.replaceAll('await using', 'const').replaceAll(/type Consumer, |: Consumer/g, ''),
    )
    expect(await run(node(), [file], { env: { NODE_NO_WARNINGS: '1' } })).toEqual({
      stdout: '1\n',
      stderr: '',
    })
  })

  it.concurrent(
    'is installed from an empty cache, used and removed where there is no Git',
    slowly,
    async () => {
      const path = join(installed, 'path')
      mkdirSync(path)
      writeFileSync(join(path, 'git'), '#!/bin/sh\necho "git $*" >&2; exit 1\n', { mode: 0o755 })
      const env = { ...process.env, PATH: `${path}:${process.env['PATH']}` }
      const tried = await run(process.execPath, [join(root, 'tooling/tryout.ts'), installed], { env })
      expect(tried).toEqual({ stdout: expect.stringContaining('lading runs on'), stderr: '' })
    },
  )

  it.concurrent.each(['nodenext', 'bundler'])(
    'has types for programs that resolve packages as %s does',
    async (resolution) => {
      const file = join(installed, `${resolution}.mts`)
      writeFileSync(file, program)
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
      const module = ['--module', resolution === 'bundler' ? 'esnext' : resolution]
      const how = [
        '--ignoreConfig',
        '--noEmit',
        '--strict',
        '--target',
        'es2024',
        '--lib',
        'es2024,esnext.disposable',
      ]
      await run(process.execPath, [
        tsc,
        ...how,
        ...types,
        ...module,
        '--moduleResolution',
        resolution,
        file,
      ]).catch(({ stdout }: { stdout: string }) => expect.unreachable(stdout))
    },
  )

  it.concurrent('resolves to its types wherever a module of today imports it (attw)', async () => {
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    await run(process.execPath, [attw, tarball, '--profile', 'esm-only', '--no-color']).catch(
      ({ stdout }: { stdout: string }) => expect.unreachable(stdout),
    )
  })

  it.concurrent.each(Object.entries(drivers))(
    'says in one line what %s needs besides',
    async (url, packages) => {
      await using folder = await Folder.make({ 'a.csv': 'n\n1\n' })
      const isQueue = /queue|stream|sqs/.test(url)
      const args = url.startsWith('s3:')
        ? ['inspect', url]
        : isQueue
          ? ['status', '--queue', url]
          : ['load', 'a.csv', '--to', url]
      const started = run(process.execPath, [at('lading/bin/lading.js'), ...args], { cwd: folder.path })
      await expect(started).rejects.toMatchObject({ code: 69, stdout: '' })
      await expect(started).rejects.toMatchObject({
        stderr: expect.stringContaining(`npm install ${packages}`),
      })
    },
  )

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
