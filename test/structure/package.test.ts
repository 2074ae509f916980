import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { describe, expect, it } from 'vitest'
import { root } from './sources.ts'

type Manifest = Readonly<Record<string, Readonly<Record<string, string>> | undefined>>

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

describe('the published package', () => {
  it('holds the command, the library and their papers, and nothing of the checkout', () => {
    const paths = packed()
    expect(paths).toEqual(
      expect.arrayContaining([
        'package.json',
        'bin/lading.js',
        'dist/index.js',
        'dist/index.d.ts',
        'dist/cli/main.js',
        'dist/testing/index.js',
        'dist/testing/index.d.ts',
      ]),
    )
    expect(
      paths.filter((path) => path.startsWith('dist/page/')).map((path) => path.replace('dist', 'src/web')),
    ).toEqual(globSync('src/web/page/*', { cwd: root }).sort())
    const papers = /^(README\.md|LICENSE|CHANGELOG\.md|package\.json)$/
    expect(paths.filter((path) => !/^(bin|dist|docs)\//.test(path) && !papers.test(path))).toEqual([])
    expect(paths.filter((path) => /\btest\b|\btooling\b|\.tsbuildinfo$/.test(path))).toEqual([])
  })

  it('ships suites that import nothing but the library, Vitest and fast-check', () => {
    const imported = globSync('test/contract/**/*.ts', { cwd: root }).flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/\b(?:from|import) '([^']+)'/g)].map(
        ([, name = '']) => (name.startsWith('.') ? join(dirname(path), name) : name),
      ),
    )
    expect(imported).toContain('lading')
    expect(
      imported.filter((name) => !/^(node:.*|lading|vitest|fast-check|test\/contract\/.*)$/.test(name)),
    ).toEqual([])
  })

  it('does not bring a Node of its own', () => {
    const brought = Object.keys({
      ...manifest['dependencies'],
      ...manifest['optionalDependencies'],
      ...manifest['peerDependencies'],
    })
    expect(brought.filter((name) => /^node-(linux|darwin|win|bin)/.test(name))).toEqual([])
  })

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: root, level: 'warning', strict: true, pack: 'npm' })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })
})

it('the lock file names no registry', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved": "http')
})

it('no file of the repository names a folder of the machine it was written on', () => {
  // Not after a letter or a dot: `src/work/` is nobody's machine.
  const needle = new RegExp('(?<![\\w.~*})-])/(?:work/|farm\\b)')
  expect(['work', 'farm'].every((folder) => needle.test(`cd /${folder}/main`))).toBe(true)
  expect(repositoryFiles().filter((path) => needle.test(readFileSync(join(root, path), 'latin1')))).toEqual(
    [],
  )
})

function packed(): string[] {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [pack] = JSON.parse(output) as [{ files: { path: string }[] }]
  return pack.files.map(({ path }) => path)
}

/** What git would commit; outside a git checkout, everything but what is installed or built. */
function repositoryFiles(): string[] {
  try {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
    const paths = execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).split('\0')
    return paths.filter((path) => path !== '' && existsSync(join(root, path)))
  } catch {
    const left = new Set(['.git', 'node_modules', 'dist', 'coverage', '.lading'])
    const entries = globSync('**/*', {
      cwd: root,
      withFileTypes: true,
      exclude: (entry) => left.has(entry.name),
    })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
  }
}
