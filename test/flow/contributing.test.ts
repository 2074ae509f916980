/**
 * CONTRIBUTING.md, followed literally: the code of each recipe, in a package of its own that depends on what
 * this one ships, compiles and passes the suites of `lading/testing`.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root } from '../structure/sources.ts'

const modules = join(root, 'node_modules')
const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')

/** By recipe: the code blocks that name a file, by its name. */
const recipes = new Map(
  [...page.matchAll(/^## (Add .*)\n([^]*?)(?=^## |$(?![^]))/gm)].map(([, title = '', text = '']) => {
    const blocks = text.matchAll(/^```ts\n\/\/ (\S+)\n([^]*?)^```$/gm)
    return [title, new Map([...blocks].map(([, name = '', code = '']) => [name, code]))]
  }),
)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lading-recipes-'))
  const installed = join(folder, 'node_modules', 'lading')
  for (const part of ['package.json', 'dist'])
    cpSync(join(root, part), join(installed, part), { recursive: true })
  for (const name of readdirSync(modules).filter((each) => !/^(\.|lading$)/.test(each)))
    symlinkSync(join(modules, name), join(folder, 'node_modules', name))
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    erasableSyntaxOnly: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  write('package.json', JSON.stringify({ name: 'recipes', type: 'module', private: true }))
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['*/*.ts'] }))
  for (const [title, files] of recipes)
    for (const [name, code] of files) write(join(title.replaceAll(' ', '-'), name), code)
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

function run(script: string, ...args: readonly string[]): void {
  // Vitest behaves otherwise where it finds itself inside of another.
  const env = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV$)/.test(name))
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(modules, script), ...args], {
    cwd: folder,
    env: Object.fromEntries(env),
    encoding: 'utf8',
  })
  expect(status, `${stdout}${stderr}`).toBe(0)
}

it('each recipe adds its thing in one or two files, and a test', () => {
  const files = [...recipes].map(([title, blocks]) => [
    title,
    [...blocks.keys()].filter((name) => !name.endsWith('.test.ts')).length,
  ])
  expect(Object.fromEntries(files)).toEqual({
    'Add a format': 1,
    'Add a queue': 1,
    'Add a sink': 2,
    'Add a column type': 1,
  })
})

it('the code compiles as a package of its own, against the types that are shipped', () => {
  run('typescript/bin/tsc', '-p', 'tsconfig.json')
})

it('what each recipe makes passes its suite whole', () => {
  const reporters = ['--reporter=default', '--reporter=json', '--outputFile=report.json']
  run('vitest/vitest.mjs', 'run', ...reporters)
  const { testResults } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
    testResults: { name: string; assertionResults: { status: string }[] }[]
  }
  const passed = testResults.map(({ name, assertionResults }) => {
    expect(assertionResults.map(({ status }) => status).filter((status) => status !== 'passed')).toEqual([])
    expect(assertionResults.length, name).toBeGreaterThan(5)
    return basename(dirname(name)).replaceAll('-', ' ')
  })
  expect(passed.toSorted()).toEqual([...recipes.keys()].toSorted())
})
