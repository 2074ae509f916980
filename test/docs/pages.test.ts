/** What the pages tell one to type works, and prints what they show. */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '../structure/sources.ts'
import { type Block, blocksOf, fileNameOf } from './blocks.ts'
import { needsPostgres, needsRabbit, Places } from './places.ts'
import { linkModules, runPage } from './run-page.ts'

const paths = globSync(
  ['README.md', 'docs/{tutorial,configuration,library}.md', 'docs/how-to/*.md', 'docs/coming-from/*.md'],
  {
    cwd: root,
  },
).toSorted()
const pages = paths.map((path) => ({ path, blocks: blocksOf(path) }))
/** The README is followed in a clone (first-day.test.ts). */
const followed = pages.filter(({ path }) => path !== 'README.md')
const languages = ['sh', 'ts', 'sql', 'json', 'yaml', 'ini', 'cron', 'text']
const programs = ['psql', 'sqlite3', 'iconv', 'curl', 'jq']

describe.concurrent('following the page', () => {
  for (const { path, blocks } of followed) {
    const text = blocks
      .filter(({ notRun }) => notRun === undefined)
      .map(({ code }) => code)
      .join('\n')
    const missing = missingFor(text)
    const title = missing === undefined ? path : `${path} (SKIPPED: no ${missing})`
    it.skipIf(missing !== undefined)(title, { timeout: 120_000 }, async () => {
      await using places = await Places.of(text)
      const failures = await runPage(blocks, places)
      const told = failures.map(
        ({ line, command, why, printed }) => `${path}:${line}\n$ ${command}\n${why}\n${printed}`,
      )
      expect(told.join('\n\n')).toBe('')
    })
  }
})

it.each(pages)('$path has blocks of languages that are checked, and none that is misspelt', ({ blocks }) => {
  expect(blocks.filter(({ language }) => !languages.includes(language))).toEqual([])
  expect(blocks.flatMap((block) => faultOf(block) ?? [])).toEqual([])
})

it('the TypeScript of the pages is correct by its types', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lading-pages-'))
  try {
    mkdirSync(join(folder, 'node_modules'))
    linkModules(join(folder, 'node_modules'))
    for (const [index, { blocks }] of pages.entries())
      for (const block of blocks.filter(({ language }) => language === 'ts'))
        write(join(folder, String(index), fileNameOf(block) ?? `line-${block.line}.ts`), block.code)
    const compilerOptions = {
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      noEmit: true,
    }
    write(join(folder, 'package.json'), '{"type":"module"}')
    write(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*/*.ts'] }))
    const { stdout } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder],
      { encoding: 'utf8' },
    )
    expect(stdout).toBe('')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function write(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
}

/** What the page needs and this machine does not have. */
function missingFor(text: string): string | undefined {
  if (needsPostgres(text) && !('url' in inject('postgres'))) return 'PostgreSQL'
  if (needsRabbit(text) && !('url' in inject('rabbit'))) return 'RabbitMQ'
  return programs.find((name) => new RegExp(`(^|[|;(&$] *)${name} `, 'm').test(text) && !isInstalled(name))
}

const isInstalled = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))

function faultOf(block: Block): string | undefined {
  const { language, notRun, code, line } = block
  const shown = (text: string) => (text === '' ? undefined : `line ${line}: ${text}`)
  if (language === 'sh' && notRun !== undefined)
    return shown(spawnSync('bash', ['-n'], { input: code.replaceAll(/^\$ /gm, ''), encoding: 'utf8' }).stderr)
  if (language === 'json') JSON.parse(code)
  if (language === 'yaml') parse(code)
  if (
    language === 'cron' &&
    !code
      .trimEnd()
      .split('\n')
      .every((each) => /^(#.*|\w+=.*|(\S+ ){5}\S.*)?$/.test(each))
  )
    return shown('not lines of a crontab')
  if (language === 'ini') return shown(unitFault(block))
  return undefined
}

/** What systemd says of the unit, where there is one; that its program is not installed here is no fault. */
function unitFault(block: Block): string {
  const name = fileNameOf(block)?.split('/').at(-1)
  if (name === undefined) return 'a unit needs its name on the first line'
  if (!isInstalled('systemd-analyze')) return ''
  const folder = mkdtempSync(join(tmpdir(), 'lading-unit-'))
  try {
    // A timer is looked at with what it starts.
    const service = '[Service]\nExecStart=/bin/true\n'
    writeFileSync(join(folder, name.replace(/\.timer$/, '.service')), service)
    writeFileSync(join(folder, name), block.code.replaceAll(/^(ExecStart=)\S+/gm, '$1/bin/true'))
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, name)], {
      encoding: 'utf8',
    })
    return stderr
      .split('\n')
      .filter((each) => each.includes(name))
      .join('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
