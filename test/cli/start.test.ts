/**
 * What a start loads. Its time depends on the machine; the modules that it has to read and run do not. The
 * built package is what starts: from the sources, each module is a file of its own.
 */
import { execFile } from 'node:child_process'
import { readdir, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { root } from '../structure/sources.ts'
import { Folder, records } from './run.ts'

const run = promisify(execFile)

/** Prints what was loaded until the process ends: files and packages by URL, and parts of Node by name. */
const spy = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  const urls = []
  registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
  process.on('exit', () => process.stderr.write('loaded ' + JSON.stringify({ urls, node: process.moduleLoadList })))
`)}`

interface Loaded {
  /** Paths below the folder of the package, without parts of Node. */
  readonly files: readonly string[]
  /** Parts of Node that cost milliseconds each. */
  readonly costly: readonly string[]
}

async function loadedBy(folder: Folder, ...args: readonly string[]): Promise<Loaded> {
  const { stderr } = await run(process.execPath, ['--import', spy, join(root, 'bin/lading.js'), ...args], {
    cwd: folder.path,
  })
  const { urls, node } = JSON.parse(stderr.slice(stderr.indexOf('loaded {') + 7)) as {
    readonly urls: readonly string[]
    readonly node: readonly string[]
  }
  const own = urls.filter((url) => url.startsWith('file:')).map((url) => url.slice(`file://${root}`.length))
  const isCostly =
    /^NativeModule (http|https|tls|crypto|worker_threads|sqlite|undici.*|internal\/deps\/undici.*)$/
  return {
    files: own.toSorted(),
    costly: node.filter((name) => isCostly.test(name)).map((name) => name.split(' ')[1] as string),
  }
}

describe.concurrent('a start', () => {
  it.each(['--help', '--version', 'help'])(
    'lading %s loads no command, no package and no engine',
    async (word) => {
      await using folder = await Folder.make()
      expect(await loadedBy(folder, word)).toEqual({
        files: ['bin/lading.js', 'dist/cli/main.js', 'dist/core.js', 'dist/rolldown-runtime.js'],
        costly: [],
      })
    },
  )

  it.each([
    ['with a model', ['--model', 'records']],
    ['without a model', []],
  ])(
    'a load into SQLite %s loads no package and no driver of another adapter, and starts no thread',
    async (_, flags) => {
      await using folder = await Folder.make({ 'a.csv': records(1) })
      const { files, costly } = await loadedBy(folder, 'load', 'a.csv', '--to', 'sqlite:a.db', ...flags)
      expect(files.filter((path) => !/^(bin|dist)\//.test(path))).toEqual([])
      expect(files.filter((path) => /postgres|rabbitmq|sqs|metrics|server|writer-thread/.test(path))).toEqual(
        [],
      )
      expect(files).toContain('dist/sqlite.js')
      expect(files.length).toBeLessThan(20)
      expect(costly.toSorted()).toEqual(['crypto', 'sqlite', 'worker_threads'])
    },
  )
})

/** Files that the code names at run time lie elsewhere in the package than in the sources. */
describe.concurrent('the built package', () => {
  const start = (folder: Folder, ...args: readonly string[]) =>
    run(process.execPath, [join(root, 'bin/lading.js'), ...args], { cwd: folder.path })

  it('writes to SQLite in a thread', async () => {
    await using folder = await Folder.make()
    await start(folder, 'generate', 'sensors', '--sensors', '2', '--records', '30000', '--dir', 'data')
    const threads = `data:text/javascript,${encodeURIComponent(`
      import { isMainThread } from 'node:worker_threads'
      if (!isMainThread) process.on('exit', () => console.error('a thread ended: ' + process.moduleLoadList.includes('NativeModule sqlite')))
    `)}`
    const load = ['load', 'data', '--model', 'records', '--to', 'sqlite:a.db', '--consumers', '1', '--json']
    const { stdout, stderr } = await run(
      process.execPath,
      ['--import', threads, join(root, 'bin/lading.js'), ...load],
      { cwd: folder.path },
    )
    expect(JSON.parse(stdout)).toMatchObject({ loadedNow: 60_000 })
    expect(stderr).toContain('a thread ended: true')
  })

  it('gives itself to a model outside of a project that has lading installed', async () => {
    const model =
      "import { defineModel, integer } from 'lading'\nexport default defineModel({ table: 't', columns: { n: integer() } })\n"
    await using folder = await Folder.make({ 'model.mjs': model, 'a.csv': 'n\n1\n' })
    const { stdout } = await start(folder, 'load', 'a.csv', '--model', './model.mjs', '--json', '--quiet')
    expect(JSON.parse(stdout)).toMatchObject({ loadedNow: 1 })
  })

  it('names files of the sources in a stack, when Node is told to', async () => {
    await using folder = await Folder.make()
    const script = `import { defineModel } from '${pathToFileURL(join(root, 'dist/index.js')).href}'
      try { defineModel({ table: 't' }) } catch ({ stack }) { console.log(stack) }`
    const { stdout } = await run(
      process.execPath,
      ['--enable-source-maps', '--input-type=module', '--eval', script],
      { cwd: folder.path },
    )
    expect(stdout).toMatch(/at defineModel \(.*src\/model\/model\.ts:\d+:\d+\)/)
  })
})

describe.concurrent('compiled code', () => {
  const version = (folder: Folder, env: Readonly<Record<string, string>>) =>
    run(process.execPath, [join(root, 'bin/lading.js'), '--version'], {
      cwd: folder.path,
      // The tests keep what Node compiles in a folder of their own, which goes before.
      env: { PATH: process.env['PATH'], ...env },
    })

  it('is kept below the cache folder of the user, and nowhere else', async () => {
    await using folder = await Folder.make()
    await mkdir(folder.at('home'))
    expect(await version(folder, { HOME: folder.at('home') })).toMatchObject({ stderr: '' })
    expect(await readdir(folder.at('home/.cache'))).toEqual(['lading'])
    const [kept] = await readdir(folder.at('home/.cache/lading'))
    expect(await readdir(folder.at(`home/.cache/lading/${kept}`))).not.toEqual([])
    expect(
      await version(folder, { HOME: folder.at('home'), XDG_CACHE_HOME: folder.at('xdg') }),
    ).toMatchObject({ stderr: '' })
    expect(await readdir(folder.path)).toEqual(['home', 'xdg'])
  })

  it.each([
    ['there is no home', {}],
    ['the home is no folder', { HOME: '/dev/null' }],
    ['the file system makes no folder', { HOME: '/proc', XDG_CACHE_HOME: '/proc/none' }],
    ['the cache folder is relative', { XDG_CACHE_HOME: 'cache' }],
    ['Node is told not to', { HOME: '/nowhere', NODE_DISABLE_COMPILE_CACHE: '1' }],
  ])('is not kept, and nothing is said, where %s', async (_, env) => {
    await using folder = await Folder.make()
    expect(await version(folder, env)).toMatchObject({ stderr: '', stdout: expect.stringMatching(/^\d/) })
    expect(await readdir(folder.path)).toEqual([])
  })
})
